"""Several processes of one kind under one command: the command starts itself so many times and passes signals on."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from django.conf import settings

from consumers.parent_watch import is_orphan
from consumers.supervisor import Child, Supervisor

#: How often the one that started us is looked for.
LOOK_EVERY = timedelta(milliseconds=500)


class Member(Child):
    """A process that may end by itself when its limits are reached: it is started again only after a failure."""

    def __init__(self, name: str, command: Sequence[str], *, may_end: bool, on_end: Callable[[], None]) -> None:
        super().__init__(name, command)
        self._may_end = may_end
        self._on_end = on_end
        self.is_done = False

    def look_after(self) -> None:
        """Notice its end."""
        if self.is_done:
            return
        if self._may_end and self._process is not None and self._process.poll() == 0:
            self.is_done = True
            self._on_end()
            return
        super().look_after()


def run_group(name: str, commands: Sequence[Sequence[str]], *, may_end: bool, supervisor_pid: int | None) -> None:
    """Run them until told to stop, or with `may_end` until each has ended well. Main thread only."""
    members: list[Member] = []

    def ended() -> None:
        if all(member.is_done for member in members):
            supervisor.stop()

    for number, command in enumerate(commands, start=1):
        members.append(Member(f"{name}-{number}", command, may_end=may_end, on_end=ended))
    supervisor = Supervisor(members)
    supervisor.hear_signals()
    if supervisor_pid is not None:
        threading.Thread(target=_stop_when_orphaned, args=(supervisor, supervisor_pid), daemon=True).start()
    supervisor.run()


def own_command(command: str, **options: object) -> list[str]:
    """A command line that starts `manage.py command` with these options; None and False are left out."""
    line = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), command]
    for name, value in options.items():
        if value is None or value is False:
            continue
        flag = "--" + name.replace("_", "-")
        line += [flag] if value is True else [flag, str(value)]
    return line


def _stop_when_orphaned(supervisor: Supervisor, supervisor_pid: int) -> None:
    while not is_orphan(supervisor_pid):
        time.sleep(LOOK_EVERY.total_seconds())
    supervisor.stop()
