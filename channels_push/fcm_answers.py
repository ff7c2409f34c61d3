"""What the answers of Firebase Cloud Messaging mean: by its error code, else by the status of Google's interfaces."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from gateway.channel_contract import Outcome, SendResult
from gateway.http_window import Reply
from gateway.provider_answers import TOKEN_GONE, Meaning, not_known
from gateway.retry_after import retry_after
from users.channels import Channel

_T, _P, _M = Outcome.TRANSIENT, Outcome.PERMANENT, Outcome.MISCONFIGURED
_THIRD_PARTY = Meaning(
    outcome=_M,
    error_code="third_party_auth",
    sentence="Apple or the browser's push service does not accept the key that Firebase has for it.",
    remedy="Renew the APNs key or the Web Push certificate in the Firebase console.",
    wait=timedelta(minutes=10),
    concerns_all=False,
)
_QUOTA = Meaning(
    outcome=Outcome.THROTTLED,
    error_code="too_fast",
    sentence="Firebase takes no more just now.",
    wait=timedelta(seconds=60),
)
_TROUBLE = Meaning(outcome=_T, error_code="service_trouble", sentence="Firebase has trouble at the moment.")
_TOO_LATE = Meaning(
    outcome=Outcome.UNKNOWN, error_code="no_answer", sentence="Firebase took too long; it may have been sent."
)
_GONE = Meaning(
    outcome=_P, error_code="unregistered", sentence="The app is no longer on this device.", reason=TOKEN_GONE
)
NO_TOKEN = Meaning(
    outcome=_P, error_code="no_token", sentence="Firebase never gave out such a token.", reason=TOKEN_GONE
)
BAD_MESSAGE = Meaning(
    outcome=_P,
    error_code="message_refused",
    sentence="Firebase refused the message.",
    remedy="Look at the template's image, link and data.",
)
TOKEN_TOO_OLD = Meaning(outcome=_T, error_code="access_expired", sentence="Firebase wants a new access token.")
#: By Firebase's own code, then by Google's status; the own code says more.
MEANINGS: dict[str, Meaning] = {
    "UNREGISTERED": _GONE,
    "SENDER_ID_MISMATCH": Meaning(
        outcome=_M,
        error_code="sender_mismatch",
        sentence="The device belongs to another Firebase project.",
        remedy="Use the project's own app, or the service account of the app's project.",
        wait=timedelta(hours=1),
        concerns_all=False,
    ),
    "THIRD_PARTY_AUTH_ERROR": _THIRD_PARTY,
    "APNS_AUTH_ERROR": _THIRD_PARTY,
    "QUOTA_EXCEEDED": _QUOTA,
    "UNAVAILABLE": _TROUBLE,
    "INTERNAL": _TROUBLE,
    "UNSPECIFIED_ERROR": _TROUBLE,
    "INVALID_ARGUMENT": BAD_MESSAGE,
    "RESOURCE_EXHAUSTED": _QUOTA,
    "DEADLINE_EXCEEDED": _TOO_LATE,
    "UNAUTHENTICATED": Meaning(
        outcome=_M,
        error_code="access_refused",
        sentence="Firebase does not accept our access token.",
        remedy="Make a new key of the service account in the Firebase console, and check this machine's clock.",
    ),
    "PERMISSION_DENIED": Meaning(
        outcome=_M,
        error_code="access_denied",
        sentence="The service account may not send for this project.",
        remedy="Switch the Firebase Cloud Messaging API on, and give the account the role to send.",
    ),
    "NOT_FOUND": Meaning(
        outcome=_M,
        error_code="project_unknown",
        sentence="Firebase does not know the project.",
        remedy="Check project_id in FCM_CREDENTIALS, and FCM_URL.",
    ),
}
#: Where the answer is none of Google's interfaces but of a machine before them.
BY_STATUS = {429: _QUOTA, 500: _TROUBLE, 502: _TROUBLE, 503: _TROUBLE, 504: _TOO_LATE}
#: Words with which Firebase, now and then without naming the field, says that the token is none.
_NOT_A_TOKEN = "registration token is not a valid FCM registration token"  # noqa: S105  no secret


def result_of(reply: Reply) -> SendResult:
    """One answer to one message."""
    body = reply.json_object()
    if reply.status == 200 and isinstance(body.get("name"), str):
        return SendResult(outcome=Outcome.ACCEPTED, provider_message_id=body["name"].rpartition("/")[2])
    error = body.get("error")
    error = error if isinstance(error, dict) else {}
    code = _code(error)
    meaning = MEANINGS.get(code) or BY_STATUS.get(reply.status)
    if meaning is BAD_MESSAGE and _blames_token(error):
        meaning = NO_TOKEN
    provider_code = f"{reply.status} {code}".strip()
    if meaning is None:
        return not_known(Channel.PUSH, "fcm", provider_code)
    return meaning.result(provider_code=provider_code, retry_after=retry_after(reply.headers))


def _details(error: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []


def _code(error: Mapping[str, Any]) -> str:
    own = [str(each["errorCode"]) for each in _details(error) if "errorCode" in each]
    return own[0] if own else str(error.get("status", ""))


def _blames_token(error: Mapping[str, Any]) -> bool:
    violations = [each for detail in _details(error) for each in detail.get("fieldViolations") or []]
    fields = {str(each.get("field", "")) for each in violations if isinstance(each, dict)}
    return bool(fields & {"message.token", "message.fid"}) or _NOT_A_TOKEN in str(error.get("message", ""))
