"""What a command that starts all processes becomes when everything is prepared: a small program that only supervises.

What prepared them (models, migrations, demo data) is never needed again and would lie in memory as long as the
platform runs. So the process starts itself anew, under the same number and with the same locks, and loads no Django.
"""

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, NoReturn

from consumers import ports
from consumers.process_locks import leave_platform
from consumers.supervisor import Child, Supervisor

#: With it behind the command, manage.py goes on with a plan that lies in this open file.
PLAN_OPTION = "--plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChild:
    """A process to keep alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that the supervisor has to know; it reads no settings."""

    children: Sequence[PlannedChild]
    #: When all of these say yes at /health/ready, the welcome is said.
    ready_ports: Sequence[int]
    welcome: str
    #: Where the lock of the platform lies.
    folder: str
    log_level: str
    log_format: str


def become_supervisor(plan: Plan, *, command: Sequence[str]) -> NoReturn:
    """Go on as `command`, supervising by this plan. Only what is written here outlives this line."""
    # Not among the arguments, which everybody on the machine can read: the welcome names a password and a key.
    with tempfile.TemporaryFile() as kept:
        write_plan(plan, kept)
        os.set_inheritable(kept.fileno(), True)
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], [*command, PLAN_OPTION, str(kept.fileno())])  # noqa: S606  our own command


def write_plan(plan: Plan, file: IO[bytes]) -> None:
    """For `read_plan`."""
    file.write(json.dumps(asdict(plan)).encode())
    file.flush()


def read_plan(descriptor: int) -> Plan:
    """What `become_supervisor` has left."""
    with os.fdopen(descriptor, "rb") as file:
        file.seek(0)
        words = json.load(file)
    children = [PlannedChild(**child) for child in words.pop("children")]
    return Plan(children=children, **words)


def supervise(plan: Plan) -> None:
    """Start everything, say when it is ready, stop everything when told to."""
    supervisor = Supervisor(
        [Child(each.name, each.command, environment=each.environment) for each in plan.children],
        is_ready=lambda: all(ports.says_yes("/health/ready", port=port) for port in plan.ready_ports),
        on_ready=lambda: say(plan.welcome),
    )
    supervisor.hear_signals()
    try:
        supervisor.run()
    finally:
        leave_platform(Path(plan.folder))
    say("Stopped.")


def say(text: str) -> None:
    """To whoever has started it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
