"""What a service's answer means, the same words for all services; their tables are beside this page."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from gateway import metrics
from gateway.channel_contract import Outcome, SendResult
from gateway.http_window import NoReply
from users.channels import Channel

log = structlog.get_logger(__name__)

#: The reason of a refusal that names the token as gone: the device is switched off.
TOKEN_GONE = "token_invalid"  # noqa: S105  no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One row of a table."""

    outcome: Outcome
    #: Our word for it.
    error_code: str
    sentence: str
    #: What somebody can do about it; empty where nothing is needed.
    remedy: str = ""
    #: For permanent: the reason of the catalogue.
    reason: str = "rejected"
    #: How long to wait where the service does not say.
    wait: timedelta | None = None
    #: False when only this device or message is concerned, so that the others go on.
    concerns_all: bool = True

    def result(self, *, provider_code: str = "", retry_after: timedelta | None = None) -> SendResult:
        """As the answer to one message."""
        return SendResult(
            outcome=self.outcome,
            error_code=self.error_code,
            provider_code=provider_code,
            detail=f"{self.sentence} {self.remedy}".strip(),
            retry_after=retry_after or self.wait,
            reason=self.reason,
            concerns_all=self.concerns_all,
        )


TOO_LARGE = "payload_too_large"
NOT_KNOWN = Meaning(
    outcome=Outcome.TRANSIENT,
    error_code="unknown_answer",
    sentence="The service gave an answer we do not know.",
    remedy="It is tried again; tell the developers the code.",
)
#: By what the connection did (gateway/http_window.py, gateway/outbound_http.py), before anything was handed over…
NOT_REACHED = Meaning(outcome=Outcome.TRANSIENT, error_code="not_reached", sentence="The service could not be reached.")
#: … and after that.
NO_ANSWER = Meaning(
    outcome=Outcome.UNKNOWN,
    error_code="no_answer",
    sentence="The connection to the service ended without a whole answer.",
)


def without_reply(reply: NoReply) -> SendResult:
    """A call that brought no whole answer: a doubt once everything had left."""
    return (NO_ANSWER if reply.is_handed_over else NOT_REACHED).result(provider_code=reply.code)


def not_known(channel: Channel, provider: str, provider_code: str) -> SendResult:
    """What is in no table: tried again, counted and logged."""
    metrics.count_unknown_answer(channel=channel, provider=provider)
    log.warning("A service gave an unknown answer.", action="send", provider=provider, code=provider_code)
    return NOT_KNOWN.result(provider_code=provider_code)
