"""Services whose events have one field with all that counts: Mailjet, SparkPost, Mailtrap, Mandrill."""

from collections.abc import Mapping
from typing import Any

from channels_email.service_events.meaning import (
    BOUNCED,
    CONTENT,
    FULL,
    REJECTED,
    UNKNOWN,
    Meaning,
    Meanings,
    part,
    reason_of,
    returned,
    text,
)
from gateway.channel_contract import EventType

#: Mailjet's `error` (dev.mailjet.com/email/guides/webhooks); those not named are told by the status code.
MAILJET_ERRORS = {
    "user unknown": UNKNOWN,
    "mailbox inactive": UNKNOWN,
    "invalid domain": UNKNOWN,
    "no mail host": UNKNOWN,
    "quota exceeded": FULL,
    "relay/access denied": BOUNCED,
    "sender blocked": CONTENT,
    "content blocked": CONTENT,
    "policy issue": CONTENT,
    # What Mailjet itself did not send.
    "blacklisted": REJECTED,
    "spam reporter": REJECTED,
    "preblocked": REJECTED,
    "duplicate in campaign": REJECTED,
    "typofix": REJECTED,
}
#: SparkPost's `bounce_class` (sparkpost.com/docs/deliverability/bounce-classification-codes); the same.
SPARKPOST_CLASSES = {
    "10": UNKNOWN,  # invalid recipient
    "30": UNKNOWN,  # no such recipient
    "22": FULL,
    "23": REJECTED,  # too large
    "25": REJECTED,  # by SparkPost's own rules, such as its suppression list
    "50": CONTENT,
    "51": CONTENT,
    "52": CONTENT,
    "53": CONTENT,  # an attachment
    "54": REJECTED,  # relaying denied
}
#: Mailtrap's `bounce_category` (docs.mailtrap.io, Email API/SMTP, Webhooks); the same.
MAILTRAP_CATEGORIES = {
    "badmailbox": UNKNOWN,
    "baddomain": UNKNOWN,
    "full": FULL,
    "spam": CONTENT,
    "blocklisted": CONTENT,
}
#: Mandrill's `msg.bounce_description` (mailchimp.com/developer/transactional/docs/reputation-rejections).
MANDRILL_BOUNCES = {"bad_mailbox": UNKNOWN, "invalid_domain": UNKNOWN, "mailbox_full": FULL}


def of_mailjet(event: Mapping[str, Any]) -> Meanings | None:
    """`blocked` and `bounce` differ in who stopped it; `error` says more."""
    own = MAILJET_ERRORS.get(text(event, "error"))
    if event.get("event") not in ("bounce", "blocked") or text(event, "error") == "greylisted":
        return None
    if event.get("event") == "bounce" and own == UNKNOWN and not event.get("hard_bounce"):
        own = BOUNCED
    if own is None and event.get("event") == "blocked":
        own = REJECTED
    return returned(own or reason_of(text(event, "comment"), for_good=bool(event.get("hard_bounce"))))


def of_sparkpost(event: Mapping[str, Any]) -> Meanings | None:
    """Bounces, told by the server at once or out of band later."""
    said: Mapping[str, Any] = next(iter(event["msys"].values()))
    if said.get("type") not in ("bounce", "out_of_band") or said.get("bounce_class") in ("60", "80", "90", "100"):
        return None  # an answer by a robot, or a subscription: as Anymail says
    own = SPARKPOST_CLASSES.get(text(said, "bounce_class"))
    return returned(own or reason_of(text(said, "raw_reason"), for_good=False))


def of_mailtrap(event: Mapping[str, Any]) -> Meanings | None:
    """`soft bounce` and `suspension` are tried again."""
    if event.get("event") != "bounce":
        return None
    own = MAILTRAP_CATEGORIES.get(text(event, "bounce_category"))
    return returned(own or reason_of(text(event, "response"), for_good=True))


def of_mandrill(event: Mapping[str, Any]) -> Meanings | None:
    """A soft bounce is final too: Mandrill has tried for long. Anymail does not know `delivered`."""
    kind, mail = event.get("event"), part(event, "msg")
    if kind == "delivered":
        return (Meaning(EventType.DELIVERED),)
    if kind not in ("hard_bounce", "soft_bounce"):
        return None
    own = MANDRILL_BOUNCES.get(text(mail, "bounce_description"))
    if kind == "soft_bounce" and own == UNKNOWN:
        own = BOUNCED
    return returned(own or reason_of(text(mail, "diag"), for_good=kind == "hard_bounce"))
