"""Stand-ins of push services, the settings that point at them, and pushes to send."""

import json
import uuid
from functools import cache

from channels_push import fcm_access
from channels_push.message import PushMessage
from channels_push.service_settings import new_vapid_key
from channels_push.standins.fcm import FcmStandIn, service_account
from templates_app.rendering import RenderedPush
from users.recipients import DeviceTarget

VAPID_KEY = new_vapid_key()
ONESIGNAL_APP = str(uuid.UUID(int=7, version=4))


@cache
def an_account() -> dict:
    """Making its key takes a while; where its tokens come from is said beside it."""
    return service_account("http://127.0.0.1:9/token")


def use_fcm(settings, server: FcmStandIn) -> None:
    """One service account per stand-in, so that no test uses the tokens of another."""
    fcm_access._access.cache_clear()
    settings.FCM_CREDENTIALS = an_account()
    settings.FCM_URL, settings.FCM_TOKEN_URL = server.url, f"{server.url}/token"


def use_onesignal(settings, server) -> None:
    settings.ONESIGNAL_APP_ID, settings.ONESIGNAL_API_KEY = ONESIGNAL_APP, server.key
    settings.ONESIGNAL_URL = server.url


def use_webpush(settings) -> None:
    settings.VAPID_PRIVATE_KEY, settings.VAPID_SUBJECT = VAPID_KEY, "mailto:ops@example.com"


def words(**changed) -> RenderedPush:
    usual = {"title": "Your parcel", "body": "It is here.", "image": "", "link": "", "data": {}}
    return RenderedPush(**usual | changed)


def a_push(
    token="token-00000001",  # noqa: S107  no secret
    *,
    provider="fcm",
    kind="token",
    platform="android",
    said=None,
    **fields,
):
    """One push to one device; `token` may be a subscription."""
    token = json.dumps(token) if isinstance(token, dict) else token
    device = DeviceTarget(id=uuid.uuid4(), provider=provider, kind=kind, platform=platform, token=token, name="Phone")
    return PushMessage(
        notification_id=uuid.uuid4(),
        device_id=device.id,
        message_id="n-1",
        device=device,
        words=said or words(),
        **fields,
    )
