"""One child process per role: started, restarted when it dies, stopped together."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import FrameType

import structlog

log = structlog.stdlib.get_logger(__name__)

#: Before a dead child is started again: at first, and at most.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=30)
#: A child that lived so long starts its pauses anew.
STEADY_AFTER = timedelta(minutes=1)
#: What children get to finish before they are killed.
STOP_WITHIN = timedelta(seconds=35)
LOOK_EVERY = timedelta(milliseconds=100)
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Child:
    """The process of one role, whichever life it is in."""

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self._command = list(command)
        #: Beside what it inherits.
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = FIRST_PAUSE
        self._started_at = 0.0
        self._start_at = 0.0

    @property
    def pid(self) -> int | None:
        """Of the living process."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """In a session of its own: a Ctrl-C in the terminal reaches the supervisor alone, which tells the children."""
        self._process = subprocess.Popen(  # noqa: S603  our own command
            self._command,
            env=os.environ | self._environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._started_at = time.monotonic()

    def look_after(self) -> None:
        """Notice its death, and start it again when its pause is over."""
        if self._process is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return
        code = self._process.poll()
        if code is None:
            return
        if time.monotonic() - self._started_at > STEADY_AFTER.total_seconds():
            self._pause = FIRST_PAUSE
        log.warning(
            "A process has ended; it is started again.",
            action="restart",
            process=self.name,
            exit_code=code,
            after_seconds=self._pause.total_seconds(),
        )
        self._process = None
        self._start_at = time.monotonic() + self._pause.total_seconds()
        self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def has_ended(self) -> bool:
        """Whether there is nothing left to stop."""
        return self._process is None or self._process.poll() is not None

    def tell_to_stop(self) -> None:
        """SIGTERM."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """SIGKILL to it and all it has started."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Supervisor:
    """Keeps its children alive until it is told to stop; then none of them is left."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        is_ready: Callable[[], bool] = lambda: True,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = children
        self._is_ready = is_ready
        self._on_ready = on_ready
        #: How often somebody has asked to stop; more than once means now.
        self._asked_to_stop = 0

    def stop(self) -> None:
        """Ask for an orderly stop; asking again means at once. May be called by a signal handler."""
        self._asked_to_stop += 1

    def hear_signals(self) -> None:
        """Ctrl-C, SIGTERM and a closed terminal ask to stop. Main thread only."""

        def hear(number: int, frame: FrameType | None) -> None:
            self.stop()

        for number in STOP_SIGNALS:
            signal.signal(number, hear)

    def run(self) -> None:
        """Start all children, look after them, and end them all when told to stop."""
        try:
            for child in self._children:
                child.start()
            is_announced = False
            while not self._asked_to_stop:
                if not is_announced and self._is_ready():
                    is_announced = True
                    self._on_ready()
                for child in self._children:
                    child.look_after()
                time.sleep(LOOK_EVERY.total_seconds())
        finally:
            self._stop_all()

    def _stop_all(self) -> None:
        for child in self._children:
            child.tell_to_stop()
        until = time.monotonic() + STOP_WITHIN.total_seconds()
        while not all(child.has_ended() for child in self._children):
            if self._asked_to_stop > 1 or time.monotonic() > until:
                log.warning("Killing what has not stopped.", action="kill", processes=self._still_alive())
                break
            time.sleep(LOOK_EVERY.total_seconds())
        for child in self._children:
            child.kill()

    def _still_alive(self) -> list[str]:
        return [child.name for child in self._children if not child.has_ended()]
