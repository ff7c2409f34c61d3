"""Processes that a benchmark starts and always ends, whatever happens meanwhile."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
#: Seconds until a process that was asked to stop is killed, and until one that starts must answer.
STOP_WITHIN, START_WITHIN = 40, 90


class ChildFailed(SystemExit):
    """A process that we need has ended or does not answer; the message holds its last lines."""


@contextmanager
def child(command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command beside us, in a group of its own, so that all of its children end with it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=dict(environment), stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and after a while SIGKILL for the whole group."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            print(f"  killed after {STOP_WITHIN} s: {' '.join(map(str, process.args))}", flush=True)  # type: ignore[arg-type]
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(command: Sequence[str], *, environment: Mapping[str, str], timeout: float = 3600) -> str:
    """Run a command to its end; returns what it printed. Raises `ChildFailed`."""
    done = subprocess.run(
        command, cwd=PROJECT, env=dict(environment), capture_output=True, text=True, timeout=timeout, check=False
    )
    if done.returncode:
        raise ChildFailed(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def wait_until(condition: Callable[[], bool], what: str, *, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Until it is so. Raises `ChildFailed` when the process ends before, or when it takes too long."""
    ends_at = time.monotonic() + START_WITHIN
    while not condition():
        if process.poll() is not None or time.monotonic() > ends_at:
            raise ChildFailed(f"{what} did not come about:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.05)


def answers(path: str, *, port: int) -> bool:
    """Whether GET on loopback is answered with 200."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asking.request("GET", path)
        return asking.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()
