"""What a figure depends on: machine, versions, commit, and how busy the machine was with other things."""

import os
import platform
import re
import socket
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from redis import Redis

from benchmarks.surroundings import POSTGRESQL, RABBITMQ, REDIS

#: From this share of all cores on, in use by others just before a figure, its numbers are not to be trusted.
BUSY = 0.1
LIBRARIES = ("django", "djangorestframework", "psycopg", "pika", "granian")


def describe() -> dict[str, Any]:
    """Everything but what others do meanwhile: `busy_share` tells that, before each figure."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "ten_million_additions_s": _additions(),
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "postgresql": _postgresql(),
        "rabbitmq": _rabbitmq(),
        "redis": Redis.from_url(REDIS).info("server")["redis_version"],
        **{name: version(name) for name in LIBRARIES},
    }


def busy_share(seconds: float = 1.5) -> float:
    """Which share of all cores is in use right now, while nothing of ours runs; time the host took away counts."""
    idle, total = _ticks()
    time.sleep(seconds)
    idle_then, total_then = _ticks()
    return round(1 - (idle_then - idle) / max(total_then - total, 1), 2)


def _ticks() -> tuple[int, int]:
    numbers = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def _commit() -> str:
    try:
        head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    others = [line for line in changed.stdout.splitlines() if "benchmarks/results/" not in line]
    return head.stdout.strip() + (" with changes" if others else "")


def _processor() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _additions() -> float:
    began, number = time.perf_counter(), 0
    while number < 10_000_000:
        number += 1
    return round(time.perf_counter() - began, 2)


def _postgresql() -> str:
    with psycopg.connect(f"{POSTGRESQL}/postgres") as server:
        return str(server.execute("SHOW server_version").fetchone()[0]).split()[0]  # type: ignore[index]


def _rabbitmq() -> str:
    """The broker names its version in its first frame, before anybody has signed in."""
    parts = urlsplit(RABBITMQ)
    with socket.create_connection((parts.hostname, parts.port or 5672), timeout=5) as opened:
        opened.sendall(b"AMQP\x00\x00\x09\x01")
        frame = opened.recv(4096)
    found = re.search(rb"\x07versionS\x00\x00\x00.([0-9.]+)", frame, re.DOTALL)
    return found[1].decode() if found else "unknown"
