"""What carries ids from the outbox to a consumer. A doorbell may ring twice or get lost; claiming decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids of notifications that may be due."""

    ids: Sequence[UUID]
    #: What the broker needs to acknowledge it.
    receipt: Any = None


class BrokerUnavailable(Exception):
    """The broker does not answer; try again after a while."""


class Broker(Protocol):
    """One broker of one channel."""

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """Up to `limit` ids, most urgent first; an empty batch after `wait` at most. Raises `BrokerUnavailable`."""

    def ack(self, batch: Batch) -> None:
        """The batch is recorded: after the record, never before."""

    def dead_letter(self, notification_id: UUID, reason: str) -> None:
        """Tell whoever watches `failed.queue`; the row has decided already."""

    def close(self) -> None:
        """Let go of connections. May be called twice."""
