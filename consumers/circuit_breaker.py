"""Stops asking a provider that fails. In memory, for one process; `breakers.py` shares it with the others.

The library holds its lock during the guarded call, lets every thread through while half open and counts consecutive
failures only. This gate is asked before a call and told after it: the call itself holds no lock.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pybreaker

from consumers.delivery_rules import Rules

#: Fewer calls than this are no rate.
LEAST_CALLS = 20


class ProviderFailed(Exception):
    """The provider, not our request, is at fault."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """The right to make one call. It is always given back by `report`, whatever happens."""

    is_trial: bool = False


class ProviderBreaker(pybreaker.CircuitBreaker):
    """The lock covers admission and result, never the call; one trial while half open."""

    def __init__(self, name: str, rules: Rules, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(name=name, fail_max=rules.breaker_failures, throw_new_error_on_trip=False)
        self._pause = rules.breaker_pause.total_seconds()
        self._recent: deque[bool] = deque(maxlen=rules.breaker_window)
        self._least_calls = min(LEAST_CALLS, rules.breaker_window)
        self._failure_rate = rules.breaker_rate
        self._clock = clock
        self._retry_at = 0.0
        self._trial: Ticket | None = None
        #: Grows with every change of state, so that old news can be told from new.
        self.version = 0

    @property
    def is_closed(self) -> bool:
        """Whether calls go through as usual."""
        return bool(self.current_state == pybreaker.STATE_CLOSED)

    def retry_after(self) -> timedelta:
        """How long until the next trial may be made; nothing while closed."""
        if self.is_closed:
            return timedelta(0)
        return timedelta(seconds=max(0.0, self._retry_at - self._clock()))

    def admit(self) -> Ticket | None:
        """A ticket for one call, or None: not now."""
        with self._lock:
            if self.is_closed:
                return Ticket()
            if self._trial is not None or self.retry_after():
                return None
            if self.current_state == pybreaker.STATE_OPEN:
                self.half_open()
            self._trial = Ticket(is_trial=True)
            return self._trial

    def report(self, ticket: Ticket, healthy: bool | None) -> bool:
        """What the call said about the provider; None for nothing. Returns whether the breaker has changed by it."""
        with self._lock:
            before = self.version
            is_trial = ticket is self._trial
            if is_trial:
                self._trial = None
            if healthy is not None and (self.is_closed or is_trial):
                self._count(healthy)
            return self.version != before

    def trip(self, ticket: Ticket) -> bool:
        """Open at once: no further call can go well. Returns whether the breaker has changed by it."""
        with self._lock:
            before = self.version
            is_trial = ticket is self._trial
            if is_trial:
                self._trial = None
            if self.is_closed or is_trial:
                self._inc_counter()
                self.open()
            return self.version != before

    def follow_open(self, retry_in: timedelta) -> None:
        """Other processes found the provider failing, or know better when the next trial may be made."""
        with self._lock:
            if self.is_closed:
                self.open()
            self._retry_at = self._clock() + retry_in.total_seconds()

    def follow_closed(self) -> None:
        """Other processes found the provider working again. A trial under way here decides for itself."""
        with self._lock:
            if not self.is_closed and self._trial is None:
                self.close()

    def open(self) -> bool:
        """No call until the pause is over."""
        with self._lock:
            self._recent.clear()
            self._retry_at = self._clock() + self._pause
            self.version += 1
            return bool(super().open())

    def close(self) -> None:
        """Calls as usual."""
        with self._lock:
            self._recent.clear()
            self.version += 1
            super().close()

    def _count(self, healthy: bool) -> None:
        self._recent.append(healthy)
        if healthy:
            self.state._handle_success()
        else:
            try:
                self.state._handle_error(ProviderFailed(), reraise=False)
            except ProviderFailed:  # raised by the library at the moment it opens
                return
        if self.is_closed and self._fails_too_often():
            self.open()

    def _fails_too_often(self) -> bool:
        calls = len(self._recent)
        return calls >= self._least_calls and self._recent.count(False) / calls >= self._failure_rate
