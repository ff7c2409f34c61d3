"""What an event of a mail service says, in our words, and how its words are read. Shared by the tables."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels_email.smtp_replies import BY_STATUS
from gateway.channel_contract import EventType

UNKNOWN, FULL, CONTENT, BOUNCED, REJECTED = (
    *("mailbox_unknown", "mailbox_full", "rejected_content", "bounced", "rejected"),
)
#: Not within the address of a server.
_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\d|\.\d)")
#: A reply code (RFC 5321), an enhanced one, or both.
_CODE = re.compile(
    r"(?<![\w.:])(?:[45]\d\d(?:[ -][45]\.\d{1,3}\.\d{1,3})?|[45]\.\d{1,3}\.\d{1,3})(?!\w|[.:]\d)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one event says. `reason` is of the catalogue, for what came back."""

    type: EventType
    reason: str = BOUNCED


Meanings = tuple[Meaning, ...]


def reason_of(words: str, *, for_good: bool) -> str:
    """By the enhanced status code in the words (RFC 3463), where it says that it is not the mailbox that is gone:
    it is full, the mail's words or size were refused, or our own sender."""
    found = _STATUS.search(words)
    known = BY_STATUS.get(f"5{found[0][1:]}") if found else None
    if known is not None and known.reason != UNKNOWN:
        return known.reason
    return UNKNOWN if for_good else BOUNCED


def code_in(words: str) -> str:
    """The server's code in its words, such as 550 5.1.1; empty where there is none."""
    found = _CODE.search(words)
    return " ".join(found[0].replace("-", " ").split()) if found else ""


def returned(reason: str) -> Meanings:
    """It did not arrive."""
    return (Meaning(EventType.BOUNCED, reason),)


def dropped_as_unsubscribed() -> Meanings:
    """The service did not send it, as the person has unsubscribed there."""
    return (*returned(REJECTED), Meaning(EventType.UNSUBSCRIBED))


def part(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What is nested in an event; empty where there is none."""
    found = event.get(name)
    return found if isinstance(found, Mapping) else {}


def text(event: Mapping[str, Any], name: str) -> str:
    """A text of an event; empty where there is none."""
    return str(event.get(name) or "")
