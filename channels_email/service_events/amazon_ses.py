"""Amazon SES: docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"""

from collections.abc import Mapping
from typing import Any

from channels_email.service_events.meaning import (
    CONTENT,
    FULL,
    REJECTED,
    UNKNOWN,
    Meaning,
    Meanings,
    dropped_as_unsubscribed,
    part,
    reason_of,
    returned,
    text,
)
from gateway.channel_contract import EventType

#: `bounceSubType` of a bounce, and Resend's `subType`, which are the same; those not named are told by `bounceType`.
SES_SUBTYPES = {
    "Suppressed": UNKNOWN,
    "OnAccountSuppressionList": UNKNOWN,
    "MailboxFull": FULL,
    "ContentRejected": CONTENT,
    "AttachmentRejected": CONTENT,
    "MessageTooLarge": REJECTED,
}


def of_amazon_ses(event: Mapping[str, Any]) -> Meanings | None:
    """Bounces by type and subtype; `Undetermined` is for now. What Anymail does not know: delays, subscriptions."""
    kind = event.get("eventType") or event.get("notificationType")
    if kind == "Bounce":
        bounce = part(event, "bounce")
        if bounce.get("bounceSubType") == "UnsubscribedRecipient":
            return dropped_as_unsubscribed()
        said = [f"{text(each, 'status')} {text(each, 'diagnosticCode')}" for each in bounce["bouncedRecipients"]]
        return returned(by_ses(bounce, "bounceType", "bounceSubType", " ".join(said)))
    if kind == "Reject":  # it found a virus
        return returned(CONTENT)
    if kind == "DeliveryDelay":
        return (Meaning(EventType.DEFERRED),)
    if kind == "Subscription":
        now = part(part(event, "subscription"), "newTopicPreferences")
        return (Meaning(EventType.UNSUBSCRIBED),) if now.get("unsubscribeAll") else ()
    return None


def by_ses(bounce: Mapping[str, Any], kind: str, subtype: str, words: str) -> str:
    """The reason of a bounce that is classed as Amazon does; `kind` and `subtype` name where it says so."""
    own = SES_SUBTYPES.get(text(bounce, subtype))
    return own or reason_of(words, for_good=bounce.get(kind) == "Permanent")
