"""What the answers of browsers' push services mean (RFC 8030). All of them speak by status alone."""

from datetime import timedelta

from gateway.channel_contract import Outcome, SendResult
from gateway.provider_answers import NO_ANSWER, NOT_REACHED, TOKEN_GONE, TOO_LARGE, Meaning, not_known
from users.channels import Channel

_GONE = Meaning(
    outcome=Outcome.PERMANENT,
    error_code="unregistered",
    sentence="The browser is no longer subscribed.",
    reason=TOKEN_GONE,
)
_KEY = Meaning(
    outcome=Outcome.MISCONFIGURED,
    error_code="access_refused",
    sentence="The push service does not accept our VAPID key for this subscription.",
    remedy="Keep VAPID_PRIVATE_KEY as it was when browsers subscribed, and check VAPID_SUBJECT and the clock.",
    # Subscriptions are made by strangers: one that was made with another key must not stop the others.
    wait=timedelta(hours=1),
    concerns_all=False,
)
_REFUSED = Meaning(
    outcome=Outcome.PERMANENT, error_code="message_refused", sentence="The push service refused the message."
)
_TROUBLE = Meaning(
    outcome=Outcome.TRANSIENT, error_code="service_trouble", sentence="The push service has trouble at the moment."
)
MEANINGS: dict[int, Meaning] = {
    400: _REFUSED,
    401: _KEY,
    403: _KEY,
    404: _GONE,
    410: _GONE,
    413: Meaning(
        outcome=Outcome.PERMANENT,
        error_code=TOO_LARGE,
        sentence="The push is larger than the push service takes.",
        remedy="Shorten its text or its data.",
    ),
    429: Meaning(outcome=Outcome.THROTTLED, error_code="too_fast", sentence="The push service takes no more just now."),
    500: _TROUBLE,
    502: _TROUBLE,
    503: _TROUBLE,
    504: Meaning(
        outcome=Outcome.UNKNOWN,
        error_code="no_answer",
        sentence="The push service took too long; it may have been sent.",
    ),
}
REFUSED_ADDRESS = Meaning(
    outcome=Outcome.PERMANENT, error_code="address_refused", sentence="The subscription's address is not a public one."
)
#: Nothing had left when these ended it.
_BEFORE = frozenset({"name_not_found", "connection_refused", "tls_failed", "unreachable"})


def result_of(status: int, retry_after: timedelta | None) -> SendResult:
    """One answer to one message."""
    if status in (200, 201, 202, 204):
        return SendResult(outcome=Outcome.ACCEPTED)
    meaning = MEANINGS.get(status)
    if meaning is None:
        return not_known(Channel.PUSH, "webpush", str(status))
    return meaning.result(provider_code=str(status), retry_after=retry_after)


def result_without_answer(code: str) -> SendResult:
    """The connection ended; `code` as in `gateway.outbound_http.CallFailed`."""
    return (NOT_REACHED if code in _BEFORE else NO_ANSWER).result(provider_code=code)
