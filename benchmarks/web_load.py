"""Runs the load generator as a process of its own against a port of ours."""

import json
import os
import socket

from benchmarks.child_processes import PYTHON, run
from benchmarks.surroundings import LOOPBACK

SUBMIT = "/api/v1/notifications/"


def load(port: int, path: str = SUBMIT, **options: object) -> dict[str, float]:
    """What it found. `options` are its arguments; `warm_up=True` is a flag."""
    command = [PYTHON, "-m", "benchmarks.load_generator", str(port), path]
    for name, value in options.items():
        command.append(f"--{name.replace('_', '-')}")
        if value is not True:
            command.append(str(value))
    found: dict[str, float] = json.loads(run(command, environment=os.environ).splitlines()[-1])
    return found


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
