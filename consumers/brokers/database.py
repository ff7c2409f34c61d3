"""The embedded default: the table is the queue."""

import threading
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError

from consumers.brokers.base import Batch, BrokerUnavailable
from gateway import outbox

#: How often an idle consumer looks into the table.
POLL_EVERY = timedelta(milliseconds=250)
#: After a small batch more is let come together: SQLite has one writer, and a batch costs it as much as a single row.
GATHER = timedelta(milliseconds=50)


class DatabaseBroker:
    """Implements `consumers.brokers.base.Broker` by looking for due rows."""

    def __init__(self, channel: str, *, wake: threading.Event | None = None) -> None:
        self._channel = channel
        #: Set to cut a wait short: there is work, or it is time to stop.
        self._wake = wake or threading.Event()
        self._had_few = False

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """Due ids; looks once more after a pause of at most `wait`."""
        if self._had_few:
            self._wake.wait(GATHER.total_seconds())
        ids = self._due(limit)
        if not ids:
            self._wake.wait(min(wait, POLL_EVERY).total_seconds())
            ids = self._due(limit)
        self._had_few = 0 < len(ids) < limit
        return Batch(ids)

    def _due(self, limit: int) -> list[UUID]:
        try:
            return outbox.due_ids(channel=self._channel, limit=limit)
        except (OperationalError, InterfaceError) as error:
            raise BrokerUnavailable(str(error)) from error

    def ack(self, batch: Batch) -> None:
        """Nothing to do: a claimed row is no longer due."""

    def close(self) -> None:
        """Nothing is open."""
