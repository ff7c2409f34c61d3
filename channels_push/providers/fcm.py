"""Firebase Cloud Messaging (HTTP v1): FCM_CREDENTIALS says for which project.

Firebase's own library makes the messages and the access tokens; the sending is ours, because the library's repeats what
may have arrived, waits inside the call, and is several times slower.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import repeat

from django.conf import settings

from channels_push.fcm_access import FcmAccess, fcm_access
from channels_push.fcm_answers import BAD_MESSAGE, TOKEN_TOO_OLD, result_of
from channels_push.fcm_message import LARGEST, fcm_message, size_of
from channels_push.message import PushMessage
from channels_push.payload_size import too_large
from gateway.channel_contract import Outcome, ProviderAway, SendResult
from gateway.http_window import Call, CannotConnect, HttpWindow, NoReply, Reply
from gateway.provider_answers import without_reply
from gateway.provider_settings import provider_setting
from users.models import Device

#: A token that no app has; Firebase checks credentials and message before it looks for the app.
NOBODYS_TOKEN = "checking-credentials"  # noqa: S105  no secret


class FcmProvider:
    """Implements `gateway.channel_contract.Provider`. Firebase says nothing more after taking a push."""

    name = "fcm"
    reports_delivery = False

    def __init__(self) -> None:
        self._window: HttpWindow | None = None

    def connect(self) -> None:
        """An access token, and a connection. Raises `ProviderAway`."""
        access = self._access()
        access.token()
        if self._window is None:
            self._window = HttpWindow(settings.FCM_URL)
        try:
            self._window.open()
        except CannotConnect as error:
            raise ProviderAway(f"Firebase cannot be reached: {error}.") from error

    def send(self, messages: Sequence[PushMessage]) -> Iterator[SendResult]:
        """Many at once, answers in order."""
        try:
            access = self._access()
            path, headers = f"/v1/projects/{access.project}/messages:send", _headers(access)
        except ProviderAway as away:  # another thread was told meanwhile that the token is too old
            yield from repeat(away.result(), len(messages))
            return
        calls = (self._call(each, path, headers) for each in messages)
        for reply in self._opened().ask(calls):
            yield reply if isinstance(reply, SendResult) else self._result(reply, access)

    def check(self, to: str) -> SendResult:
        """Ask Firebase whether it would take a push for this token, or for nobody's; nothing is sent."""
        return self.check_device(Device.Kind.TOKEN, to or NOBODYS_TOKEN)

    def check_device(self, kind: str, token: str) -> SendResult:
        """The same for a device of either kind. Raises `ProviderAway`."""
        self.connect()
        access = self._access()
        name = "fid" if kind == Device.Kind.FID else "token"
        message = {name: token, "notification": {"title": "Test", "body": "Test"}}
        body = json.dumps({"message": message, "validate_only": True}).encode()
        call = Call(f"/v1/projects/{access.project}/messages:send", _headers(access), body)
        return self._result(next(self._opened().ask([call])), access)

    def close(self) -> None:
        """Let go of the connections."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _access(self) -> FcmAccess:
        credentials = provider_setting("FCM_CREDENTIALS")
        if not credentials:
            raise ProviderAway("FCM_CREDENTIALS is not set.", outcome=Outcome.MISCONFIGURED)
        return fcm_access(credentials, settings.FCM_TOKEN_URL)

    def _opened(self) -> HttpWindow:
        if self._window is None:
            self.connect()
        return self._window  # type: ignore[return-value]  # connect() has made it

    def _call(self, message: PushMessage, path: str, headers: dict[str, str]) -> Call | SendResult:
        if (size := size_of(message)) > LARGEST:
            return too_large(size, LARGEST, "Firebase")
        try:
            made = fcm_message(message)
        except ValueError:  # its words may repeat the person's data
            return BAD_MESSAGE.result(provider_code="sdk")
        return Call(path, headers, b'{"message": ' + made.encode() + b"}")

    def _result(self, reply: Reply | NoReply, access: FcmAccess) -> SendResult:
        if isinstance(reply, NoReply):
            return without_reply(reply)
        result = result_of(reply)
        if result.error_code == "access_refused":
            was_fresh = access.is_fresh
            access.forget()
            return result if was_fresh else TOKEN_TOO_OLD.result(provider_code=result.provider_code)
        return result


def _headers(access: FcmAccess) -> dict[str, str]:
    return {"Authorization": f"Bearer {access.token()}", "Content-Type": "application/json; charset=UTF-8"}
