"""What the replies of mail servers mean (RFC 5321, enhanced codes of RFC 3463). Values in, value out.

The first digit of the code decides between "later" and "never"; the enhanced code says more, where it does not
contradict. What is in no table is transient for 4xx, permanent for 5xx.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.channel_contract import Outcome, SendResult
from users.masking import mask_text


class Stage(StrEnum):
    """What the reply answers."""

    CONNECT = "connect"
    HELLO = "hello"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    #: The whole message.
    DOT = "dot"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One row of the tables."""

    outcome: Outcome
    error_code: str
    sentence: str
    reason: str = "rejected"


_T, _P, _M = Outcome.TRANSIENT, Outcome.PERMANENT, Outcome.MISCONFIGURED
_UNKNOWN = Meaning(_P, "mailbox_unknown", "There is no such mailbox.", "mailbox_unknown")
_NO_DOMAIN = Meaning(_P, "domain_unknown", "The domain of the address takes no mail.", "mailbox_unknown")
_NO_ADDRESS = Meaning(_P, "address_refused", "The mail server does not take this address.", "mailbox_unknown")
_DISABLED = Meaning(_P, "mailbox_disabled", "The mailbox is switched off.", "mailbox_unknown")
_FULL = Meaning(_P, "mailbox_full", "The mailbox is full.", "mailbox_full")
_FULL_NOW = Meaning(_T, "mailbox_full", "The mailbox is full at the moment.", "mailbox_full")
_TOO_LARGE = Meaning(_P, "too_large", "The mail is larger than the mail server takes.")
_CONTENT = Meaning(_P, "rejected_content", "The mail server refused the content.", "rejected_content")
_POLICY = Meaning(_P, "policy", "The mail server's rules do not allow this mail.", "rejected_content")
_NOT_PROVEN = Meaning(_P, "sender_not_proven", "The mail server does not believe that the mail is from our domain.")
_SENDER = Meaning(_M, "sender_refused", "The mail server refuses our sender address.")
_RELAY = Meaning(_M, "relay_denied", "The mail server does not pass mail on for us.")
_LOGIN_NEEDED = Meaning(_M, "login_needed", "The mail server wants us to sign in.")
_LOGIN_WRONG = Meaning(_M, "login_refused", "The mail server refused our name or password.")
_TLS_NEEDED = Meaning(_M, "tls_needed", "The mail server wants an encrypted connection.")
_SYNTAX = Meaning(_P, "not_understood", "The mail server did not understand us.")
_BUSY = Meaning(_T, "mailbox_busy", "The mailbox takes nothing at the moment.")
_GREYLISTED = Meaning(_T, "greylisted", "The mail server wants us to try again later.")
_NO_ROOM = Meaning(_T, "server_full", "The mail server has no room at the moment.")
_CLOSING = Meaning(_T, "server_closing", "The mail server is closing the connection.")
_TROUBLE = Meaning(_T, "server_trouble", "The mail server has trouble at the moment.")
_NETWORK = Meaning(_T, "network_trouble", "The mail server cannot reach the receiver at the moment.")
_TOO_FAST = Meaning(Outcome.THROTTLED, "too_fast", "The mail server wants fewer mails at a time.")
_LATER = Meaning(_T, "refused_for_now", "The mail server refused for now.")
_NEVER = Meaning(_P, "refused", "The mail server refused.")

