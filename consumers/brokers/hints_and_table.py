"""RabbitMQ's hints, and a look into the table where they would be late: for what is urgent, and without a broker.

A queue is first in, first out: an urgent hint would wait behind all that was queued before it. The row is the truth,
so nobody has to wait for its doorbell.
"""

from datetime import timedelta

from consumers.brokers.base import Batch, Broker, BrokerUnavailable
from gateway import outbox


class HintsAndTable:
    """Implements `consumers.brokers.base.Broker` around another one."""

    def __init__(self, hints: Broker, channel: str) -> None:
        self._hints = hints
        self._channel = channel
        #: While the broker is away and the table still has more, nobody waits for the broker.
        self._has_more = False

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """Urgent ids from the table, then hints; without the broker whatever the table says is due.

        Raises `BrokerUnavailable` only when there is nothing due either.
        """
        urgent = outbox.urgent_ids(channel=self._channel, limit=limit)
        if len(urgent) == limit:
            return Batch(urgent)
        try:
            batch = self._hints.receive(limit - len(urgent), wait=timedelta(0) if urgent or self._has_more else wait)
        except BrokerUnavailable:
            due = outbox.due_ids(channel=self._channel, limit=limit)
            self._has_more = len(due) == limit
            if not due:
                raise
            return Batch(due)
        self._has_more = False
        return Batch(list(dict.fromkeys([*urgent, *batch.ids])), batch.again, batch.receipt)

    def ack(self, batch: Batch) -> None:
        """What came from the table needs no acknowledgement."""
        if batch.receipt is not None:
            self._hints.ack(batch)

    def close(self) -> None:
        """As the broker."""
        self._hints.close()
