"""Keeps RabbitMQ's queues topped up from the table, most urgent first: short queue, long table. Tells dead letters.

A notification is called queued before its hint is published, and that is committed. So a consumer that gets the hint a
millisecond later finds the row free. What a crash leaves behind (queued, and no hint in the broker) the sweeper opens
again in seconds: see `missing_hints.py`.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections

from consumers.brokers.base import Bell, BrokerUnavailable
from gateway import due_signal, outbox, untold
from gateway.failpoints import failpoint

log = structlog.stdlib.get_logger(__name__)

#: An untold dead letter waits so long at most; after trouble with failed.queue, so long.
TELL_EVERY, TELL_AGAIN = timedelta(seconds=1), timedelta(seconds=15)
#: Hints published together, under one commit before and one pipeline of confirms after.
FLIGHT = 500
#: An idle relay looks into the table so often, whether or not it was told that something is due.
LOOK_EVERY = timedelta(seconds=1)
#: After a small flight more is let come together: a flight costs relay, broker and consumers as much as a single hint.
GATHER = timedelta(milliseconds=40)
#: A queue with less room than this part of its hints is as good as full: a flight costs the same, however small.
FULL_FROM = 4
#: A queue that is full is looked at so often.
FULL_PAUSE = timedelta(milliseconds=100)
#: Pauses after trouble: first and longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(milliseconds=500), timedelta(seconds=15)


class Relay:
    """Any number of relays may run: rows are locked and skipped. Several may overfill a queue by a flight each."""

    def __init__(
        self, bell: Bell, *, channels: Sequence[str], high_water: int, stopping: threading.Event, flight: int = FLIGHT
    ) -> None:
        self._bell = bell
        self._channels = channels
        self._high_water = high_water
        self._stopping = stopping
        self._flight = flight
        self._pause = FIRST_PAUSE
        self._is_full = False
        self._tell_at = 0.0

    def run(self, *, once: bool = False, on_turn: Callable[[int], None] = lambda published: None) -> None:
        """Turn until told to stop; with `once` until there is nothing due, or no room."""
        try:
            while not self._stopping.is_set():
                published = self._turn()
                on_turn(published or 0)
                if once and published == 0:
                    return
                if published == 0:
                    self._idle()
                elif published is not None and published < self._flight:
                    self._stopping.wait(GATHER.total_seconds())
        finally:
            self._bell.close()

    def _turn(self) -> int | None:
        """Top up every queue; returns how many messages went out, None after trouble."""
        if not self._bell.wait_until_up(LOOK_EVERY):
            return None  # the connection says for itself what is wrong, and is opened again by itself
        try:
            self._is_full = False
            published = sum([self.top_up(channel) for channel in self._channels])
            if time.monotonic() >= self._tell_at:
                published += self._tell_dead_letters()
        except (BrokerUnavailable, OperationalError, InterfaceError) as error:
            self._rest(error)
            return None
        self._pause = FIRST_PAUSE
        return published

    def top_up(self, channel: str) -> int:
        """Publish a flight of what is due, as far as there is room; returns how many hints. Raises `BrokerUnavailable`.

        One flight a turn: a channel whose consumers are as fast as this relay must not keep it from the others.
        """
        # Nearly always nothing is due on one of the channels; that costs one look, and none at the broker.
        if not outbox.due_ids(channel=channel, limit=1):
            return 0
        room = self._high_water - self._bell.depth(channel).ready
        if room < max(1, min(self._high_water // FULL_FROM, self._flight)):
            self._is_full = True
            return 0
        hints = outbox.queue_due(channel=channel, limit=min(room, self._flight))
        if hints:
            failpoint("relay.queued")
            self._publish(channel, hints)
        return len(hints)

    def _publish(self, channel: str, hints: Sequence[outbox.Hint]) -> None:
        try:
            refused = self._bell.ring(channel, hints)
        except BrokerUnavailable:
            # Some may have arrived. They are told twice then, and claimed once.
            outbox.reopen([hint.id for hint in hints])
            raise
        if refused:
            outbox.reopen(refused)
            log.error(
                "RabbitMQ did not take hints; their notifications stay accepted. Is a queue or a binding gone?",
                action="refused",
                queue=channel,
                refused=len(refused),
            )
            raise BrokerUnavailable("RabbitMQ did not take hints.")

    def _tell_dead_letters(self) -> int:
        """First published, then marked: a crash in between tells them twice, never not at all. Returns how many."""
        given_up = untold.dead_letters(limit=self._flight)
        # Whoever watches failed.queue is not woken by tests.
        real = [each for each in given_up if not each.is_simulated]
        refused = self._bell.tell_dead_letters(real) if real else set()
        told = [each for each in given_up if each.id not in refused]
        untold.mark_told(told)
        has_more = len(given_up) == self._flight and not refused
        pause = timedelta(0) if has_more else TELL_AGAIN if refused else TELL_EVERY
        self._tell_at = time.monotonic() + pause.total_seconds()
        if refused:
            # Whoever watches failed.queue has to wait; nobody who waits for a message does.
            log.error(
                "RabbitMQ did not take dead letters; they are told later.", action="refused", refused=len(refused)
            )
        return len(told)

    def _idle(self) -> None:
        if self._is_full:
            self._stopping.wait(FULL_PAUSE.total_seconds())
            return
        try:
            due_signal.wait_for_due(LOOK_EVERY)
        except (OperationalError, InterfaceError) as error:
            self._rest(error)

    def _rest(self, error: Exception) -> None:
        log.warning(
            "Database or broker are away; trying again.",
            action="wait",
            seconds=self._pause.total_seconds(),
            detail=f"{type(error).__name__}: {error}",
        )
        close_old_connections()
        self._stopping.wait(self._pause.total_seconds())
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
