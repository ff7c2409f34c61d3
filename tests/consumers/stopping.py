"""The event that stops a loop, as a test wants it."""

import threading


class Stopping(threading.Event):
    """Notes how long it was waited for, and does not wait; stops after so many waits."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._stop_after = stop_after

    def wait(self, timeout=None) -> bool:
        self.waits.append(timeout)
        if len(self.waits) == self._stop_after:
            self.set()
        return self.is_set()
