"""Postmark: postmarkapp.com/developer/api/bounce-api, Bounce types"""

from collections.abc import Mapping
from typing import Any

from channels_email.service_events.meaning import (
    BOUNCED,
    CONTENT,
    REJECTED,
    UNKNOWN,
    Meanings,
    reason_of,
    returned,
    text,
)

#: `Type` of a bounce; those not named are no news, or told by Anymail.
POSTMARK_BOUNCES = {
    "BadEmailAddress": UNKNOWN,
    "SpamNotification": CONTENT,  # the server called it spam; a person who does so is a SpamComplaint
    "VirusNotification": CONTENT,
    "Blocked": CONTENT,  # "blocked from this ISP due to content or blacklisting"
    "DMARCPolicy": REJECTED,
    "ManuallyDeactivated": REJECTED,
    "Unconfirmed": REJECTED,
    "SMTPApiError": REJECTED,
    "TemplateRenderingFailed": REJECTED,
    "Unknown": BOUNCED,
}


def of_postmark(event: Mapping[str, Any]) -> Meanings | None:
    """Bounces by their type. A subscription changes also by a bounce or complaint, which are told by themselves, and
    when our own people switch it off at Postmark, which is nobody's wish."""
    kind, words = text(event, "Type"), f"{text(event, 'Details')} {text(event, 'Description')}"
    if event.get("RecordType") == "SubscriptionChange":
        is_wish = event.get("Origin", "Recipient") == "Recipient"
        return None if is_wish and event.get("SuppressionReason") in (None, "ManualSuppression") else ()
    if event.get("RecordType") != "Bounce":
        return None
    if kind in ("HardBounce", "SoftBounce"):
        return returned(reason_of(words, for_good=kind == "HardBounce"))
    return returned(POSTMARK_BOUNCES[kind]) if kind in POSTMARK_BOUNCES else None
