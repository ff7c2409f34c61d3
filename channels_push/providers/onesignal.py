"""OneSignal: ONESIGNAL_APP_ID and ONESIGNAL_API_KEY say for which app. It knows a repeated push by its key."""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings

from channels_push.message import PushMessage
from channels_push.onesignal_answers import result_of
from channels_push.payload_size import too_large
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.http_window import Call, CannotConnect, HttpWindow, NoReply, Reply
from gateway.provider_answers import without_reply
from gateway.provider_settings import provider_setting

#: Bytes of the data for the app.
LARGEST_DATA = 2048
LONGEST_LIFE = timedelta(weeks=4)
LONGEST_COLLAPSE_ID = 64
#: Names the keys by which OneSignal knows a push that it has had before.
_KEYS = uuid.UUID("6d1a0b56-5a3c-4c55-9d39-1f3d1d0f1a51")
#: A subscription that nobody has.
NOBODY = str(uuid.UUID(int=0))


@dataclass(frozen=True, slots=True)
class _App:
    """For which app, and what proves that it is ours."""

    id: str
    key: str = field(repr=False)


class OneSignalProvider:
    """Implements `gateway.channel_contract.Provider`."""

    name = "onesignal"

    def __init__(self) -> None:
        self._window: HttpWindow | None = None
        self._app = _App("", "")

    @property
    def reports_delivery(self) -> bool:
        """Only where its news is let in."""
        return bool(provider_setting("PROVIDER_WEBHOOK_SECRET"))

    def connect(self) -> None:
        """A connection. Raises `ProviderAway`."""
        self._app = _App(provider_setting("ONESIGNAL_APP_ID"), provider_setting("ONESIGNAL_API_KEY"))
        if not self._app.id or not self._app.key:
            words = "ONESIGNAL_APP_ID and ONESIGNAL_API_KEY are not both set."
            raise ProviderAway(words, outcome=Outcome.MISCONFIGURED)
        if self._window is None:
            self._window = HttpWindow(settings.ONESIGNAL_URL)
        try:
            self._window.open()
        except CannotConnect as error:
            raise ProviderAway(f"OneSignal cannot be reached: {error}.") from error

    def send(self, messages: Sequence[PushMessage]) -> Iterator[SendResult]:
        """Many at once, answers in order."""
        for reply in self._opened().ask(_call(each, self._app) for each in messages):
            yield reply if isinstance(reply, SendResult) else _result(reply)

    def check(self, to: str) -> SendResult:
        """Ask OneSignal about its key, with a push to a subscription that nobody has. Without `to` nothing is sent."""
        self.connect()
        body = {"include_subscription_ids": [to or NOBODY], "headings": {"en": "Test"}, "contents": {"en": "Test"}}
        return _result(next(self._opened().ask([_post(body, self._app)])))

    def close(self) -> None:
        """Let go of the connections."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _opened(self) -> HttpWindow:
        if self._window is None:
            self.connect()
        return self._window  # type: ignore[return-value]  # connect() has made it


def _call(message: PushMessage, app: _App) -> Call | SendResult:
    data = dict(message.data)
    if (size := len(json.dumps(data).encode())) > LARGEST_DATA:
        return too_large(size, LARGEST_DATA, "OneSignal")
    words = message.words
    body: dict[str, Any] = {
        "include_subscription_ids": [message.device.token],
        # The same over all tries: a second one that overlaps the first goes to nobody.
        "idempotency_key": str(uuid.uuid5(_KEYS, f"{message.notification_id}:{message.device.id}")),
        "headings": {"en": words.title},
        "contents": {"en": words.body},
        "data": data,
        "ttl": int(min(message.time_to_live, LONGEST_LIFE).total_seconds()),
        "priority": 10 if message.is_urgent else 5,
        "collapse_id": message.tag[:LONGEST_COLLAPSE_ID],
    }
    return _post(body | _rich(message), app)


def _rich(message: PushMessage) -> dict[str, Any]:
    """What each platform has its own name for."""
    words = message.words
    rich: dict[str, Any] = {}
    if words.link:
        rich["url"] = words.link
    if words.image:
        rich |= {"big_picture": words.image, "chrome_web_image": words.image, "ios_attachments": {"image": words.image}}
    if words.actions:
        rich["buttons"] = [{"id": each["action"], "text": each["title"]} for each in words.actions]
        rich["web_buttons"] = [
            {"id": each["action"], "text": each["title"], "url": each["link"] or words.link} for each in words.actions
        ]
    if message.badge is not None:
        rich |= {"ios_badgeType": "SetTo", "ios_badgeCount": message.badge}
    if message.sound != "default":
        rich["ios_sound"] = message.sound or "nil"
    return rich


def _post(body: dict[str, Any], app: _App) -> Call:
    whole = {"app_id": app.id, "target_channel": "push"} | body
    headers = {"Authorization": f"Key {app.key}", "Content-Type": "application/json; charset=utf-8"}
    return Call("/notifications?c=push", headers, json.dumps(whole).encode())


def _result(reply: Reply | NoReply) -> SendResult:
    return without_reply(reply) if isinstance(reply, NoReply) else result_of(reply)
