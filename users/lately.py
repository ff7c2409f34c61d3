"""What a process may remember for up to a second: keys of clients, which version of a template is live.

It forgets everything at once when it changes any of it itself; other processes follow within the second.
"""

import itertools
import time

from django.db import transaction

_changes = itertools.count(1)
_latest_change = 0


def moment() -> tuple[int, int]:
    """An argument for functions under `lru_cache`: their answers count as long as this stays the same."""
    return int(time.monotonic()), _latest_change


def forget() -> None:
    """Something has changed. Said now, for whoever changed it, and once more when others can see it."""
    _forget()
    transaction.on_commit(_forget)


def _forget() -> None:
    global _latest_change
    _latest_change = next(_changes)
