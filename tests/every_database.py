"""Runs the tests once per database: on SQLite always, on PostgreSQL where it answers.

`python -m tests.every_database [pytest arguments]`. PostgreSQL is looked for at DATABASE_URL, else at the usual
loopback port. An absent one is said loudly; with CI=true it is a failure. Tests that never ask a database run once.

A few tests that fail while others run beside them run once more, alone, as CPython's regrtest does it. Those that pass
then are named at the end: they, or what they test, depend on how long something takes, and are to be mended.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg

#: Many tests wait for processes, servers and clocks: two for a core keep it busy.
WORKERS = 2 * (os.cpu_count() or 1)
#: `--cache-clear`: pytest also remembers failures of earlier runs.
ALL = ["-q", "-n", str(WORKERS), "--dist", "worksteal", "--cache-clear"]
#: pytest's exit code when tests failed, and nothing else.
FAILURES = 1
#: More failures than that are no accident: they do not run again.
MOST_AGAIN = 5
LOOPBACK = "postgres://postgres@127.0.0.1:5432/postgres"


def main(arguments: list[str]) -> int:
    url = os.environ.pop("DATABASE_URL", None) or LOOPBACK
    if "RABBITMQ_URL" in os.environ:  # for the tests that want it; the others are to find an embedded installation
        os.environ["TEST_RABBITMQ_URL"] = os.environ.pop("RABBITMQ_URL")
    os.environ.pop("REDIS_URL", None)  # tests that want one start their own
    # Every worker reads every test: with pytest's rewriting of `assert` 15 s of work, or 7 s when that is kept.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    arguments = arguments or ALL
    codes, unsteady = [], []
    trouble = trouble_with(url)
    for name, environment, more in (
        ("SQLite", {}, []),
        ("PostgreSQL", {"DATABASE_URL": url}, ["--only-with-database"]),
    ):
        if environment and trouble:
            continue
        code, passed_alone = run(name, environment, [*more, *arguments])
        codes.append(code)
        unsteady += [f"{test} ({name})" for test in passed_alone]
    if trouble:
        print(f"\n*** PostgreSQL does not answer, its half of the tests DID NOT RUN: {trouble}", flush=True)
        codes.append(1 if os.environ.get("CI") == "true" else 0)
    if unsteady:
        print("\n*** UNSTEADY: failed beside others and passed alone. Mend them:", *unsteady, sep="\n    ", flush=True)
    return max(codes)


def run(name: str, environment: dict[str, str], arguments: list[str]) -> tuple[int, list[str]]:
    """The exit code, and the tests that passed only when they ran once more."""
    print(f"\n=== Tests on {name}", flush=True)
    began = time.monotonic()
    code, failed = pytest(environment, arguments), []
    if code == FAILURES and "--cache-clear" in arguments and len(failed := last_failed()) <= MOST_AGAIN:
        print("\n=== Once more, alone:", *failed, sep="\n    ", flush=True)
        code = pytest(environment, ["-q", *failed])
    print(f"=== {name}: exit {code} after {time.monotonic() - began:.0f} s", flush=True)
    return code, failed if code == 0 else []


def pytest(environment: dict[str, str], arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, env=os.environ | environment, check=False).returncode


def last_failed() -> list[str]:
    """As pytest keeps them for `--last-failed`."""
    return sorted(json.loads(Path(".pytest_cache/v/cache/lastfailed").read_text()))


def trouble_with(url: str) -> str | None:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return str(error).splitlines()[0]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
