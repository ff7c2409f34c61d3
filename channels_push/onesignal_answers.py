"""What the answers of OneSignal mean. It says 200 also for a push that goes to nobody; only the body tells."""

from typing import Any

from gateway.channel_contract import Outcome, SendResult
from gateway.http_window import Reply
from gateway.provider_answers import TOKEN_GONE, Meaning, not_known
from gateway.retry_after import retry_after
from users.channels import Channel

_GONE = Meaning(
    outcome=Outcome.PERMANENT,
    error_code="unregistered",
    sentence="OneSignal knows no such subscription.",
    reason=TOKEN_GONE,
)
NOT_SUBSCRIBED = Meaning(
    outcome=Outcome.PERMANENT,
    error_code="not_subscribed",
    sentence="The subscription takes no pushes: switched off in the app, or the app is gone.",
    reason=TOKEN_GONE,
)
_TROUBLE = Meaning(
    outcome=Outcome.TRANSIENT, error_code="service_trouble", sentence="OneSignal has trouble at the moment."
)
_REFUSED = Meaning(
    outcome=Outcome.PERMANENT,
    error_code="message_refused",
    sentence="OneSignal refused the message.",
    remedy="Look at the template's image, link and data.",
)
_KEY = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="access_refused",
    sentence="OneSignal does not accept ONESIGNAL_API_KEY for this app.",
    remedy="Copy the App API key from the app's settings, Keys & IDs.",
)
_APP = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="app_unknown",
    sentence="OneSignal knows no app ONESIGNAL_APP_ID.",
    remedy="Copy the app's id from its settings, Keys & IDs.",
)
#: By status, where the body says nothing more exact.
MEANINGS: dict[int, Meaning] = {
    400: _REFUSED,
    401: _KEY,
    403: _KEY,
    404: _APP,
    413: _REFUSED,
    429: Meaning(
        outcome=Outcome.THROTTLED,
        error_code="too_fast",
        sentence="OneSignal takes no more just now.",
    ),
    500: _TROUBLE,
    502: _TROUBLE,
    503: _TROUBLE,
    504: Meaning(
        outcome=Outcome.UNKNOWN, error_code="no_answer", sentence="OneSignal took too long; it may have been sent."
    ),
}
#: What the body says, where it says more than the status.
BY_BODY: dict[str, Meaning] = {
    "200 invalid_subscription_ids": _GONE,
    "200 not subscribed": NOT_SUBSCRIBED,
    "400 app_id": _APP,
}
#: How a 200 names subscriptions it does not know, by age of the interface.
_INVALID_IDS = ("invalid_subscription_ids", "invalid_player_ids")
_NOBODY = "not subscribed"
_NO_APP = "app_id"


def result_of(reply: Reply) -> SendResult:
    """One answer to one message to one subscription."""
    body = reply.json_object()
    errors = body.get("errors")
    code = str(reply.status)
    if reply.status == 200:
        if isinstance(errors, dict) and any(errors.get(name) for name in _INVALID_IDS):
            return _GONE.result(provider_code=f"{code} {next(name for name in _INVALID_IDS if errors.get(name))}")
        if _says(errors, _NOBODY):
            return NOT_SUBSCRIBED.result(provider_code=code)
        if isinstance(body.get("id"), str) and body["id"]:
            return SendResult(outcome=Outcome.ACCEPTED, provider_message_id=body["id"])
        return not_known(Channel.PUSH, "onesignal", code)
    meaning = _APP if reply.status == 400 and _says(errors, _NO_APP) else MEANINGS.get(reply.status)
    if meaning is None:
        return not_known(Channel.PUSH, "onesignal", code)
    return meaning.result(provider_code=code, retry_after=retry_after(reply.headers))


def _says(errors: Any, words: str) -> bool:
    return isinstance(errors, list) and any(words in str(each) for each in errors)
