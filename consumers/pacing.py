"""How fast a provider may be asked: our own rate, and the pauses it asks for itself.

The rate holds for the installation: each of the processes that share it takes an equal part (`Pace.share`).
"""

import math
import threading
import time
from collections.abc import Callable
from datetime import timedelta

#: Nobody is sent away for longer on account of our own rate: it may have changed by then.
LONGEST_BOOKING = timedelta(minutes=10)
#: Waits are rounded up to this, so that rows that wait equally long are written together.
ROUNDED_TO = 1.0


class Pace:
    """The pace of one provider in this process, shared by its threads."""

    def __init__(
        self, rate: float | None, *, clock: Callable[[], float] = time.monotonic, held_until: float = 0.0
    ) -> None:
        """Before `held_until` (by the clock) nothing goes, so that other processes can make room."""
        self._lock = threading.Lock()
        self._clock = clock
        self._whole = rate
        self._rate = rate
        self._held_until = held_until
        #: As many as fit into one second may come at once.
        self._burst = max(1.0, rate or 0.0)
        #: How many may go now, at the moment of `_counted_at`; below nothing after a message to many devices.
        self._left = self._burst
        self._counted_at = clock()
        #: Until when the future is given away to those who had to wait.
        self._booked_until = 0.0
        self._paused_until = 0.0

    @property
    def is_limited(self) -> bool:
        """Whether there is a rate at all."""
        return self._whole is not None

    def share(self, among: int) -> None:
        """So many processes ask this provider: each may take its part of the rate."""
        if self._whole is None or self._rate is None:
            return
        with self._lock:
            self._refill(self._rate)
            self._rate = self._whole / among
            self._burst = max(1.0, self._rate)
            self._left = min(self._left, self._burst)

    def take(self, wanted: int) -> int:
        """How many of `wanted` may go now; they count as gone."""
        if self._rate is None:
            return wanted
        with self._lock:
            self._refill(self._rate)
            granted = max(0, min(wanted, math.floor(self._left)))
            if self._clock() < self._held_until:
                granted = 0
            self._left -= granted
            return granted

    def charge(self, more: int) -> None:
        """So many more went than were taken (or fewer, when negative)."""
        if self._rate is not None:
            with self._lock:
                self._left = min(self._burst, self._left - more)

    def book(self, count: int) -> list[timedelta]:
        """When so many that may not go now shall come again, one behind the other, after all who wait already."""
        with self._lock:
            now, rate = self._clock(), self._rate or self._burst
            start = max(self._booked_until, now, self._held_until)
            self._booked_until = min(start + count / rate, now + LONGEST_BOOKING.total_seconds())
            waits = [start + number / rate - now for number in range(1, count + 1)]
        longest = LONGEST_BOOKING.total_seconds()
        return [timedelta(seconds=min(math.ceil(each / ROUNDED_TO) * ROUNDED_TO, longest)) for each in waits]

    def pause(self, wait: timedelta) -> None:
        """The provider wants to be left alone for so long."""
        with self._lock:
            self._paused_until = max(self._paused_until, self._clock() + wait.total_seconds())

    def follow_pause(self, wait: timedelta) -> None:
        """What all processes know of its pause; an operator may have ended it."""
        with self._lock:
            self._paused_until = self._clock() + wait.total_seconds()

    def paused_for(self) -> timedelta:
        """How long it wants to be left alone."""
        return timedelta(seconds=max(0.0, self._paused_until - self._clock()))

    def _refill(self, rate: float) -> None:
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._counted_at) * rate)
        self._counted_at = now
