"""What mail servers report of a mail, in our words: delivery status (RFC 3464), complaints (RFC 5965). Pure values."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from channels_email.mail_parts import Part, read_fields
from channels_email.smtp_replies import BY_STATUS, Meaning, Stage, meaning_of
from gateway.channel_contract import EventType, Outcome

#: Recipients of one report that are looked at.
MOST_RECIPIENTS = 20
#: Characters of what a server said.
SAID = 400
#: A report is not of the future, nor of last year.
OLDEST, NEWEST = timedelta(days=60), timedelta(days=1)
STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
COMPLAINT_TYPE = "message/feedback-report"
#: Of all kinds of feedback, what says that a person does not want the mail.
COMPLAINTS = frozenset({"abuse", "fraud"})
#: Reasons with which a bounced notification may end; anything else is `bounced`.
REASONS = frozenset({"mailbox_unknown", "mailbox_full", "rejected_content"})
#: Refusals that are about the mail or about us: the mailbox may be well.
NOT_ABOUT_THE_MAILBOX = frozenset(
    {"too_large", "rejected_content", "policy", "sender_not_proven", "not_understood", "sender_refused"}
)
ACTIONS = {
    "failed": EventType.BOUNCED,
    "failure": EventType.BOUNCED,
    "error": EventType.BOUNCED,  # OpenSMTPD's
    "delayed": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "relayed": EventType.DELIVERED,
    "expanded": EventType.DELIVERED,
}
_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
#: How addresses are written where they have signs that reports cannot: RFC 3461, section 4; RFC 6533, section 3.
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UTF8 = re.compile(r"\\x\{([0-9A-Fa-f]{2,5})\}")
#: Where the code says nothing, words do.
_NO_MAILBOX = re.compile(
    r"(?:no such|unknown|invalid|non-?existent) (?:local )?(?:user|recipient|mailbox|address|account)"
    r"|(?:user|recipient|mailbox|address|account)(?: \S{1,80})? (?:is |was )?(?:unknown|not found|not exist|invalid)"
    r"|(?:does not|doesn't|did not) (?:exist|have an? )|no mailbox (?:here )?by that name|mailbox unavailable"
    r"|(?:user|account|mailbox) (?:is |has been )?(?:disabled|deactivated|discontinued|inactive)",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"(?:mailbox|inbox|quota|storage)\b.{0,40}\b(?:full|exceeded|over ?quota)|over ?quota|quota exceeded", re.IGNORECASE
)
_SPAM = re.compile(r"\b(?:spam|blacklist|block ?list|blocked|dnsbl|rbl|content rejected|virus)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of the mail to one recipient."""

    type: EventType
    #: The address as it was known to servers on the way: the original one, the final one. Empty where nobody says.
    recipients: tuple[str, ...] = ()
    #: For bounced: the reason of the catalogue.
    reason: str = "bounced"
    #: Such as "550 5.1.1".
    code: str = ""
    detail: str = ""
    occurred_at: datetime | None = None
    #: False for a refusal of the mail's content or of our sender.
    is_about_mailbox: bool = True


# --- delivery status --------------------------------------------------------------------------------------------------
def delivery_reports(mail: Part) -> list[Report]:
    """One for each recipient a delivery status notification speaks of; none where the mail is no such thing."""
    found = mail.first(*STATUS_TYPES)
    if found is None:
        return []
    blocks = [read_fields(block) for block in re.split(r"\n[ \t]*\n+", found.text(64 * 1024))[: MOST_RECIPIENTS + 1]]
    reports = (_of_recipient(dict(reversed(fields))) for fields in blocks)
    return [each for each in reports if each is not None]


def _of_recipient(fields: dict[str, str]) -> Report | None:
    """None for what is said of the whole mail, and for actions that RFC 3464 does not know."""
    action = re.match(r"[a-z]*", fields.get("action", "").strip().lower())
    type_ = ACTIONS.get(action[0] if action else "")
    if type_ is None:
        return None
    recipients = tuple(
        address
        for name in ("original-recipient", "final-recipient", "x-actual-recipient")
        if (address := typed_address(fields.get(name, "")))
    )
    said = fields.get("diagnostic-code", "").partition(";")[2].strip()
    occurred_at = moment(fields.get("last-attempt-date", ""))
    if type_ is EventType.BOUNCED:
        return failure(status=fields.get("status", ""), said=said, recipients=recipients, occurred_at=occurred_at)
    status = _STATUS.search(fields.get("status", ""))
    detail = f"{status[1] if status else ''} {said[:SAID]}".strip() if type_ is EventType.DEFERRED else ""
    return Report(type=type_, recipients=recipients, detail=detail, occurred_at=occurred_at)


