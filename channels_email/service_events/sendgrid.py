"""SendGrid: twilio.com/docs/sendgrid/for-developers/tracking-events/event"""

from collections.abc import Mapping
from typing import Any

from channels_email.service_events.meaning import (
    BOUNCED,
    CONTENT,
    REJECTED,
    UNKNOWN,
    Meanings,
    dropped_as_unsubscribed,
    reason_of,
    returned,
    text,
)

#: `bounce_classification`; those not named are told by the status code.
SENDGRID_CLASSES = {"content": CONTENT, "reputation": CONTENT, "technical": BOUNCED, "frequency or volume": BOUNCED}
#: `reason` of what was dropped unsent; those not named are SendGrid's or ours, such as an empty quota.
SENDGRID_DROPS = {"bounced address": UNKNOWN, "invalid": UNKNOWN, "spam content": CONTENT}


def of_sendgrid(event: Mapping[str, Any]) -> Meanings | None:
    """A `bounce` of type `blocked` is for now: SendGrid itself goes on using the address."""
    words = text(event, "reason")
    if event.get("event") == "bounce":
        own = SENDGRID_CLASSES.get(text(event, "bounce_classification").lower())
        for_good = event.get("type") != "blocked"
        return returned(own or reason_of(f"{text(event, 'status')} {words}", for_good=for_good))
    if event.get("event") == "dropped":
        if words.lower() == "unsubscribed address":
            return dropped_as_unsubscribed()
        return returned(SENDGRID_DROPS.get(words.lower(), REJECTED))
    return None
