"""A process whose work is loops: they run in threads while the main thread listens for signals and keeps the time."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import connections

from consumers.parent_watch import is_orphan
from consumers.ports import LOOPBACK
from consumers.probe_server import ProbeServer, answers_of
from consumers.process_life import Registration, State
from consumers.progress import Progress

log = structlog.stdlib.get_logger(__name__)

#: From the wish to stop to the end: what is in flight may take 30 s, the rest is given back.
FINISH_WITHIN = timedelta(seconds=34)
#: How often the main thread looks up. It never waits for `stopping`: a signal handler sets it in this very thread.
LOOK_EVERY = timedelta(milliseconds=100)

Loop = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a process ends by itself; None for never."""

    after: timedelta | None = None
    messages: int | None = None
    #: Whoever started it and must not be outlived.
    supervisor_pid: int | None = None


class LoopFailed(Exception):
    """A loop ended by an error that is none of its business; the log has it. The process is to be started again."""


class LoopProcess:
    """Runs loops until they end, until it is told to stop, or until a limit is reached."""

    def __init__(self, *roles: str, limits: Limits) -> None:
        """It is registered under each of these roles, and answers /health as the first."""
        self.stopping = threading.Event()
        self.progress = Progress()
        self._roles = roles
        self._limits = limits
        self._has_failed = False

    def note(self, count: int) -> None:
        """A loop has turned and has done so much; loops call this after every turn."""
        self.progress.note(count)
        if self._limits.messages is not None and self.progress.handed_over >= self._limits.messages:
            self.stopping.set()

    def run(self, loops: Sequence[Loop], *, port: int | None = None, host: str = LOOPBACK) -> None:
        """Run all loops to their end, answering /health on `port` meanwhile. Raises `LoopFailed`."""
        with contextlib.ExitStack() as stack:
            if port is not None:
                answers = answers_of(
                    self._roles[0], still_for=self.progress.still_for, is_draining=self.stopping.is_set
                )
                probe = ProbeServer(answers, port=port, host=host)
                stack.callback(probe.close)
                port = probe.port
            registrations = [Registration(role=role, port=port) for role in self._roles]
            for registration in registrations:
                stack.callback(registration.leave)
            self._run_threads(loops, registrations)
        if self._has_failed:
            raise LoopFailed
        log.info("Stopped.", action="stopped", done=self.progress.handed_over)

    def _run_threads(self, loops: Sequence[Loop], registrations: Sequence[Registration]) -> None:
        threads = [
            threading.Thread(target=self._guarded, args=(loop,), name=f"loop-{number}", daemon=True)
            for number, loop in enumerate(loops, start=1)
        ]
        for thread in threads:
            thread.start()
        _all_become(registrations, State.RUNNING)
        began, stop_began = time.monotonic(), None
        while any(thread.is_alive() for thread in threads):
            time.sleep(LOOK_EVERY.total_seconds())
            self._keep_limits(began)
            if self.stopping.is_set() and stop_began is None:
                stop_began = time.monotonic()
                _all_become(registrations, State.DRAINING)
                log.info("Stopping: finishing what is in flight.", action="stop")
            if stop_began is not None and time.monotonic() - stop_began > FINISH_WITHIN.total_seconds():
                log.error("A loop did not finish in time; its leases will run out.", action="stop")
                os._exit(1)

    def _keep_limits(self, began: float) -> None:
        after = self._limits.after
        is_over = after is not None and time.monotonic() - began > after.total_seconds()
        if is_over or is_orphan(self._limits.supervisor_pid):
            self.stopping.set()

    def _guarded(self, loop: Loop) -> None:
        try:
            loop()
        except Exception:
            log.exception("A loop failed; the process ends.", action="loop")
            self._has_failed = True
            self.stopping.set()
        finally:
            connections.close_all()


def _all_become(registrations: Sequence[Registration], state: State) -> None:
    for registration in registrations:
        registration.become(state)