def failure(*, status: str, said: str, recipients: tuple[str, ...] = (), occurred_at: datetime | None = None) -> Report:
    """A mail that came back, by the table of mail servers' replies."""
    code, exact = _code(status, said)
    meaning = _meaning(code, exact, said)
    is_about_us = meaning.outcome is Outcome.MISCONFIGURED or meaning.error_code in NOT_ABOUT_THE_MAILBOX
    told = f"{code} {exact}".strip()
    words = " ".join(said.split())[:SAID] or meaning.sentence
    return Report(
        type=EventType.BOUNCED,
        recipients=recipients,
        reason=meaning.reason if meaning.reason in REASONS else "bounced",
        code=told,
        detail=words if words.startswith(str(code)) else f"{told} {words}",
        occurred_at=occurred_at,
        is_about_mailbox=not is_about_us,
    )


def _code(status: str, said: str) -> tuple[int, str]:
    """The reply's code and its enhanced code. What the last server said is more exact than a status made up later."""
    in_words = _STATUS.search(said)
    in_status = _STATUS.search(status)
    exact = in_status[1] if in_status else ""
    if in_words and in_words[1][0] in "45" and (not exact or exact.endswith(".0.0")):
        exact = in_words[1]
    reply = _CODE.search(said)
    if reply and (not exact or reply[1][0] == exact[0]):
        return int(reply[1]), exact
    return (450 if exact.startswith("4") else 550), exact


def _meaning(code: int, exact: str, said: str) -> Meaning:
    """Codes first, then words: many servers have one code for everything."""
    if exact not in BY_STATUS:
        if exact.startswith("5.7."):
            exact = "5.7.1"
        elif _NO_MAILBOX.search(said):
            code, exact = 550, "5.1.1"
        elif _FULL.search(said):
            code, exact = 552, "5.2.2"
        elif _SPAM.search(said):
            code, exact = 550, "5.7.1"
        elif code in (550, 552, 553):  # on their own they may mean anything
            code = 554
    return meaning_of(Stage.RCPT, code, exact, said)


# --- complaints -------------------------------------------------------------------------------------------------------
def complaint(mail: Part) -> Report | str | None:
    """A person does not want the mail; another kind of feedback by its name; None where it is no feedback."""
    found = mail.first(COMPLAINT_TYPE)
    if found is None:
        return None
    fields = read_fields(found.text(64 * 1024))
    of = dict(reversed(fields))
    kind = of.get("feedback-type", "").lower()[:40]
    if kind not in COMPLAINTS:
        return kind or "without a type"
    recipients = [value for name, value in fields if name in ("original-rcpt-to", "removal-recipient")]
    return Report(
        type=EventType.COMPLAINED,
        recipients=tuple(address for each in recipients[:MOST_RECIPIENTS] if (address := typed_address(each))),
        detail=f"{kind}: {of.get('user-agent', '')[:100]}".removesuffix(": "),
        occurred_at=moment(of.get("arrival-date", "") or of.get("received-date", "")),
    )


# --- values -----------------------------------------------------------------------------------------------------------
def typed_address(value: str) -> str:
    """The address of `rfc822; ann@example.com`; empty where there is none."""
    kind, semicolon, address = value.partition(";")
    if not semicolon:
        kind, address = "rfc822", value
    address = address.strip().strip("<>").strip()
    kind = kind.strip().lower()
    if "@" not in address or " " in address or kind not in ("rfc822", "utf-8", "smtp"):
        return ""
    written = _UTF8 if kind == "utf-8" else _XTEXT
    return written.sub(lambda found: chr(int(found[1], 16)), address)[:254]


def moment(text: str) -> datetime | None:
    """A date as mails have them; None for one that cannot be."""
    try:
        found = parsedate_to_datetime(text[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    now = datetime.now(UTC)
    return found if now - OLDEST < found < now + NEWEST else None
