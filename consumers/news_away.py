"""Which sources of news this process cannot reach, and since when. The chores note it, an alert tells of it."""

import time
from datetime import timedelta

#: By the name of the chore: since when, by this process's clock, and what is wrong.
_away: dict[str, tuple[float, str]] = {}


def note(name: str, trouble: str) -> None:
    """It cannot be reached now."""
    since, _ = _away.get(name, (time.monotonic(), ""))
    _away[name] = (since, trouble)


def note_reached(name: str) -> None:
    """It can."""
    _away.pop(name, None)


def lasting(longer_than: timedelta) -> dict[str, str]:
    """What has been wrong all that time, by name."""
    until = time.monotonic() - longer_than.total_seconds()
    return {name: trouble for name, (since, trouble) in list(_away.items()) if since <= until}
