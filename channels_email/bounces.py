"""Reads what comes back by mail: what became of which notification, or why it is no news to us.

Anybody can write such a mail. Only a return address of ours (return_address.py) proves that its writer had the mail;
the Message-ID alone says which one is meant, but ids stand in logs, callbacks and addresses of pages.
"""

import logging
import re
from dataclasses import dataclass
from email.message import Message
from email.utils import parseaddr
from enum import StrEnum
from uuid import UUID

from flufl.bounce import all_failures

from channels_email.delivery_reports import Report, complaint, delivery_reports, failure, moment
from channels_email.mail_parts import Part, read_mail
from channels_email.return_address import find_sealed
from gateway.channel_contract import EventType

#: Of a report in words: lines, characters of one. Some patterns take the square of a line's length.
MOST_LINES, LONGEST_LINE = 400, 200
#: Characters of the mail in which a return address or an id of ours is looked for.
LOOKED_THROUGH = 1024 * 1024
#: Where servers write whom they took the mail for, most telling first.
_RECIPIENT_HEADERS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "to")
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CLAIMS = (
    re.compile(rf"^Message-ID:\s{{0,9}}<n-({_ID})@", re.IGNORECASE | re.MULTILINE),
    re.compile(rf"^X-Notification-ID:\s{{0,9}}({_ID})\s*$", re.IGNORECASE | re.MULTILINE),
)
_SERVERS = re.compile(r"mailer-?daemon|postmaster|mail-?delivery|bounce", re.IGNORECASE)
_AUTO_HEADERS = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoresponder")
_CODE_IN_TEXT = re.compile(r"(?<![\d.])(?:[45]\d\d[ -]|[45]\.\d{1,3}\.\d{1,3}(?![\d.]))")

# It tells at each mail which detector it tries.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)


class Why(StrEnum):
    """Why a mail is no news."""

    UNREADABLE = "unreadable"
    AUTO_REPLY = "auto_reply"
    #: Somebody wrote to us.
    NO_BOUNCE = "no_bounce"
    #: Not spam, opted out, and what else services tell each other.
    OTHER_FEEDBACK = "other_feedback"
    #: It names no notification of ours.
    NOT_OURS = "not_ours"


@dataclass(frozen=True, slots=True)
class NoBounce:
    """Nothing is recorded."""

    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """News about one notification, as far as the mail alone can tell."""

    notification_id: UUID
    #: It came by, or shows, a return address that we made.
    is_sealed: bool
    #: One for each recipient the mail speaks of; at least one.
    reports: tuple[Report, ...]
    #: The Message-ID of the report itself, else its date.
    mail_id: str = ""


def read_bounce(raw: bytes, *, recipient: str = "") -> Bounce | NoBounce:
    """`recipient` is the envelope's, where it is known; else headers tell. Never raises, whatever the bytes.

    Of a mail with more than `LARGEST_MAIL` bytes the beginning is read: what is reported stands before what came back.
    """
    mail = read_mail(raw)
    if not mail.headers:
        return NoBounce(Why.UNREADABLE, "no headers")
    reports = _reports(mail)
    if isinstance(reports, NoBounce):
        return reports
    text = raw[:LOOKED_THROUGH].decode("utf-8", "replace").replace("\r\n", "\n")
    sealed = _sealed(mail, recipient, text)
    named = sealed or _claimed(text)
    if named is None:
        return NoBounce(Why.NOT_OURS)
    mail_id = mail.header("message-id") or mail.header("date")
    return Bounce(notification_id=named, is_sealed=sealed is not None, reports=reports, mail_id=mail_id)


def _reports(mail: Part) -> tuple[Report, ...] | NoBounce:
    feedback = complaint(mail)
    if isinstance(feedback, str):
        return NoBounce(Why.OTHER_FEEDBACK, feedback)
    if feedback is not None:
        return (feedback,)
    if reports := delivery_reports(mail):
        return tuple(reports)
    if _is_auto_reply(mail):
        return NoBounce(Why.AUTO_REPLY)
    return _in_words(mail) or NoBounce(Why.NO_BOUNCE)


def _is_auto_reply(mail: Part) -> bool:
    """Out of office. Postfix and Exim call their reports auto-replied too: who speaks decides."""
    if any(mail.header(name) for name in _AUTO_HEADERS):
        return True
    is_automatic = mail.header("auto-submitted").lower().startswith("auto-replied") or mail.header(
        "precedence"
    ).lower() in ("auto_reply", "auto-reply")
    return is_automatic and not _SERVERS.search(parseaddr(mail.header("from"))[1])


# --- in words ---------------------------------------------------------------------------------------------------------
def _in_words(mail: Part) -> tuple[Report, ...] | None:
    """A report as servers wrote them before RFC 3464, and some still do."""
    try:
        delayed, failed = all_failures(_as_message(mail))
    except Exception:  # noqa: BLE001  patterns of many hands, held against a mail of anybody's
        return None
    for addresses, is_delay in ((failed, False), (delayed, True)):
        if addresses:
            recipients = tuple(sorted(each.decode("ascii", "replace") for each in addresses))[:20]
            at, said = moment(mail.header("date")), _said(mail)
            if is_delay:
                return (Report(type=EventType.DEFERRED, recipients=recipients, detail=said, occurred_at=at),)
            return (failure(status="", said=said, recipients=recipients, occurred_at=at),)
    return None


def _said(mail: Part) -> str:
    """The line with a code, and the one after it; else the first lines. Not the mail that came back."""
    lines = [line.strip() for line in "\n".join(_texts(mail)).split("\n")]
    end = next((at for at, line in enumerate(lines) if at and line.startswith("---")), len(lines))
    lines = [line for line in lines[:end] if line]
    for at, line in enumerate(lines):
        if _CODE_IN_TEXT.search(line):
            return " ".join(lines[at : at + 2])
    return " ".join(lines[:6])


def _texts(mail: Part) -> list[str]:
    return [
        part.text(LONGEST_LINE * MOST_LINES)
        for part in _own_parts(mail)
        if part.content_type in ("text/plain", "text/html") and not part.parts
    ][:3]


def _own_parts(mail: Part) -> list[Part]:
    """All parts but those of the mail that came back."""
    if not mail.content_type.startswith("multipart/"):
        return [mail]
    return [each for part in mail.parts for each in _own_parts(part)]


def _as_message(part: Part) -> Message:
    """For flufl.bounce, with short lines and not many of them."""
    message = Message()
    for name, value in part.headers:
        if name != "content-transfer-encoding":
            message[name] = value
    if part.content_type.startswith("multipart/"):
        message.set_payload([_as_message(each) for each in part.parts])
    else:
        lines = part.text(LONGEST_LINE * MOST_LINES).split("\n")[:MOST_LINES]
        message.set_payload("\n".join(line[:LONGEST_LINE] for line in lines))
    return message


# --- which notification -----------------------------------------------------------------------------------------------
def _sealed(mail: Part, recipient: str, text: str) -> UUID | None:
    """By the return address the mail was sent to; else by one it quotes, as complaints do."""
    known = find_sealed(recipient)
    for name in _RECIPIENT_HEADERS:
        for value in mail.all(name):
            known = known or find_sealed(value)
    return known or find_sealed(text)


def _claimed(text: str) -> UUID | None:
    for pattern in _CLAIMS:
        if found := pattern.search(text):
            return UUID(found[1])
    return None
