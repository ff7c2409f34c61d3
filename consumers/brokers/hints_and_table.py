"""RabbitMQ's hints, and a look into the table where they would be late.

A queue is first in, first out: an urgent hint would wait behind all that was queued before it. And hints do not come at
all while the broker is away, or takes none (a memory alarm), or no relay runs. The row is the truth, so nobody has to
wait for its doorbell.
"""

from datetime import timedelta
from uuid import UUID

from consumers.brokers.base import Batch, Broker, BrokerUnavailable
from gateway import outbox

#: A relay that lives and is heard has come to a due row by then.
OVERDUE_AFTER = timedelta(seconds=5)


class HintsAndTable:
    """Implements `consumers.brokers.base.Broker` around another one."""

    def __init__(self, hints: Broker, channel: str) -> None:
        self._hints = hints
        self._channel = channel
        #: While no hints come and the table has more, nobody waits for them.
        self._has_more = False

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """Urgent ids from the table, then hints; without any, what the table says is overdue.

        Without the broker it is whatever is due. Raises `BrokerUnavailable` only when nothing is.
        """
        urgent = outbox.urgent_ids(channel=self._channel, limit=limit)
        if len(urgent) == limit:
            return Batch(urgent)
        try:
            batch = self._hints.receive(limit - len(urgent), wait=timedelta(0) if urgent or self._has_more else wait)
        except BrokerUnavailable:
            due = self._due(limit)
            if not due:
                raise
            return Batch(due)
        if not urgent and not batch.ids:
            return Batch(self._due(limit, longer_than=OVERDUE_AFTER), batch.again, batch.receipt)
        self._has_more = False
        return Batch(list(dict.fromkeys([*urgent, *batch.ids])), batch.again, batch.receipt)

    def _due(self, limit: int, *, longer_than: timedelta = timedelta(0)) -> list[UUID]:
        ids = outbox.due_ids(channel=self._channel, limit=limit, longer_than=longer_than)
        self._has_more = len(ids) == limit
        return ids

    def ack(self, batch: Batch) -> None:
        """What came from the table needs no acknowledgement."""
        if batch.receipt is not None:
            self._hints.ack(batch)

    def close(self) -> None:
        """As the broker."""
        self._hints.close()
