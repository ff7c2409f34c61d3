"""The loop of one sender thread: receive, deliver, acknowledge, until told to stop."""

import threading
from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections

from consumers.brokers.base import Batch, Broker, BrokerReconnecting, BrokerUnavailable
from consumers.delivery import Delivery
from gateway.failpoints import failpoint

log = structlog.get_logger(__name__)

#: Ids received at once.
BATCH = 100
#: The longest a receive may wait before the loop turns again: it is how fast a stop is noticed.
WAIT = timedelta(seconds=1)
#: Pauses while broker or database are away: first and longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=500), timedelta(seconds=15)


class Worker:
    """Receives ids and has them delivered. Ends by itself after `stopping` is set, or when its limits are reached."""

    def __init__(
        self,
        broker: Broker,
        delivery: Delivery,
        *,
        stopping: threading.Event,
        batch: int = BATCH,
        on_turn: Callable[[int], None] = lambda handed_over: None,
    ) -> None:
        self._broker = broker
        self._delivery = delivery
        self._stopping = stopping
        self._batch = batch
        #: Told after each turn how many notifications were handed over: progress, limits.
        self._on_turn = on_turn
        self._pause = FIRST_PAUSE
        #: Received, and not delivered for want of a server. It is taken up again: a hint that is neither acknowledged
        #: nor given back takes up room among what is fetched ahead, until the connection ends.
        self._left_over: Batch | None = None

    def run(self, *, once: bool = False) -> None:
        """Turn until told to stop; with `once` until there is nothing due."""
        try:
            while not self._stopping.is_set():
                received, handed_over = self._turn()
                self._on_turn(handed_over)
                if once and received == 0:
                    return
        finally:
            try:
                self._delivery.close()
            finally:
                self._broker.close()

    def _turn(self) -> tuple[int | None, int]:
        """One batch: (ids received, notifications handed over). Trouble with our own servers costs a pause, no more.

        After trouble nobody knows what there is to receive: None.
        """
        try:
            batch = self._left_over = self._left_over or self._broker.receive(self._batch, wait=WAIT)
            handed_over = self._deliver(batch)
            self._broker.ack(batch)
            self._left_over = None
        except BrokerReconnecting:
            return None, 0  # it has waited by itself, and says itself what is wrong
        except (BrokerUnavailable, OperationalError, InterfaceError) as error:
            self._rest(error)
            return None, 0
        self._pause = FIRST_PAUSE
        return len(batch.ids), handed_over

    def _deliver(self, batch: Batch) -> int:
        if not batch.ids:
            return 0
        failpoint("consumer.received")
        handed_over = self._delivery.deliver(batch.ids, again=batch.again)
        if handed_over:  # what was held up too long is given back, and nothing has been delivered
            failpoint("consumer.delivered")
        return handed_over

    def _rest(self, error: Exception) -> None:
        log.warning(
            "Database or broker are away; trying again.",
            action="wait",
            seconds=self._pause.total_seconds(),
            detail=type(error).__name__,
        )
        close_old_connections()
        self._stopping.wait(self._pause.total_seconds())
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
