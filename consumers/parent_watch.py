"""No process of ours outlives the one that started it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable


def is_orphan(supervisor_pid: int | None) -> bool:
    """Whether the process that started this one is gone: another has become its parent. Never without a supervisor."""
    return supervisor_pid is not None and os.getppid() != supervisor_pid


def end_with_master() -> None:
    """In a worker process of the web server: end when its master does, or the port would stay taken. Else nothing."""
    master = multiprocessing.parent_process()
    if master is not None:
        threading.Thread(target=_end_after, args=(master.join,), name="master-watch", daemon=True).start()


def _end_after(wait: Callable[[], None]) -> None:
    wait()
    os.kill(os.getpid(), signal.SIGTERM)
