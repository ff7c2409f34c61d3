"""The embedded default: the table is the queue."""

import threading
import time
from datetime import timedelta
from uuid import UUID

from django.db import InterfaceError, OperationalError

from consumers.brokers.base import Batch, BrokerUnavailable
from gateway import outbox
from gateway.database_changes import ChangeWatch

#: How often an idle consumer looks whether there is news.
POLL_EVERY = timedelta(milliseconds=250)
#: So long it leaves the table alone while nobody writes: what waited for its time comes due without a write.
LOOK_AT_LEAST_EVERY = timedelta(seconds=1)
#: After a small batch more is let come together: SQLite has one writer, and a batch costs it as much as a single row.
GATHER = timedelta(milliseconds=50)


class DatabaseBroker:
    """Implements `consumers.brokers.base.Broker` by looking for due rows."""

    def __init__(self, channel: str, *, wake: threading.Event | None = None) -> None:
        self._channel = channel
        #: Set to cut a wait short: there is work, or it is time to stop.
        self._wake = wake or threading.Event()
        self._changes = ChangeWatch()
        self._looked_at = 0.0
        self._had_few = False
        #: The last look was in vain, a moment ago.
        self._had_none = False

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """Due ids; looks once more after a pause of at most `wait`."""
        if self._had_few:
            self._wake.wait(GATHER.total_seconds())
        try:
            ids = [] if self._had_none else self._due(limit)
            if not ids:
                self._wake.wait(min(wait, POLL_EVERY).total_seconds())
                ids = self._due(limit) if self._is_worth_a_look() else []
        except (OperationalError, InterfaceError) as error:
            raise BrokerUnavailable(str(error)) from error
        self._had_few = 0 < len(ids) < limit
        self._had_none = not ids
        return Batch(ids)

    def _is_worth_a_look(self) -> bool:
        is_long_ago = time.monotonic() - self._looked_at >= LOOK_AT_LEAST_EVERY.total_seconds()
        return self._changes.may_have_changed() or is_long_ago

    def _due(self, limit: int) -> list[UUID]:
        self._looked_at = time.monotonic()
        return outbox.due_ids(channel=self._channel, limit=limit)

    def ack(self, batch: Batch) -> None:
        """Nothing to do: a claimed row is no longer due."""

    def close(self) -> None:
        """Nothing is open."""
