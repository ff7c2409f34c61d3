"""Starts the bare view as the platform's web process is started: granian, as many workers, as many threads."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.child_processes import PYTHON, child, run, wait_until
from benchmarks.platform_under_test import WEB_WORKERS
from benchmarks.surroundings import BARE_VIEW, LOOPBACK, Surroundings, port
from benchmarks.web_load import is_listening

THREADS = 4  # consumers/web_server.py: THREADS


@contextmanager
def bare_view(ours: Surroundings) -> Iterator[int]:
    """Its port; the path is /orders/."""
    number, log = port(BARE_VIEW), ours.folder / "bare-view.log"
    environment = os.environ | {
        "BARE_DATABASE": ours.new_database("bare_view"),
        "DJANGO_SETTINGS_MODULE": "benchmarks.bare_view.bare_settings",
    }
    run([PYTHON, "-m", "django", "migrate", "--run-syncdb", "--verbosity", "0"], environment=environment)
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--host", LOOPBACK]
    command += ["--port", str(number), "--workers", str(WEB_WORKERS), "--blocking-threads", str(THREADS)]
    command += ["--no-ws", "--log-level", "warning", "benchmarks.bare_view.bare_wsgi:application"]
    with child(command, log=log, environment=environment) as process:
        wait_until(lambda: is_listening(number), "The bare view", process=process, log=log)
        yield number
