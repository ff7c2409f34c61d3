"""How full the queues are: in the table, in the broker, and who drains them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from consumers import service_registry
from consumers.brokers.base import Bell, BrokerUnavailable, QueueDepth
from consumers.health_checks import CONSUMERS
from consumers.queues import QUEUE_OF
from gateway.database_clock import database_now
from gateway.models import Notification
from gateway.statuses import Status
from users.channels import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueNumbers:
    """One channel at this moment."""

    queue: str
    #: In the table: due now, to wait, with their hints in the broker, with a consumer, in doubt, given up.
    due: int
    waiting: int
    queued: int
    claimed: int
    sending: int
    unknown: int
    failed: int
    #: How long the oldest that is due or queued has been due.
    oldest: timedelta | None
    #: In the broker; None without one, or when it does not answer.
    broker: QueueDepth | None
    #: Processes that were heard of lately.
    consumers: int


def queue_numbers(bell: Bell | None) -> list[QueueNumbers]:
    """Every channel. Counts rows by their status: with millions of open ones it takes a while."""
    alive = service_registry.alive()
    now = database_now()
    return [_numbers(channel, bell, consumers=alive[CONSUMERS[channel]], now=now) for channel in Channel.values]


def _numbers(channel: str, bell: Bell | None, *, consumers: int, now: datetime) -> QueueNumbers:
    is_due = Q(status=Status.ACCEPTED, available_at__lte=Now())
    rows = Notification.objects.filter(
        channel=channel, status__in=[Status.ACCEPTED, *ON_THE_WAY, *FOR_SOMEBODY], discarded_at__isnull=True
    )
    counts = rows.aggregate(
        due=Count("pk", filter=is_due),
        waiting=Count("pk", filter=Q(status=Status.ACCEPTED, available_at__gt=Now())),
        **{status.value: Count("pk", filter=Q(status=status)) for status in ON_THE_WAY},
        **{status.value: Count("pk", filter=Q(status=status, is_simulated=False)) for status in FOR_SOMEBODY},
        oldest=Min("available_at", filter=is_due | Q(status=Status.QUEUED)),
    )
    oldest = counts.pop("oldest")
    return QueueNumbers(
        queue=QUEUE_OF[Channel(channel)],
        oldest=now - oldest if oldest else None,
        broker=_depth(channel, bell),
        consumers=consumers,
        **counts,
    )


#: Beside what is accepted: with broker or consumer, tests as well; and what waits for somebody, which no test does.
ON_THE_WAY = (Status.QUEUED, Status.CLAIMED, Status.SENDING)
FOR_SOMEBODY = (Status.UNKNOWN, Status.FAILED)


def _depth(channel: str, bell: Bell | None) -> QueueDepth | None:
    if bell is None:
        return None
    try:
        return bell.depth(channel)
    except BrokerUnavailable:
        return None
