"""Once the server has let somebody wait in vain, one at a time finds out whether it is back; the others are refused.

Without this every request would wait its full time, and those behind it in the queue would wait for it as well.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from psycopg import Error, OperationalError

T = TypeVar("T")

#: How long the one who finds out waits.
TRIAL = timedelta(milliseconds=300)


class Silent(OperationalError):
    """The server does not answer: this one has waited in vain, or another did a moment ago."""


class Silence:
    """What the threads of a process know of their server."""

    def __init__(self) -> None:
        self._is_on = False
        self._trial = threading.Lock()

    def heed(self, ask: Callable[[float], T], *, patience: float) -> T:
        """`ask(seconds)`, with fewer seconds or not at all while there is silence. Raises `Silent`."""
        if not self._is_on:
            return self._asked(ask, patience)
        if not self._trial.acquire(blocking=False):
            raise Silent("PostgreSQL did not answer a moment ago; another request is finding out.")
        try:
            return self._asked(ask, min(patience, TRIAL.total_seconds()))
        finally:
            self._trial.release()

    def end(self) -> None:
        """The server has spoken after all, too late for whoever asked."""
        self._is_on = False

    def _asked(self, ask: Callable[[float], T], seconds: float) -> T:
        ends_at = time.monotonic() + seconds
        try:
            answer = ask(seconds)
        except Error as error:
            if time.monotonic() < ends_at:
                self._is_on = False  # a refusal is an answer too
                raise
            # Whoever had hardly any time left has learned nothing about the server.
            self._is_on = self._is_on or seconds >= TRIAL.total_seconds()
            raise Silent(f"PostgreSQL did not answer within {seconds:.1f} s.") from error
        self._is_on = False
        return answer
