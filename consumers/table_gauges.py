"""Gauges read from tables when somebody asks for them: what relay and sweeper do shows here, they answer at no port.

Every question is led by a partial index over open rows, and no count goes further than `MOST`.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import structlog
from django.db import Error as DatabaseTrouble
from django.db.models import Count, F, Max, Min, QuerySet
from django.db.models.functions import Now
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from consumers.models import ServiceInstance
from consumers.queues import QUEUE_OF
from gateway import metrics, priorities, provider_states
from gateway.database_clock import database_now
from gateway.metrics import family
from gateway.models import Notification, StatusCallback
from gateway.statuses import HELD, Status
from users.channels import Channel

log = structlog.stdlib.get_logger(__name__)

#: A count that is higher is shown as this.
MOST = 10_000
#: However often somebody asks, the tables are asked no more often.
KEPT_FOR = timedelta(seconds=5)
#: The states a breaker may be in, the operator's will included.
BREAKER_STATES = ("closed", "half_open", "open")

Families = list[GaugeMetricFamily]


class TableGauges(Collector):
    """All of them. One instance per process; threads that ask at the same time share one answer."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._families: Families = []

    def collect(self) -> Iterable[Metric]:
        """None while the database is away: what is not known is not told."""
        with self._lock:
            now = self._clock()
            if self._read_at is None or now - self._read_at >= KEPT_FOR.total_seconds():
                self._families = self._read()
                self._read_at = self._clock()
            return self._families

    def describe(self) -> Iterable[Metric]:
        """Nothing: else the registry would ask the tables when it is made."""
        return ()

    def _read(self) -> Families:
        try:
            return [*queues(), *doubts_and_dead_letters(), callbacks_pending(), breakers(), heartbeats()]
        except DatabaseTrouble as error:
            log.warning("Gauges could not be read.", action="metrics", detail=type(error).__name__)
            return []


def queues() -> Iterator[GaugeMetricFamily]:
    """How full each is, and how old its oldest."""
    messages, ages = family(metrics.QUEUE_MESSAGES), family(metrics.QUEUE_OLDEST_AGE)
    outbox = family(metrics.OUTBOX_OLDEST_AGE)
    now = database_now()
    untaken: list[datetime] = []
    for channel in Channel.values:
        queue = QUEUE_OF[Channel(channel)]
        # Channel and priority are named, so that the index `due` leads straight to these.
        accepted = Notification.objects.filter(
            channel=channel, status=Status.ACCEPTED, priority__in=range(priorities.MOST + 1)
        )
        due, due_since = _many_and_oldest(accepted.filter(available_at__lte=Now()))
        queued, queued_since = _many_and_oldest(Notification.objects.filter(channel=channel, status=Status.QUEUED))
        waiting = counted(accepted.filter(available_at__gt=Now()))
        sending = counted(Notification.objects.filter(channel=channel, status__in=HELD))
        for state, many in {"due": due, "waiting": waiting, "queued": queued, "sending": sending}.items():
            messages.add_metric([queue, state], many)
        ages.add_metric([queue], _age([*due_since, *queued_since], now))
        untaken += due_since
    outbox.add_metric([], _age(untaken, now))
    yield from (messages, ages, outbox)


def _many_and_oldest(rows: QuerySet[Notification]) -> tuple[int, list[datetime]]:
    """How many, at most `MOST`, and since when the oldest of these has been due: the most urgent come first."""
    some = rows.order_by().values("available_at")[:MOST]
    found = some.aggregate(many=Count("available_at"), oldest=Min("available_at"))
    return found["many"], [found["oldest"]] if found["oldest"] else []


def doubts_and_dead_letters() -> Iterator[GaugeMetricFamily]:
    """What waits for somebody; tests wait for nobody."""
    dead, doubts = family(metrics.DEAD_LETTERS), family(metrics.OUTCOMES_UNKNOWN)
    for channel in Channel.values:
        real = Notification.objects.real().filter(channel=channel)
        dead.add_metric([channel], counted(real.dead_letters()))
        doubts.add_metric([channel], counted(real.filter(status=Status.UNKNOWN)))
    yield from (dead, doubts)


def callbacks_pending() -> GaugeMetricFamily:
    """What clients have not been told yet."""
    found = family(metrics.CALLBACKS_PENDING)
    found.add_metric([], counted(StatusCallback.objects.filter(state=StatusCallback.State.PENDING)))
    return found


def breakers() -> GaugeMetricFamily:
    """Every provider in use."""
    found = family(metrics.BREAKER_STATE)
    for each in provider_states.read_all():
        for state in BREAKER_STATES:
            found.add_metric([each.channel, each.provider, state], state == each.word)
    return found


def heartbeats() -> GaugeMetricFamily:
    """Who was heard of, and when. Those that said goodbye are left out."""
    found = family(metrics.HEARTBEAT)
    alive = ServiceInstance.objects.exclude(state=ServiceInstance.State.STOPPED)
    for role, at in alive.values_list("role").annotate(at=Max("heartbeat_at")).order_by(F("role")):
        found.add_metric([role], at.timestamp())
    return found


def counted(rows: QuerySet[Notification] | QuerySet[StatusCallback]) -> int:
    """How many, at most `MOST`."""
    return rows.order_by().values("pk")[:MOST].count()


def _age(since: list[datetime], now: datetime) -> float:
    return max(0.0, (now - min(since)).total_seconds()) if since else 0.0
