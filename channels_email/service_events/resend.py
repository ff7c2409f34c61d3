"""Resend: resend.com/docs/webhooks/event-types"""

from collections.abc import Mapping
from typing import Any

from channels_email.service_events.amazon_ses import by_ses
from channels_email.service_events.meaning import FULL, REJECTED, UNKNOWN, Meanings, part, reason_of, returned, text


def of_resend(event: Mapping[str, Any]) -> Meanings | None:
    """Bounces as Amazon SES classes them; older posts only have the words."""
    kind, data = event.get("type"), part(event, "data")
    if kind == "email.bounced":
        bounce = part(data, "bounce")
        words = text(bounce, "message")
        if bounce.get("type"):
            return returned(by_ses(bounce, "type", "subType", words))
        is_full = "inbox was full" in words
        for_good = "hard bounce" in words or "suppressed sending" in words
        return returned(FULL if is_full else reason_of(words, for_good=for_good))
    if kind == "email.suppressed":
        return returned(UNKNOWN)
    if kind == "email.failed":
        return returned(REJECTED)
    return None
