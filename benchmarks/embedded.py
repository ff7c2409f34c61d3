"""The embedded mode: what it holds and uses while nothing happens, and what a client sees of it.

`python -m benchmarks.embedded [--count 2000] [--clients 4]` starts a platform of its own in a temporary folder, on
free ports, and measures over real HTTP. Machines are noisy: the ratio against plain INSERTs, one a commit, on the same
disk in the same run says more than the absolute figures. Memory is PSS summed over all processes.
Writes benchmarks/results/embedded.json.
"""

import argparse
import http.client
import json
import os
import platform
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import process_tree

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results" / "embedded.json"
BODY = {
    "notification_type": "email",
    "user_id": "user-123",
    "template_code": "welcome_email",
    "variables": {"name": "John Doe", "verification_link": "https://app.example.com/verify/abc123"},
    "priority": "high",
}
TIMEOUT = 120.0  # seconds
#: Seconds after its start until an idle platform is nothing but idle.
SETTLED_AFTER = 10.0
#: How many notifications are sent one by one on the idle platform, with pauses of uneven length between them.
FIRST_LOOKS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000, help="notifications that go all the way")
    parser.add_argument("--clients", type=int, default=4, help="connections that submit at the same time")
    parser.add_argument("--idle-seconds", type=float, default=60, help="how long the idle platform is watched")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        inserts = plain_inserts_per_second(Path(folder))
        with running_platform(Path(folder)) as (_, _, _, first_start):
            pass
        with running_platform(Path(folder)) as (pid, port, key, started_in):
            time.sleep(SETTLED_AFTER)
            idle = process_tree.measure(pid, seconds=options.idle_seconds)
            first_looks = from_202_to_sent(folder, port, key, count=FIRST_LOOKS)
            alone = submit_alone(port, key, count=300)
            waited = wait_until_sent(folder, FIRST_LOOKS + 300)
            together = submit_together(port, key, count=options.count, clients=options.clients)
            total = together["seconds"] + wait_until_sent(folder, FIRST_LOOKS + 300 + options.count)
            worked = process_tree.measure(pid, seconds=1)
    result = {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "date": datetime.now(UTC).date().isoformat(),
        },
        "plain_inserts_per_second": round(inserts),
        "first_start_seconds": round(first_start, 1),
        "start_seconds": round(started_in, 1),
        "idle": {
            "seconds": options.idle_seconds,
            "memory_mb": round(sum(part.memory_mb for part in idle)),
            "processor_percent": round(sum(part.processor_percent for part in idle), 2),
            "processes": [asdict(part) for part in idle],
        },
        "sent_after_202_ms": first_looks,
        "submit_alone_ms": alone,
        "submitted_per_second": round(options.count / together["seconds"]),
        "submit_under_load_ms": together["latency"],
        "all_the_way_per_second": round(options.count / total),
        "all_the_way_to_plain_inserts": round(options.count / total / inserts, 3),
        "last_sent_after_seconds": round(waited, 2),
        "memory_after_work_mb": round(sum(part.memory_mb for part in worked)),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


def plain_inserts_per_second(folder: Path) -> float:
    """One row per commit with the durability we use: what this disk allows at most."""
    connection = sqlite3.connect(folder / "plain.sqlite3", isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (id INTEGER, body TEXT);"
    )
    began, count = time.monotonic(), 500
    for number in range(count):
        connection.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 500))
    connection.close()
    return count / (time.monotonic() - began)


@contextmanager
def running_platform(folder: Path) -> Iterator[tuple[int, int, str, float]]:
    """Its process, its port, a key, and how many seconds it took until it answered."""
    port = free_port()
    environment = os.environ | {"VAR_DIR": str(folder), "PORT": str(port), "LOG_LEVEL": "WARNING"}
    environment.pop("DATABASE_URL", None)
    began = time.monotonic()
    log = (folder / "platform.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run_platform"], cwd=PROJECT, env=environment, stdout=log, stderr=log
    )
    try:
        while not is_ready(port):
            if process.poll() is not None or time.monotonic() - began > TIMEOUT:
                raise SystemExit((folder / "platform.log").read_text())
            time.sleep(0.05)
        took = time.monotonic() - began
        key = json.loads((folder / "demo.json").read_text())["api_key"]
        yield process.pid, port, key, took
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def free_port() -> int:
    """A port whose neighbours at +2 and +3 are most likely free as well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


def submit(connection: http.client.HTTPConnection, key: str, request_id: str) -> float:
    """Milliseconds from the first byte sent to the last byte read; anything but 202 ends the run."""
    body = json.dumps(BODY | {"request_id": request_id})
    began = time.perf_counter()
    connection.request(
        "POST",
        "/api/v1/notifications/",
        body,
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    content = answer.read()
    if answer.status != 202:
        raise SystemExit(f"{answer.status}: {content!r}")
    return (time.perf_counter() - began) * 1000


def from_202_to_sent(folder: str, port: int, key: str, *, count: int) -> dict[str, float]:
    """Milliseconds from the answer until `sent` stands in the row, each time on an idle platform."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for number in range(count):
        time.sleep(0.7 + number * 37 % 100 / 200)  # so that looks of the consumer are met at any moment
        submit(connection, key, f"idle-{number}")
        began = time.perf_counter()
        wait_until_sent(folder, number + 1)
        times.append((time.perf_counter() - began) * 1000)
    return summary(times)


def submit_alone(port: int, key: str, *, count: int) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(20):  # the first requests import what they need
        connection.request("GET", "/health", headers={"X-Request-ID": f"warm-{number}"})
        connection.getresponse().read()
    # A pause between them: one client on an idle platform.
    times = []
    for number in range(count):
        times.append(submit(connection, key, f"alone-{number}"))
        time.sleep(0.01)
    return summary(times)


def submit_together(port: int, key: str, *, count: int, clients: int) -> dict[str, Any]:
    times: list[float] = []

    def client(which: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        times.extend([submit(connection, key, f"together-{which}-{number}") for number in range(count // clients)])

    threads = [threading.Thread(target=client, args=(which,)) for which in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"seconds": time.monotonic() - began, "latency": summary(times)}


def wait_until_sent(folder: str, count: int) -> float:
    """Seconds until so many are sent, by the table itself."""
    connection = sqlite3.connect(f"file:{folder}/notifications.sqlite3?mode=ro", uri=True)
    began = time.monotonic()
    question = "SELECT count(*) FROM gateway_notification WHERE status IN ('sent', 'delivered')"
    while connection.execute(question).fetchone()[0] < count:
        if time.monotonic() - began > TIMEOUT:
            raise SystemExit(f"Not all were sent within {TIMEOUT} s.")
        time.sleep(0.002)
    connection.close()
    return time.monotonic() - began


def summary(times: list[float]) -> dict[str, float]:
    parts = statistics.quantiles(times, n=100)
    return {"p50": round(parts[49], 1), "p95": round(parts[94], 1), "p99": round(parts[98], 1)}


if __name__ == "__main__":
    main()
