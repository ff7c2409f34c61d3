"""How the answers of mail services are read: each has a table of rows, the first that fits says what it means."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from channels_email.service_answers.meanings import address_of_service, too_fast, too_large, took_too_long, trouble
from gateway.channel_contract import SendResult
from gateway.http_window import Reply
from gateway.provider_answers import Meaning, not_known
from gateway.retry_after import retry_after
from users.channels import Channel

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


def members(*, code: str, words: str) -> Callable[[Reply], Said]:
    """For a service whose answers are JSON objects: the names under which they hold its code and its words."""

    def said(reply: Reply) -> Said:
        body = reply.json_object()
        return Said(code=str(body.get(code) or ""), words=str(body.get(words) or ""))

    return said


def plain_text(reply: Reply) -> Said:
    """For a service whose answers we do not know better."""
    return Said(words=reply.body[:500].decode("utf-8", "replace"))


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
