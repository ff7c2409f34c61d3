"""Where the processor time went, by kind of process: what /proc says of every process on this machine."""

import os
from collections import Counter
from pathlib import Path

#: Words of a command line, and what such a process is called here. The first that fits counts.
KINDS = {
    "run_email_consumer": "consumers",
    "run_relay": "relay",
    "run_sweeper": "sweeper",
    "smtp-sink": "mail sink",
    "beam.smp": "RabbitMQ",
    "redis-server": "Redis",
    "postgres": "PostgreSQL",
}
TICKS = os.sysconf("SC_CLK_TCK")
#: In /proc/PID/stat after the name: time as a user and in the kernel, of itself and of its children that have ended.
TIMES = slice(11, 15)


def seconds_by_kind() -> Counter[str]:
    """Seconds so far, of all processes of a kind and of those of their children that have ended."""
    found: Counter[str] = Counter()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            numbers = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        kind = next((name for word, name in KINDS.items() if word in command), None)
        if kind:
            found[kind] += sum(int(each) for each in numbers[TIMES]) / TICKS
    return found


def microseconds_each(before: Counter[str], after: Counter[str], *, count: int) -> dict[str, float]:
    """Between two readings, for each of so many notifications; the kind that took most comes first."""
    took = {kind: (after[kind] - before[kind]) / count * 1e6 for kind in after}
    return dict(sorted(took.items(), key=lambda each: -each[1]))
