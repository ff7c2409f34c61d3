"""A broker's other end that does as the test says, and notes what it was asked."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from consumers.brokers.base import BrokerUnavailable, QueueDepth
from gateway.outbox import Hint
from gateway.untold import GivenUp


class FakeBell:
    """Counts what it holds; nobody fetches from it unless a test says so."""

    def __init__(self, *, during_ring: Callable[[Sequence[Hint]], None] = lambda hints: None) -> None:
        self._during_ring = during_ring
        #: Per channel, in the order of publication.
        self.rung: dict[str, list[UUID]] = {}
        #: So many hints of the next ring are refused, the last ones.
        self.refuses = 0
        #: Raised by the next calls.
        self.troubles: list[BrokerUnavailable] = []
        self.consumers = 0
        #: What depth answers instead of what was rung.
        self.ready: int | None = None
        self.flights: list[int] = []
        #: What failed.queue was told, in the order of publication.
        self.told: list[GivenUp] = []
        self.told_flights: list[int] = []
        #: So many dead letters of the next flight are refused, the last ones.
        self.refuses_dead_letters = 0
        #: Raised when dead letters are told.
        self.telling_trouble: BrokerUnavailable | None = None
        self.close_count = 0
        self.is_up = True

    def depth(self, channel: str) -> QueueDepth:
        if self.troubles:
            raise self.troubles.pop(0)
        ready = len(self.rung.get(channel, [])) if self.ready is None else self.ready
        return QueueDepth(ready=ready, consumers=self.consumers)

    def ring(self, channel: str, hints: Sequence[Hint]) -> set[UUID]:
        self._during_ring(hints)
        self.flights.append(len(hints))
        ids = [hint.id for hint in hints]
        taken, refused = ids[: len(ids) - self.refuses], ids[len(ids) - self.refuses :]
        self.refuses = 0
        self.rung.setdefault(channel, []).extend(taken)
        return set(refused)

    def tell_dead_letters(self, given_up: Sequence[GivenUp]) -> set[UUID]:
        if self.telling_trouble:
            raise self.telling_trouble
        count = len(given_up) - self.refuses_dead_letters
        self.refuses_dead_letters = 0
        self.told.extend(given_up[:count])
        self.told_flights.append(len(given_up))
        return {each.id for each in given_up[count:]}

    def wait_until_up(self, within: timedelta) -> bool:
        return self.is_up

    def close(self) -> None:
        self.close_count += 1
