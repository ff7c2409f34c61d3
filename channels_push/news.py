"""Later news about pushes, in our words: from apps and browsers that report back, and from OneSignal."""

import hashlib
from collections.abc import Mapping
from typing import Any

from channels_push.receipts import ReceiptForged, read_receipt
from gateway import tracking
from gateway.channel_contract import EventType, ProviderNews

#: What an app or a browser may report.
REPORTS = {"delivered": EventType.DELIVERED, "opened": EventType.OPENED, "clicked": EventType.CLICKED}
#: What OneSignal calls the same: its event webhooks for the web, its event streams.
ONESIGNAL_EVENTS = {
    "notification.displayed": EventType.DELIVERED,
    "notification.clicked": EventType.CLICKED,
    "message.push.received": EventType.DELIVERED,
    "message.push.clicked": EventType.CLICKED,
}


def record_report(*, receipt: str, event: str) -> None:
    """What a device says of a push it has. Repeats do nothing. Raises `ReceiptForged`."""
    _record("device", receipt, REPORTS[event])


def record_onesignal_news(body: Mapping[str, Any]) -> bool:
    """False for what is no news to us: another event, or a push that is not ours. Repeats do nothing."""
    type_ = ONESIGNAL_EVENTS.get(str(body.get("event")))
    data = body.get("data")
    receipt = data.get("receipt") if isinstance(data, Mapping) else None
    if type_ is None or not isinstance(receipt, str):
        return False
    try:
        _record("onesignal", receipt, type_)
    except ReceiptForged:
        return False
    return True


def _record(provider: str, receipt: str, type_: EventType) -> None:
    proof = read_receipt(receipt)
    name = hashlib.sha256(receipt.encode()).hexdigest()
    news = ProviderNews(
        provider=provider,
        event_id=f"{name}:{type_.value}",
        notification_id=proof.notification_id,
        type=type_,
        is_from_device=True,
    )
    tracking.record_news([news])
