"""The web process: granian with our settings, registered as a live service."""

import multiprocessing
import os
import signal
import threading
import time
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from consumers import metrics_page, ports
from consumers.parent_watch import is_orphan
from consumers.process_life import Registration, State
from consumers.service_roles import web_role

log = structlog.stdlib.get_logger(__name__)

#: Requests served at once by a worker process: threads, because Django is synchronous.
THREADS = 4
#: An idle thread keeps its database connection so long; the longest that granian allows.
THREAD_IDLE = timedelta(minutes=10)
#: What requests in flight get at a stop.
FINISH_WITHIN = timedelta(seconds=30)
LOOK_EVERY = timedelta(milliseconds=200)
#: granian's own lines go the way of all others; its small talk stays away.
LOGGING = {"handlers": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}}


class WebServer(Granian):  # type: ignore[valid-type,misc]  # granian chooses its class at import
    """granian's master process. Its workers are fresh processes, not forks: this one has threads and connections."""

    def __init__(self, *, host: str, port: int, workers: int, supervisor_pid: int | None = None) -> None:
        super().__init__(
            target=":".join(settings.WSGI_APPLICATION.rsplit(".", 1)),
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=THREADS,
            blocking_threads_idle_timeout=round(THREAD_IDLE.total_seconds()),
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=round(FINISH_WITHIN.total_seconds()),
            log_level=LogLevels.warning,
            log_dictconfig=LOGGING,
        )
        self._supervisor_pid = supervisor_pid
        self._registration = Registration(role=web_role(settings.SERVICE_ROLE).name, port=port)

    def run(self) -> None:
        """Serve until a signal, or until the supervisor is gone."""
        multiprocessing.set_start_method("spawn", force=True)
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        try:
            with metrics_page.shared_by_workers(role=settings.SERVICE_ROLE, port=self.bind_port):
                self.serve()
        finally:
            self._registration.leave()

    def shutdown(self, *args: Any, **kwargs: Any) -> None:
        """granian's own, said aloud."""
        self._registration.become(State.DRAINING)
        log.info("Stopping: finishing the requests in flight.", action="stop")
        super().shutdown(*args, **kwargs)
        log.info("Stopped.", action="stopped")

    def _watch(self) -> None:
        """Say when the first request is answered; stop when the supervisor is gone."""
        while not is_orphan(self._supervisor_pid):
            if self._registration.state is State.STARTING and ports.says_yes("/health/live", port=self.bind_port):
                self._registration.become(State.RUNNING)
                log.info("Serving.", action="start", address=f"{self.bind_addr}:{self.bind_port}", pid=os.getpid())
            time.sleep(LOOK_EVERY.total_seconds())
        os.kill(os.getpid(), signal.SIGTERM)
