"""How long whoever asks the database waits for it. Requests wait briefly: a 503 at once helps a client more."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

_until: ContextVar[float | None] = ContextVar("_until", default=None)


@contextmanager
def at_most(patience: timedelta) -> Iterator[None]:
    """All that is asked within gets this much time altogether; inside one another, the shorter holds."""
    until, outer = time.monotonic() + patience.total_seconds(), _until.get()
    token = _until.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _until.reset(token)


def seconds_left() -> float | None:
    """Never below zero; None where nobody is in a hurry."""
    until = _until.get()
    return None if until is None else max(0.0, until - time.monotonic())
