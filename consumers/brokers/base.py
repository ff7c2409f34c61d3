"""What carries ids from the outbox to a consumer. A doorbell may ring twice or get lost; claiming decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from gateway.outbox import Hint
from gateway.untold import GivenUp


@dataclass(frozen=True, slots=True)
class Batch:
    """Ids of notifications that may be due."""

    ids: Sequence[UUID]
    #: Those of them that were brought to somebody before, who has gone since without a word.
    again: frozenset[UUID] = frozenset()
    #: What the broker needs to acknowledge it.
    receipt: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """A queue as the broker sees it."""

    #: Messages that no consumer has fetched.
    ready: int
    consumers: int


class BrokerUnavailable(Exception):
    """The broker does not answer; try again after a while."""


class BrokerReconnecting(BrokerUnavailable):
    """The connection is being opened again, and whoever raised this has waited for it: ask again at once."""


class Broker(Protocol):
    """One broker of one channel."""

    def receive(self, limit: int, *, wait: timedelta) -> Batch:
        """Up to `limit` ids, most urgent first; an empty batch after `wait` at most. Raises `BrokerUnavailable`."""

    def ack(self, batch: Batch) -> None:
        """The batch is recorded: after the record, never before."""

    def close(self) -> None:
        """Let go of connections. May be called twice."""


class Bell(Protocol):
    """The other end: where the relay rings. Every method may raise `BrokerUnavailable`."""

    def depth(self, channel: str) -> QueueDepth:
        """How full the queue of a channel is; also whether the broker takes messages at all."""

    def ring(self, channel: str, hints: Sequence[Hint]) -> set[UUID]:
        """Publish; returns when the broker has the hints for sure, with the ids of those it did not take."""

    def tell_dead_letters(self, given_up: Sequence[GivenUp]) -> set[UUID]:
        """Tell whoever watches `failed.queue`; as `ring`, with the ids of those it did not take."""

    def wait_until_up(self, within: timedelta) -> bool:
        """Whether it can be asked; waits for that no longer than told."""

    def close(self) -> None:
        """Let go of connections. May be called twice."""