#: By enhanced status code.
BY_STATUS: dict[str, Meaning] = {
    "4.2.1": _BUSY,
    "4.2.2": _FULL_NOW,
    "4.3.1": _NO_ROOM,
    "4.3.2": _CLOSING,
    "4.4.1": _NETWORK,
    "4.4.2": _NETWORK,
    "4.4.3": _NETWORK,
    "4.4.4": _NETWORK,
    "4.7.1": _GREYLISTED,
    "4.7.28": _TOO_FAST,  # Google's
    "5.1.0": _NO_ADDRESS,
    "5.1.1": _UNKNOWN,
    "5.1.2": _NO_DOMAIN,
    "5.1.3": _NO_ADDRESS,
    "5.1.6": _UNKNOWN,
    "5.1.7": _SENDER,
    "5.1.8": _SENDER,
    "5.1.10": _NO_DOMAIN,
    "5.2.1": _DISABLED,
    "5.2.2": _FULL,
    "5.2.3": _TOO_LARGE,
    "5.3.4": _TOO_LARGE,
    "5.4.1": _UNKNOWN,  # Exchange says so of mailboxes it does not know
    "5.4.4": _NO_DOMAIN,
    "5.7.0": _POLICY,
    "5.7.1": _POLICY,
    "5.7.8": _LOGIN_WRONG,
    "5.7.20": _NOT_PROVEN,
    "5.7.21": _NOT_PROVEN,
    "5.7.22": _NOT_PROVEN,
    "5.7.23": _NOT_PROVEN,
    "5.7.24": _NOT_PROVEN,
    "5.7.25": _NOT_PROVEN,
    "5.7.26": _NOT_PROVEN,
}
#: By code, where the enhanced code says nothing; a stage makes it more exact.
BY_CODE: dict[int | tuple[int, Stage], Meaning] = {
    421: _CLOSING,
    450: _BUSY,
    451: _TROUBLE,
    (451, Stage.RCPT): _GREYLISTED,
    452: _NO_ROOM,
    454: _TROUBLE,
    455: _TROUBLE,
    500: _SYNTAX,
    501: _SYNTAX,
    502: _SYNTAX,
    503: _SYNTAX,
    504: _SYNTAX,
    521: _NO_DOMAIN,
    550: _CONTENT,
    (550, Stage.RCPT): _UNKNOWN,
    551: _UNKNOWN,
    552: _TOO_LARGE,
    (552, Stage.RCPT): _FULL,
    553: _NO_ADDRESS,
    554: _CONTENT,
    (554, Stage.RCPT): _NEVER,
    556: _NO_DOMAIN,
}
#: These are about us, whatever the enhanced code says.
ABOUT_US: dict[int, Meaning] = {
    523: _TLS_NEEDED,
    530: _LOGIN_NEEDED,
    534: _LOGIN_WRONG,
    535: _LOGIN_WRONG,
    538: _TLS_NEEDED,
}
#: No mail is spoken of yet.
_OPENING = (Stage.CONNECT, Stage.HELLO, Stage.STARTTLS)
#: A refusal of MAIL is about our sender, but for these.
_NOT_THE_SENDER = frozenset({500, 502, 503, 504, 552, 555})
#: Not the name of a host that is called relay.
_RELAY_WORDS = re.compile(
    r"\brelay(?:ing)?\b[^.]{0,20}\b(?:denied|prohibited|not (?:permitted|allowed))|\bto relay\b", re.IGNORECASE
)
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
#: The server's name for the message, in the words of Postfix, Exim, Sendmail and others.
_QUEUE_ID = re.compile(r"\b(?:queued as|id=|queued mail for delivery|Message accepted)\s*<?([\w.-]{3,})", re.IGNORECASE)


def is_yes(code: int) -> bool:
    """2xx."""
    return 200 <= code < 300


def accepted(words: str) -> SendResult:
    """The server took responsibility."""
    found = _QUEUE_ID.search(words)
    return SendResult(outcome=Outcome.ACCEPTED, provider_message_id=found[1] if found else "")


def refused(stage: Stage, code: int, words: str) -> SendResult:
    """What a refusal means for one message. `words` are the server's, with the enhanced code before them."""
    status, said = _taken_apart(words)
    meaning = meaning_of(stage, code, status, said)
    return SendResult(
        outcome=meaning.outcome,
        error_code=meaning.error_code,
        provider_code=f"{code} {status}".strip(),
        detail=f"{meaning.sentence} It said: {mask_text(said)}" if said else meaning.sentence,
        reason=meaning.reason,
    )


def meaning_of(stage: Stage, code: int, status: str, said: str = "") -> Meaning:
    """The row of the tables that fits best."""
    if code in ABOUT_US:
        is_about_tls = "tls" in said.lower() and code == 530
        return _TLS_NEEDED if is_about_tls else ABOUT_US[code]
    is_never = code >= 500
    if stage is Stage.AUTH:
        return _LOGIN_WRONG if is_never else _TROUBLE
    if stage in _OPENING:
        return _NEVER if is_never else _LATER
    known = BY_STATUS.get(status) if status[:1] == str(code)[0] else None
    if stage is Stage.MAIL and is_never and known is not _TOO_LARGE and code not in _NOT_THE_SENDER:
        return _SENDER
    if stage is Stage.RCPT and is_never and _RELAY_WORDS.search(said):
        return _RELAY
    return known or BY_CODE.get((code, stage)) or BY_CODE.get(code) or (_NEVER if is_never else _LATER)


def _taken_apart(words: str) -> tuple[str, str]:
    """The enhanced code, and what is said, on one line."""
    status, said = "", []
    for line in words.splitlines():
        found = _STATUS.match(line)
        if found:
            status = status or found[1]
            line = line[found.end() :]
        said.append(line.strip())
    return status, " ".join(said).strip()
