"""How long whoever asks the database waits for it. Requests wait briefly: a 503 at once helps a client more."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta


@dataclass(slots=True)
class Patience:
    """What is left of it. Only waiting uses it up: a first request, which imports everything, keeps it whole."""

    #: Seconds.
    left: float


_patience: ContextVar[Patience | None] = ContextVar("_patience", default=None)


@contextmanager
def at_most(most: timedelta) -> Iterator[None]:
    """All waiting within gets this much time altogether; inside one another, the shorter holds."""
    outer = _patience.get()
    given = most.total_seconds() if outer is None else min(most.total_seconds(), outer.left)
    own = Patience(given)
    token = _patience.set(own)
    try:
        yield
    finally:
        _patience.reset(token)
        if outer is not None:
            outer.left -= given - own.left


@contextmanager
def waiting() -> Iterator[None]:
    """The time within is spent waiting for the database."""
    own, began = _patience.get(), time.monotonic()
    try:
        yield
    finally:
        if own is not None:
            own.left -= time.monotonic() - began


def seconds_left() -> float | None:
    """Never below zero; None where nobody is in a hurry."""
    own = _patience.get()
    return None if own is None else max(0.0, own.left)
