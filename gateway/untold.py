"""What failed.queue is still to be told: the dead letters, each at least once."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models.functions import Now

from gateway.models import Notification
from gateway.statuses import Status


class GivenUp(NamedTuple):
    """All that failed.queue is told of a dead letter."""

    id: UUID
    #: A code of `reasons.py`.
    reason: str
    channel: str
    correlation_id: str
    #: When it was given up.
    at: datetime
    is_simulated: bool = False


def dead_letters(*, limit: int) -> list[GivenUp]:
    """Dead letters that failed.queue has not been told of, oldest first."""
    untold = Notification.objects.filter(status=Status.FAILED, dead_lettered_at__isnull=True).order_by("updated_at")
    columns = ("pk", "reason", "channel", "correlation_id", "updated_at", "is_simulated")
    return [GivenUp(*row) for row in untold.values_list(*columns)[:limit]]


def mark_told(told: Sequence[GivenUp]) -> int:
    """The broker has them for sure. One that was replayed and given up anew meanwhile is to be told anew."""
    if not told:
        return 0
    untold = Notification.objects.filter(status=Status.FAILED, dead_lettered_at__isnull=True)
    last = max(each.at for each in told)
    return untold.filter(pk__in=[each.id for each in told], updated_at__lte=last).update(dead_lettered_at=Now())
