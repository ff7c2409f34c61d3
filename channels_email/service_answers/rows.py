"""How the answers of mail services are read: each has a table of rows, the first that fits says what it means."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from gateway.channel_contract import Outcome, SendResult
from gateway.http_window import Reply
from gateway.provider_answers import TOO_LARGE, Meaning, not_known
from gateway.retry_after import retry_after
from users.channels import Channel

#: Why an address gets no more mail from a service: it bounced or complained there before.
SUPPRESSED = "address_suppressed"
#: For those whose account is paused or empty: nobody mends that within a minute.
ACCOUNT_WAIT = timedelta(minutes=10)
#: For what only some receivers get to feel, such as an account that may write to itself alone.
RECEIVER_WAIT = timedelta(hours=1)
#: Where a service says in how many seconds its limit ends, if it does not say Retry-After.
_SECONDS_LEFT = ("ratelimit-reset", "x-sib-ratelimit-reset")
#: Where it says at which second of the epoch.
_ENDS_AT = "x-ratelimit-reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is in an answer: the service's own code, and its words."""

    code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of answer. What is empty fits all."""

    status: int
    meaning: Meaning
    #: The service's own.
    code: str = ""
    #: In small letters, a part of what it says.
    words: str = ""

    def fits(self, status: int, said: Said) -> bool:
        """Whether this answer is of this kind."""
        return (
            self.status in (0, status)
            and self.code in ("", said.code)
            and (not self.words or self.words in said.words.lower())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How one service answers."""

    rows: Sequence[Row]
    said: Callable[[Reply], Said]


def result_of(service: str, answers: Answers, reply: Reply) -> SendResult:
    """What an answer means that does not say yes."""
    said = answers.said(reply)
    code = f"{reply.status} {said.code}".strip()
    meaning = next((row.meaning for row in answers.rows if row.fits(reply.status, said)), None)
    if meaning is None:
        result = not_known(Channel.EMAIL, service, code)
    else:
        result = meaning.result(provider_code=code, retry_after=wait_of(reply.headers))
    words = " ".join(said.words.split())[:200]
    return replace(result, detail=f"{result.detail} It said: {words}") if words else result


def wait_of(headers: Mapping[str, str]) -> timedelta | None:
    """How long the service wants to be left alone, if it says so."""
    if (wait := retry_after(headers)) is not None:
        return wait
    small = {name.lower(): value.strip() for name, value in headers.items()}
    for name in _SECONDS_LEFT:
        if (seconds := _number(small.get(name, ""))) is not None:
            return timedelta(seconds=seconds)
    moment = _number(small.get(_ENDS_AT, ""))
    return None if moment is None else timedelta(seconds=max(0, moment - int(time.time())))


def _number(text: str) -> int | None:
    return int(text[:10]) if text.isascii() and text.isdigit() else None


def json_object(reply: Reply) -> dict[str, Any]:
    """Its body, empty where that is no JSON object."""
    try:
        read = json.loads(reply.body)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def plain_text(reply: Reply) -> Said:
    """For a service whose answers we do not know better."""
    return Said(words=reply.body[:500].decode("utf-8", "replace"))


# --- meanings that many share -----------------------------------------------------------------------------------------
def key_refused(title: str, settings: str, where: str) -> Meaning:
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="access_refused",
        sentence=f"{title} does not accept {settings}.",
        remedy=f"Copy it anew: {where}",
    )


def sender_refused(title: str, where: str) -> Meaning:
    """All our mails have one sender, so all of them are concerned."""
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="sender_refused",
        sentence=f"{title} does not send for the address in DEFAULT_FROM_EMAIL.",
        remedy=where,
    )


def account_stopped(title: str, why: str, remedy: str) -> Meaning:
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="account_stopped",
        sentence=f"{title} sends nothing for this account: {why}.",
        remedy=remedy,
        wait=ACCOUNT_WAIT,
    )


def receivers_limited(title: str, remedy: str) -> Meaning:
    """An account on trial: others of its receivers get their mail."""
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="receiver_not_allowed",
        sentence=f"{title} lets this account write to some addresses only.",
        remedy=remedy,
        wait=RECEIVER_WAIT,
        concerns_all=False,
    )


def address_suppressed(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code="address_suppressed",
        sentence=f"{title} sends nothing more to this address: it bounced or complained before.",
        remedy=f"Once the person wants mail again, take it from the suppressions of {title} and from ours.",
        reason=SUPPRESSED,
    )


def address_refused(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code="address_refused",
        sentence=f"{title} says that this is no address.",
        remedy="Correct the address.",
        reason="mailbox_unknown",
    )


def message_refused(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code="message_refused",
        sentence=f"{title} refused the mail.",
        remedy="Look at what it said, and at the template.",
    )


def too_large(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.PERMANENT,
        error_code=TOO_LARGE,
        sentence=f"The mail is larger than {title} takes.",
        remedy="Make its content or attachments smaller.",
    )


def too_fast(title: str) -> Meaning:
    return Meaning(outcome=Outcome.THROTTLED, error_code="too_fast", sentence=f"{title} takes no more just now.")


def quota_used_up(title: str) -> Meaning:
    """Waiting a second or two would not help."""
    return Meaning(
        outcome=Outcome.THROTTLED,
        error_code="quota_used_up",
        sentence=f"The mails of this account at {title} are used up for now.",
        remedy="Choose a larger plan, or name a second service in EMAIL_PROVIDERS.",
        wait=ACCOUNT_WAIT,
    )


def address_of_service(title: str, setting: str) -> Meaning:
    return Meaning(
        outcome=Outcome.MISCONFIGURED,
        error_code="not_found",
        sentence=f"{title} has nothing at this address.",
        remedy=f"Check {setting}.",
    )


def trouble(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.TRANSIENT, error_code="service_trouble", sentence=f"{title} has trouble at the moment."
    )


def took_too_long(title: str) -> Meaning:
    return Meaning(
        outcome=Outcome.UNKNOWN,
        error_code="no_answer",
        sentence=f"{title} took too long; the mail may have been sent.",
    )


def had_before(title: str) -> Meaning:
    """The first request under the key may have been refused as well as taken: only the service knows."""
    return Meaning(
        outcome=Outcome.UNKNOWN,
        error_code="had_before",
        sentence=f"{title} has had this mail before, and does not say what became of it.",
        remedy=f"Look into the log of {title}.",
    )


def usual_rows(title: str, address_setting: str) -> tuple[Row, ...]:
    """What statuses mean where the body says nothing more exact (RFC 9110)."""
    return (
        Row(404, address_of_service(title, address_setting)),
        Row(405, address_of_service(title, address_setting)),
        Row(413, too_large(title)),
        Row(429, too_fast(title)),
        Row(500, trouble(title)),
        Row(502, trouble(title)),
        Row(503, trouble(title)),
        Row(504, took_too_long(title)),
    )
