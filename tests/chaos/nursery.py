"""Processes of the product that begin at once: forked from one that has everything loaded.

`python -m tests.chaos.nursery` prepares the installation that its environment names and obeys lines of JSON on its
standard input; `Nursery` is its other end. A process that starts in the ordinary way is killed before it has begun,
when somebody is killed every second. The children run the real commands. What differs from the product is set by
variables any test may set (DELIVERY_TIME_SCALE, FAILPOINTS), and, where a test asks for it, a provider that writes down
what it takes.
"""

import contextlib
import ctypes
import gc
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Seconds until a test stops waiting for what must happen.
PATIENCE = 120
PR_SET_PDEATHSIG = 1
#: One client asks for all of it.
UNLIMITED = "submit=100000/m"


def die_with_parent() -> None:
    """Whatever becomes of the process that started this one, none is left behind. Linux only; a second belt."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


# --- the process itself -----------------------------------------------------------------------------------------------


def load_everything() -> None:
    """What the commands import, once for all children; no connection stays open."""
    import django

    django.setup()
    from django.db import connections
    from django.test import Client
    from django.urls import get_resolver

    import tests.chaos.scene  # noqa: F401
    from consumers.management.commands import run_email_consumer, run_push_consumer, run_relay, run_sweeper  # noqa: F401

    get_resolver().url_patterns  # noqa: B018  loads the views
    Client().get("/health/live")
    connections.close_all()
    gc.freeze()


def become(command: list[str], failpoints: str, log: Path) -> int:
    """The pid of a new child that runs a command of manage.py, or `post` with a file of requests, until it ends."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent()
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for number in (0, 1, 2):
            os.dup2(os.open(os.devnull, os.O_RDONLY) if number == 0 else output, number)
        _play(command, failpoints)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001  the child says why, and ends
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)  # back in the caller's loop there would be two of it


def _play(command: list[str], failpoints: str) -> None:
    from django.conf import settings
    from django.core.management import call_command

    from gateway.failpoints import arm

    arm(failpoints, folder=Path(settings.VAR_DIR))
    if command[0] == "post":
        from tests.chaos.scene import post

        post(*command[1:])
    else:
        call_command(*command)


def main() -> None:
    """Obey until the input ends; then nobody is left."""
    die_with_parent()
    load_everything()
    from tests.chaos.scene import make_scene

    folder = Path(os.environ["VAR_DIR"])
    say({"ready": make_scene()})
    children: dict[int, str] = {}
    begun = True
    rest = b""
    while begun:
        if select.select([0], [], [], 0.02)[0]:
            read = os.read(0, 65536)
            begun, (*lines, rest) = bool(read), (rest + read).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = become(order["command"], order["failpoints"], folder / f"{order['name']}.log")
                children[pid] = order["name"]
                say({"started": order["name"], "pid": pid})
        report(children)
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def report(children: dict[int, str]) -> None:
    """Who has ended, and who was stopped by itself."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        if not pid:
            return
        if os.WIFSTOPPED(status):
            say({"stopped": children[pid], "pid": pid})
        else:
            say({"ended": children.pop(pid), "pid": pid, "code": os.waitstatus_to_exitcode(status)})


def say(news: dict) -> None:
    print(json.dumps(news), flush=True)


# --- its other end ----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Child:
    """A process of the product, as the one who asked for it sees it."""

    name: str
    pid: int
    ended: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    #: How it ended; negative for a signal.
    code: int | None = None

    @property
    def is_alive(self) -> bool:
        return not self.ended.is_set()

    def send(self, number: int) -> None:
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, within: float = PATIENCE) -> int:
        assert self.ended.wait(within), f"{self.name} did not end"
        return self.code

    def wait_until_stopped(self, within: float = PATIENCE) -> None:
        assert self.stopped.wait(within), f"{self.name} was not stopped"

    def wake(self) -> None:
        self.stopped.clear()
        self.send(signal.SIGCONT)


class Nursery:
    """Starts children; `close` ends all of them."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        ours = os.environ | {"VAR_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "notifications_site.settings"}
        ours["RATE_LIMITS"] = UNLIMITED
        for inherited in ("DATABASE_URL", "RABBITMQ_URL", "REDIS_URL"):
            ours.pop(inherited, None)
        self._log = (folder / "nursery.log").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.chaos.nursery"],
            cwd=ROOT,
            env=ours | variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._lock = threading.Lock()
        self._children: dict[int, Child] = {}
        self._started: queue.Queue = queue.Queue()
        self._ready: queue.Queue = queue.Queue()
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> dict:
        """What the scene says of itself: key, people, templates."""
        try:
            found = self._ready.get(timeout=2 * PATIENCE)
        except queue.Empty:
            found = None
        assert found is not None, f"the installation was not prepared:\n{(self.folder / 'nursery.log').read_text()}"
        return found

    def start(self, name: str, *command: str, failpoints: str = "") -> Child:
        with self._lock:
            self._process.stdin.write(json.dumps({"name": name, "command": command, "failpoints": failpoints}) + "\n")
            self._process.stdin.flush()
            child = self._started.get(timeout=PATIENCE)
        assert child is not None, "the nursery has ended"
        return child

    def close(self) -> None:
        for child in list(self._children.values()):
            child.send(signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(PATIENCE)
        self._process.stdout.close()
        self._log.close()

    def _listen(self) -> None:
        for line in self._process.stdout:
            news = json.loads(line)
            if "ready" in news:
                self._ready.put(news["ready"])
            elif "started" in news:
                child = self._children[news["pid"]] = Child(news["started"], news["pid"])
                self._started.put(child)
            elif "stopped" in news:
                self._children[news["pid"]].stopped.set()
            else:
                child = self._children.pop(news["pid"])
                child.code = news["code"]
                child.ended.set()
        self._ready.put(None)
        self._started.put(None)


def until(condition, what: str, within: float = PATIENCE):
    """What `condition` returns as soon as that is true."""
    ends_at = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < ends_at, f"{what} did not happen"
        time.sleep(0.02)
    return found


if __name__ == "__main__":
    main()
