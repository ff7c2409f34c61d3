"""What every process of ours does while it lives: it is registered and hears signals."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

import structlog
from django.db import Error as DatabaseTrouble
from django.db import connections

from consumers import service_registry
from consumers.models import ServiceInstance

log = structlog.stdlib.get_logger(__name__)

State = ServiceInstance.State
#: How long a process that leaves waits until its last word is written.
LAST_WORD_WITHIN = service_registry.HEARTBEAT_EVERY / 2


class Registration:
    """This process in the list of live services; a thread of its own renews it."""

    def __init__(self, *, role: str, port: int | None) -> None:
        self.state = State.STARTING
        self._role, self._port = role, port
        #: None until the database has taken it: whoever begins while that is away begins all the same.
        self._instance: ServiceInstance | None = None
        self._tell(self.state)
        self._news = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="heartbeat", daemon=True)
        self._thread.start()

    def become(self, state: ServiceInstance.State) -> None:
        """From now on it is in this state."""
        self.state = state
        self._news.set()

    def leave(self) -> None:
        """It stops; does not wait long for a database that is away."""
        self.become(State.STOPPED)
        self._thread.join(LAST_WORD_WITHIN.total_seconds())

    def _renew(self) -> None:
        try:
            while True:
                self._news.wait(service_registry.HEARTBEAT_EVERY.total_seconds())
                self._news.clear()
                state = self.state
                self._tell(state)
                if state is State.STOPPED:
                    return
        finally:
            connections.close_all()

    def _tell(self, state: ServiceInstance.State) -> None:
        try:
            if self._instance is None:
                self._instance = service_registry.register(role=self._role, port=self._port)
                if state is State.STARTING:
                    return
            service_registry.heartbeat(self._instance, state)
        except DatabaseTrouble as error:
            log.warning("A heartbeat was not written.", action="heartbeat", detail=type(error).__name__)
            connections.close_all()


def on_stop_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT ask for an orderly stop; a second one ends the process at once. Main thread only."""
    heard: list[int] = []

    def hear(number: int, _: FrameType | None) -> None:
        if heard:
            os._exit(128 + number)
        heard.append(number)
        stop()

    signal.signal(signal.SIGTERM, hear)
    signal.signal(signal.SIGINT, hear)
