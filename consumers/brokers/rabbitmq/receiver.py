"""Hints fetched ahead by one channel and shared out among sender threads; acknowledgements on their way back."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any, NamedTuple
from uuid import UUID

import structlog

from consumers.brokers.rabbitmq.hint_format import read_hint
from consumers.brokers.rabbitmq.topology import PROBE_ID

log = structlog.stdlib.get_logger(__name__)


class Receipt(NamedTuple):
    """What it takes to acknowledge: the tags mean something only on the channel they came by."""

    session: int
    tags: Sequence[int]


class Fetched(NamedTuple):
    """A hint that waits for a sender thread."""

    id: UUID
    tag: int
    #: It was delivered before, to a consumer that has gone, or over a connection that has.
    is_redelivered: bool


class Taken(NamedTuple):
    """Hints for one sender thread."""

    ids: list[UUID]
    #: Those that were delivered before.
    again: frozenset[UUID]
    receipt: Receipt


class Receiver:
    """A part of a link. `take` may be called from any thread, all else belongs to the link's thread."""

    def __init__(self, queue: str, *, prefetch: int) -> None:
        self._queue = queue
        self._prefetch = prefetch
        self._channel: Any = None
        self._consumer_tag = ""
        self._is_stopped = False
        #: Guards buffer and session, which sender threads read.
        self._news = threading.Condition()
        self._buffer: deque[Fetched] = deque()
        self._session = 0
        self._acknowledgements = Acknowledgements()

    def take(self, limit: int, *, wait: timedelta, is_up: Callable[[], bool]) -> Taken:
        """Up to `limit` hints in the order of arrival, none after `wait` or when `is_up` no longer holds."""
        until = monotonic() + wait.total_seconds()
        with self._news:
            while not self._buffer and is_up() and (left := until - monotonic()) > 0:
                self._news.wait(left)
            taken = [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]
            receipt = Receipt(self._session, [each.tag for each in taken])
        again = frozenset(each.id for each in taken if each.is_redelivered)
        return Taken(list(dict.fromkeys(each.id for each in taken)), again, receipt)

    def acknowledge(self, receipt: Receipt) -> None:
        """Those of a lost connection are dropped: their hints come again, and nobody can claim their rows twice."""
        if receipt.session != self._session or self._channel is None or not self._channel.is_open:
            return
        for tag, is_multiple in self._acknowledgements.of(receipt.tags):
            self._channel.basic_ack(tag, multiple=is_multiple)

    def stop(self) -> None:
        """Fetch nothing more and give back what no thread has taken: others may have it at once."""
        if self._is_stopped:
            return
        self._is_stopped = True
        if self._channel is not None and self._channel.is_open:
            self._channel.basic_cancel(self._consumer_tag)
        with self._news:
            fetched = list(self._buffer)
            self._buffer.clear()
        for each in fetched:
            self._give_back(each.tag)

    def opened(self, channel: Any) -> None:
        """Begin to consume."""
        self._channel = channel
        self._acknowledgements = Acknowledgements()
        with self._news:
            self._session += 1
            self._buffer.clear()
            self._news.notify_all()
        if self._is_stopped:
            return
        # The queue was deleted, or moved to another node: a closed channel has the link declare everything anew.
        channel.add_on_cancel_callback(lambda _: channel.close())
        channel.basic_qos(prefetch_count=self._prefetch)
        self._consumer_tag = channel.basic_consume(self._queue, self._on_message)

    def lost(self) -> None:
        """What was fetched comes again."""
        self._channel = None
        with self._news:
            self._session += 1
            self._buffer.clear()
            self._news.notify_all()

    def _on_message(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        tag = method.delivery_tag
        found = read_hint(body)
        if found is None:
            log.warning("A message is no hint of ours; it goes to failed.queue.", action="reject", length=len(body))
            channel.basic_reject(tag, requeue=False)
            self._acknowledgements.told(tag)
        elif found == PROBE_ID:
            self.acknowledge(Receipt(self._session, [tag]))
        elif self._is_stopped:
            self._give_back(tag)
        else:
            with self._news:
                self._buffer.append(Fetched(found, tag, method.redelivered))
                self._news.notify()

    def _give_back(self, tag: int) -> None:
        if self._channel is not None and self._channel.is_open:
            self._channel.basic_nack(tag, requeue=True)
            self._acknowledgements.told(tag)


class Acknowledgements:
    """Which deliveries of a channel are done, and how few frames tell the broker so.

    Sender threads finish in any order. Tags count from 1 without gaps; whatever begins the row of those that are done
    takes one frame (`multiple`), the others one each: a thread that is slow must not hold back the rest.
    """

    def __init__(self) -> None:
        self._done: set[int] = set()
        #: All tags up to this one are done.
        self._up_to = 0

    def told(self, tag: int) -> None:
        """The broker knows already (rejected, given back)."""
        self._done.add(tag)
        self._advance()

    def of(self, tags: Iterable[int]) -> list[tuple[int, bool]]:
        """The frames for `tags`: (delivery tag, multiple)."""
        fresh = set(tags)
        self._done |= fresh
        self._advance()
        in_row = {tag for tag in fresh if tag <= self._up_to}
        # Only a tag the broker has not been told may be named: an unknown one closes the channel.
        frames = [(max(in_row), True)] if in_row else []
        return frames + [(tag, False) for tag in sorted(fresh - in_row)]

    def _advance(self) -> None:
        while self._up_to + 1 in self._done:
            self._up_to += 1
            self._done.discard(self._up_to)
