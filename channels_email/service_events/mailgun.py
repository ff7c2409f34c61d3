"""Mailgun: documentation.mailgun.com/docs/mailgun/user-manual/events"""

from collections.abc import Mapping
from typing import Any

from channels_email.service_events.meaning import (
    BOUNCED,
    CONTENT,
    REJECTED,
    UNKNOWN,
    Meanings,
    dropped_as_unsubscribed,
    part,
    reason_of,
    returned,
    text,
)

#: `reason` of a permanent failure; those not named are told by the code of the server.
MAILGUN_REASONS = {
    "suppress-bounce": UNKNOWN,
    "suppress-complaint": REJECTED,
    "espblock": CONTENT,
    "old": BOUNCED,  # given up after many tries
}


def of_mailgun(event: Mapping[str, Any]) -> Meanings | None:
    """`failed` with severity `temporary` is tried again; a permanent one may still be about the words."""
    data = part(event, "event-data")
    if data.get("event") != "failed" or data.get("severity") == "temporary":
        return None
    reason, status = text(data, "reason"), part(data, "delivery-status")
    if reason == "suppress-unsubscribe":
        return dropped_as_unsubscribed()
    code = status.get("code")
    for_good = isinstance(code, int) and 500 <= code < 600 and status.get("bounce-type") != "soft"
    words = f"{text(status, 'enhanced-code')} {text(status, 'message')}"
    return returned(MAILGUN_REASONS.get(reason) or reason_of(words, for_good=for_good))
