"""Hints the broker has lost: their rows are opened again, and the relay rings once more.

At worst a hint comes twice; the second one cannot be claimed and is dropped. So a guess is good enough here, as long as
it errs little: the broker does not tell which hints it holds, only how many are ready.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db.models import Count, Q
from django.db.models.functions import Now

from consumers.brokers.base import Bell, BrokerUnavailable
from gateway import outbox
from gateway.models import Notification
from gateway.time_scale import scaled

log = structlog.stdlib.get_logger(__name__)

#: Younger hints may still be on their way to the broker.
SETTLED_AFTER = scaled(timedelta(seconds=2))
#: A consumer that lives has come to a hint it fetched ahead by then. If it has not, a second hint does no harm.
FETCHED_FOR = scaled(timedelta(seconds=10))
#: So many times in a row hints must be missing: numbers of two servers, read one after the other, may disagree.
TIMES_IN_A_ROW = 3


class MissingHints:
    """The sweeper's chore; asked about once a second."""

    def __init__(self, bell: Bell, *, channels: Sequence[str], prefetch: int, limit: int) -> None:
        self._bell = bell
        self._channels = channels
        #: What one consumer fetches ahead.
        self._prefetch = prefetch
        self._limit = limit
        self._seen_in_a_row: defaultdict[str, int] = defaultdict(int)

    def reopen(self) -> int:
        """Returns how many rows. While the broker is away nothing is missing: its queues outlive a restart."""
        return outbox.reopen_forgotten(limit=self._limit) + sum(map(self._reopen, self._channels))

    def _reopen(self, channel: str) -> int:
        try:
            missing = self.missing(channel)
        except BrokerUnavailable:
            self._seen_in_a_row[channel] = 0
            return 0
        self._seen_in_a_row[channel] = self._seen_in_a_row[channel] + 1 if missing > 0 else 0
        if self._seen_in_a_row[channel] < TIMES_IN_A_ROW:
            return 0
        self._seen_in_a_row[channel] = 0
        log.warning("Hints are missing in the broker; they are sent again.", action="reopen", missing=missing)
        return outbox.reopen_oldest(channel=channel, limit=min(missing, self._limit))

    def missing(self, channel: str) -> int:
        """How many hints are neither in the queue nor, as far as one can tell, with a consumer."""
        # The queue first: a hint fetched and claimed in between is then counted nowhere, instead of twice.
        depth = self._bell.depth(channel)
        settled, old = _queued_for(channel, SETTLED_AFTER, FETCHED_FOR)
        fetched = min(settled - old, depth.consumers * self._prefetch)
        return settled - depth.ready - fetched


def _queued_for(channel: str, *ages: timedelta) -> list[int]:
    """How many rows have been queued for longer than each of these."""
    counts = {f"longer_{n}": Count("pk", filter=Q(published_at__lte=Now() - age)) for n, age in enumerate(ages)}
    found = Notification.objects.hinted(longer_than=min(ages)).filter(channel=channel).aggregate(**counts)
    return [found[name] for name in counts]
