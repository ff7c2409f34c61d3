"""Brevo: developers.brevo.com/docs/transactional-webhooks"""

from collections.abc import Mapping
from typing import Any

from channels_email.service_events.meaning import REJECTED, UNKNOWN, Meaning, Meanings, reason_of, returned, text
from gateway.channel_contract import EventType

BREVO_RETURNS = {"blocked": REJECTED, "invalid_email": UNKNOWN, "invalid": UNKNOWN, "error": REJECTED}


def of_brevo(event: Mapping[str, Any]) -> Meanings | None:
    """`blocked` was not even sent: the address is on Brevo's list, for whatever reason."""
    kind = text(event, "event")
    if kind in ("hard_bounce", "soft_bounce"):
        return returned(reason_of(text(event, "reason"), for_good=kind == "hard_bounce"))
    if kind == "unsubscribed":  # Anymail knows it as `unsubscribe`
        return (Meaning(EventType.UNSUBSCRIBED),)
    return returned(BREVO_RETURNS[kind]) if kind in BREVO_RETURNS else None
