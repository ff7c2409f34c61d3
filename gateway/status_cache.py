"""Where ended notifications are, as readers told the shared cache: clients that ask again need no database.

Only what has ended is kept: nothing else stays true for a minute. Whoever reads an end from the table writes it here;
whoever changes one (a late bounce, a replay) leaves a mark after the commit. Workers that bring an end about write
nothing: most notifications nobody asks about, and of what was open nothing is kept that could be wrong.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from gateway import statuses
from gateway.models import Notification
from gateway.statuses import Change, Status
from users import shared_cache
from users.shared_cache import Slot

KEPT_FOR = timedelta(seconds=60)
#: With these a notification has ended, or will have as soon as the provider has nothing more to report.
ENDS = statuses.FINAL | {Status.SENT}
_MOMENTS = ("available_at", "updated_at", "sent_at", "delivered_at", "expires_at")
#: All that the short answer is made of, and whose it is.
_FIELDS = (
    *("id", "client", "mode", "request_id", "channel", "status", "reason", "reason_data", "attempt_count"),
    *("provider", "awaits_news", "is_simulated", "possible_duplicate", "complained"),
    *_MOMENTS,
)


def may_be_kept(change: Change) -> bool:
    """Whether what a change comes from may have been kept as an end."""
    return not ENDS.isdisjoint(change.sources)


def mark_on_commit(ids: Collection[UUID]) -> None:
    """These were changed though they had ended: what was read before counts no more once others can see the change."""
    if settings.REDIS_URL and ids:
        # No partial: Django asks what fails for its __qualname__, and a partial has none.
        transaction.on_commit(lambda: _mark(ids), robust=True)


def _mark(ids: Collection[UUID]) -> None:
    shared_cache.mark_changed([_name(pk) for pk in ids], kept_for=KEPT_FOR)


def find(pk: UUID, *, client: str, mode: str) -> tuple[Notification | None, Slot]:
    """An ended notification with all that the short answer needs, if it is kept and theirs; and where to keep it."""
    slot = shared_cache.look_up(_name(pk))
    kept = slot.value
    if kept is None or (kept["client"], kept["mode"]) != (client, mode):
        return None, slot
    moments = {name: kept[name] and datetime.fromisoformat(kept[name]) for name in _MOMENTS}
    return Notification(**kept | moments | {"id": pk}), slot


def keep(slot: Slot, row: Notification) -> None:
    """What was just read, if it has ended."""
    if has_ended(row):
        shared_cache.keep(slot, _to_keep(row), ttl=KEPT_FOR)


def has_ended(row: Notification) -> bool:
    """Nothing but a late bounce or an operator changes it any more."""
    return row.status in statuses.FINAL or (row.status == Status.SENT and not row.awaits_news)


def _to_keep(row: Notification) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _FIELDS}


def _name(pk: UUID) -> str:
    return f"status:{pk}"
