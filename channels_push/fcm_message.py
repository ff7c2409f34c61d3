"""A push in Firebase's words: the notification itself, and a block for the platform of the device."""

import time
from datetime import timedelta

from firebase_admin import messaging

from channels_push.message import PushMessage
from users.models import Device

#: Bytes of notification and data together.
LARGEST = 4096
#: Firebase keeps a message no longer.
LONGEST_LIFE = timedelta(weeks=4)
#: Apple's limit for the id that lets a later push replace an earlier one, in bytes.
LONGEST_COLLAPSE_ID = 64


def fcm_message(message: PushMessage) -> str:
    """The JSON of a message, checked by Firebase's own library. Raises ValueError when that refuses it."""
    words = message.words
    made = messaging.Message(
        data=dict(message.data),
        notification=messaging.Notification(title=words.title, body=words.body, image=words.image or None),
        android=_android(message) if message.device.platform == Device.Platform.ANDROID else None,
        apns=_apns(message) if message.device.platform == Device.Platform.IOS else None,
        webpush=_web(message) if message.device.platform == Device.Platform.WEB else None,
    )
    # Not by the constructor: it warns at every token, and both kinds are in use.
    setattr(made, "fid" if message.device.kind == Device.Kind.FID else "token", message.device.token)
    return str(made)


def size_of(message: PushMessage) -> int:
    """Bytes as Firebase counts them: names and values of the data, and the words."""
    words = message.words
    parts = [words.title, words.body, words.image, *message.data.keys(), *message.data.values()]
    return sum(len(part.encode()) for part in parts)


def _life(message: PushMessage) -> timedelta:
    """Whole seconds: Firebase wants no part of one."""
    return timedelta(seconds=int(min(message.time_to_live, LONGEST_LIFE).total_seconds()))


def _android(message: PushMessage) -> messaging.AndroidConfig:
    return messaging.AndroidConfig(
        collapse_key=message.tag,
        priority="high" if message.is_urgent else "normal",
        ttl=_life(message),
        notification=messaging.AndroidNotification(
            tag=message.tag, sound=message.sound or None, notification_count=message.badge
        ),
    )


def _apns(message: PushMessage) -> messaging.APNSConfig:
    words = message.words
    return messaging.APNSConfig(
        headers={
            "apns-priority": "10" if message.is_urgent else "5",
            "apns-expiration": str(int(time.time() + _life(message).total_seconds())),
            "apns-collapse-id": message.tag.encode()[:LONGEST_COLLAPSE_ID].decode(errors="ignore"),
        },
        payload=messaging.APNSPayload(
            aps=messaging.Aps(
                alert=messaging.ApsAlert(title=words.title, body=words.body),
                badge=message.badge,
                sound=message.sound or None,
                mutable_content=bool(words.image) or None,
            )
        ),
        fcm_options=messaging.APNSFCMOptions(image=words.image) if words.image else None,
    )


def _web(message: PushMessage) -> messaging.WebpushConfig:
    words = message.words
    link = words.link if words.link.startswith("https://") else ""
    return messaging.WebpushConfig(
        headers={"TTL": str(int(_life(message).total_seconds())), "Urgency": "high" if message.is_urgent else "normal"},
        notification=messaging.WebpushNotification(
            title=words.title,
            body=words.body,
            image=words.image or None,
            tag=message.tag,
            actions=[messaging.WebpushNotificationAction(each["action"], each["title"]) for each in words.actions]
            or None,
        ),
        fcm_options=messaging.WebpushFCMOptions(link=link) if link else None,
    )
