"""The reference page of everything providers may answer, made of the tables by which their answers are read."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from channels_email import smtp_replies
from channels_email.mail_services import MAIL_SERVICES
from channels_email.service_answers.rows import Row
from channels_email.service_answers.tables import TABLES, answers_of
from channels_push import fcm_answers, onesignal_answers, webpush_answers
from gateway.channel_contract import Outcome
from gateway.provider_answers import NO_ANSWER, NOT_KNOWN, NOT_REACHED, Meaning

HEAD = ["| its code | class | our word | reason | what happened | what to do |", "|---|---|---|---|---|---|"]
SMTP_RULE = (
    "The enhanced code (5.1.1) counts where it does not contradict the code (550); a code “to” something counts for "
    "that command. A reply in no row is tried again for 4xx, given up for 5xx."
)
#: What the classes lead to.
CLASSES = {
    Outcome.TRANSIENT: "tried again, later each time; after `MAX_ATTEMPTS` given up",
    Outcome.THROTTLED: "waits, as long as the provider says; no try is used up",
    Outcome.PERMANENT: "given up with the reason shown",
    Outcome.MISCONFIGURED: "our mistake: waits for us, no try is used up; the next provider in the order is asked",
    Outcome.UNKNOWN: "it may have arrived: the template's rule says whether it is sent again or held",
}


class AMeaning(Protocol):
    """What the rows of all tables have in common."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def error_code(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def reason(self) -> str: ...


def provider_error_lines() -> list[str]:
    """Every table, a section each."""
    lines = ["| class | what follows |", "|---|---|"]
    lines += [f"| `{outcome}` | {words} |" for outcome, words in CLASSES.items()]
    for title, rows in _sections():
        lines += [
            "",
            f"## {title}",
            "",
            *([SMTP_RULE, ""] if "smtp" in title else []),
            *HEAD,
            *dict.fromkeys(_line(code, meaning) for code, meaning in rows),
        ]
    return lines


def _sections() -> Iterator[tuple[str, Iterable[tuple[str, AMeaning]]]]:
    yield "All providers", [("no connection", NOT_REACHED), ("no whole answer", NO_ANSWER), ("any other", NOT_KNOWN)]
    yield "Mail: `smtp`", list(_smtp())
    for name in TABLES:
        yield f"Mail: `{name}` ({MAIL_SERVICES[name].title})", list(_of_service(answers_of(name).rows))
    example = next(name for name in MAIL_SERVICES if name not in TABLES)
    others = ", ".join(f"`{name}`" for name in MAIL_SERVICES if name not in TABLES)
    yield f"Mail: {others}, such as {MAIL_SERVICES[example].title}", list(_of_service(answers_of(example).rows))
    yield "Push: `fcm`", list(_fcm())
    yield "Push: `onesignal`", [*onesignal_answers.BY_BODY.items(), *_by_status(onesignal_answers.MEANINGS)]
    yield "Push: `webpush`", list(_by_status(webpush_answers.MEANINGS))


def _smtp() -> Iterator[tuple[str, AMeaning]]:
    yield from smtp_replies.BY_STATUS.items()
    for key, meaning in (*smtp_replies.BY_CODE.items(), *smtp_replies.ABOUT_US.items()):
        yield (f"{key[0]} to {key[1].upper()}" if isinstance(key, tuple) else str(key)), meaning


def _of_service(rows: Iterable[Row]) -> Iterator[tuple[str, AMeaning]]:
    for row in rows:
        code = " ".join(str(each) for each in (row.status, row.code) if each)
        yield (f"{code}: “{row.words}”" if row.words else code), row.meaning


def _fcm() -> Iterator[tuple[str, AMeaning]]:
    yield from fcm_answers.MEANINGS.items()
    yield "INVALID_ARGUMENT, naming the token", fcm_answers.NO_TOKEN
    yield "UNAUTHENTICATED, of a token not just made", fcm_answers.TOKEN_TOO_OLD
    yield from _by_status(fcm_answers.BY_STATUS)


def _by_status(meanings: dict[int, Meaning]) -> Iterator[tuple[str, AMeaning]]:
    return ((str(status), meaning) for status, meaning in meanings.items())


def _line(code: str, meaning: AMeaning) -> str:
    reason = f"`{meaning.reason}`" if meaning.outcome is Outcome.PERMANENT else "–"
    remedy = meaning.remedy if isinstance(meaning, Meaning) else ""
    cells = (code, f"`{meaning.outcome}`", f"`{meaning.error_code}`", reason, meaning.sentence, remedy or "–")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
