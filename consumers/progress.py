"""How the loops of a process get on."""

import threading
import time
from datetime import timedelta


class Progress:
    """What a consumer's /health says: when its loop last turned, and how much it has handed over."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turned_at = time.monotonic()
        self.handed_over = 0

    def note(self, handed_over: int) -> None:
        """A loop has turned."""
        with self._lock:
            self._turned_at = time.monotonic()
            self.handed_over += handed_over

    def still_for(self) -> timedelta:
        """How long no loop has turned."""
        return timedelta(seconds=time.monotonic() - self._turned_at)
