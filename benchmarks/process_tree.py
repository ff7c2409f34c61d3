"""What a process and everything it has started hold of memory and use of the processor, from /proc."""

import os
import re
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process."""

    name: str
    #: Its own memory and its part of what it shares with others (PSS), in MB.
    memory_mb: float
    #: Percent of one core.
    processor_percent: float


def measure(root: int, *, seconds: float) -> list[Part]:
    """Each process that lives from the beginning to the end of so many seconds; memory as it is in the end."""
    before = {pid: _processor_seconds(pid) for pid in tree(root)}
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    return [
        Part(
            name=name_of((PROC / str(pid) / "cmdline").read_text()),
            memory_mb=round(memory_mb(pid), 1),
            processor_percent=round((_processor_seconds(pid) - used) / passed * 100, 2),
        )
        for pid, used in before.items()
        if (PROC / str(pid)).exists()
    ]


def tree(root: int) -> list[int]:
    """The process and all its descendants."""
    parents = {int(entry.name): _fields(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit()}
    found = [root]
    for pid in found:
        found += [child for child, fields in parents.items() if fields and int(fields[1]) == pid]
    return found


def memory_mb(pid: int) -> float:
    """PSS: pages that are shared count in parts, so the sum over all processes is what they take together."""
    text = (PROC / str(pid) / "smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def name_of(command_line: str) -> str:
    """Which part of the platform a command line starts: `run_web`, or what the web server starts for itself."""
    words = command_line.split("\0")
    after = [following for word, following in pairwise(words) if word.endswith("manage.py")]
    if after:
        return "supervisor" if "--plan" in words else after[0].removeprefix("run_")
    return "web: resource tracker" if "resource_tracker" in command_line else "web: worker"


def _processor_seconds(pid: int) -> float:
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND if fields else 0.0


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat what comes behind the name, which may hold blanks; nothing when it has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
