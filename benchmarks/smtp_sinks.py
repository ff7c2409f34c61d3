"""Where the mails go: Postfix's `smtp-sink`, which is never the bottleneck, and a slow one of our own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.child_processes import PYTHON, child, wait_until
from benchmarks.surroundings import LOOPBACK, SINK, SLOW_SINK, CannotMeasure, port
from benchmarks.web_load import is_listening


def require_sink() -> str:
    """The program's path. Raises `CannotMeasure` when it is not installed."""
    found = shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not found:
        raise CannotMeasure(
            "smtp-sink is not installed. It belongs to Postfix (Debian: apt install postfix; no mail server needs to "
            "run). A sink written in Python would be the bottleneck, so nothing is measured without it."
        )
    return found


@contextmanager
def fast_sink(folder: Path) -> Iterator[int]:
    """smtp-sink on a port of ours, which is returned."""
    number = port(SINK)
    command = [require_sink(), "-m", "256", f"{LOOPBACK}:{number}", "1024"]
    if os.geteuid() == 0:
        command[1:1] = ["-u", "nobody"]  # it insists
    with _listening(command, number, folder / "smtp-sink.log"):
        yield number


@contextmanager
def slow_sink(folder: Path, *, delay_ms: int) -> Iterator[int]:
    """A sink that takes so long over each message; it serves any number of connections at once."""
    number = port(SLOW_SINK)
    command = [PYTHON, "-m", "benchmarks.slow_sink", str(number), str(delay_ms)]
    with _listening(command, number, folder / "slow-sink.log"):
        yield number


@contextmanager
def _listening(command: list[str], number: int, log: Path) -> Iterator[None]:
    with child(command, log=log, environment=os.environ) as process:
        wait_until(lambda: is_listening(number), "The mail sink", process=process, log=log)
        yield
