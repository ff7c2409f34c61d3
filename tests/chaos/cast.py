"""Who plays: web, relays, consumers, sweeper. Whoever dies is started again, as a supervisor does."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from consumers.ports import says_yes
from tests.chaos.nursery import ROOT, Nursery

#: Seconds between a death and the next start.
PAUSE = 0.3
#: Seconds in which all end when they are asked to.
STOP_WITHIN = 45
WEB = "web"
WORKERS = 2
#: As many at once as can be handed over within the second that is left of ten.
CONSUMER = ("run_email_consumer", "--port", "0", "--batch", "10", "--name")
COMMANDS = {
    "relay-1": ("run_relay", "--name", "relay-1"),
    "relay-2": ("run_relay", "--name", "relay-2"),
    "email-1": (*CONSUMER, "email-1"),
    "email-2": (*CONSUMER, "email-2", "--concurrency", "2"),
    "email-3": (*CONSUMER, "email-3"),
    "sweeper": ("run_sweeper",),
}


class Web:
    """The web process, a real one: its master and its workers."""

    def __init__(self, folder: Path, port: int, variables: Mapping[str, str]) -> None:
        with (folder / "web.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "manage.py", "run_web", "--port", str(port), "--workers", str(WORKERS)],
                cwd=ROOT,
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.pid = self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def code(self) -> int | None:
        return self._process.returncode

    def workers(self) -> list[int]:
        """Children of the master that serve; the one that watches shared memory is no worker."""
        table = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
        rows = [line.split(None, 2) for line in table.splitlines()]
        return [int(pid) for pid, parent, words in rows if int(parent) == self.pid and "spawn_main" in words]

    def send(self, number: int) -> None:
        self._process.send_signal(number)


class Cast:
    """Everybody who plays; `look_after` brings back who has died."""

    def __init__(self, folder: Path, nursery: Nursery, *, port: int, variables: Mapping[str, str]) -> None:
        self._folder, self._nursery, self._port, self._variables = folder, nursery, port, variables
        self._players: dict[str, object] = {}
        self._start_at: dict[str, float] = {}
        #: Those that stand still and are not to be disturbed.
        self.frozen: set[str] = set()
        self.starts: Counter[str] = Counter()
        #: How those ended whom nobody had killed.
        self.own_ends: Counter[str] = Counter()

    def start(self) -> None:
        for name in (WEB, *COMMANDS):
            self._begin(name)

    def names(self) -> list[str]:
        """Who is alive and moves."""
        return [name for name, each in self._players.items() if each.is_alive and name not in self.frozen]

    def look_after(self) -> None:
        for name, player in self._players.items():
            if player.is_alive:
                continue
            if name not in self._start_at:
                if player.code != -signal.SIGKILL:
                    self.own_ends[f"{name} ended by itself: {player.code}"] += 1
                self.frozen.discard(name)
                self._start_at[name] = time.monotonic() + PAUSE
        for name, moment in list(self._start_at.items()):
            if time.monotonic() >= moment:
                del self._start_at[name]
                self._begin(name)

    def web_serves(self) -> bool:
        return says_yes("/health/live", port=self._port)

    def kill(self, name: str) -> str:
        """SIGKILL; of the web processes more often one that serves than their master. Says who it was."""
        player = self._players[name]
        victim, who = player.pid, name
        if name == WEB and (workers := player.workers()):
            victim, who = workers[-1], "web worker"
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        return who

    def kill_master(self) -> None:
        self._players[WEB].send(signal.SIGKILL)

    def freeze(self, name: str) -> None:
        self.frozen.add(name)
        self._players[name].send(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.frozen.discard(name)
        self._players[name].send(signal.SIGCONT)

    def stop(self) -> dict[str, int | None]:
        """Everybody is asked to end; how each did."""
        for name, player in self._players.items():
            self.thaw(name)
            if player.is_alive:
                player.send(signal.SIGTERM)
        ends_at = time.monotonic() + STOP_WITHIN
        while any(player.is_alive for player in self._players.values()) and time.monotonic() < ends_at:
            time.sleep(0.05)
        return {name: player.code if not player.is_alive else None for name, player in self._players.items()}

    def _begin(self, name: str) -> None:
        self.starts[name] += 1
        if name == WEB:
            self._players[name] = Web(self._folder, self._port, self._variables)
        else:
            self._players[name] = self._nursery.start(name, *COMMANDS[name])
