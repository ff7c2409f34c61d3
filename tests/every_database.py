"""Runs the tests once per database: on SQLite always, on PostgreSQL where it answers.

`python -m tests.every_database [pytest arguments]`. PostgreSQL is looked for at DATABASE_URL, else at the usual
loopback port. An absent one is said loudly; with CI=true it is a failure. Tests that never ask a database run once.
"""

import os
import subprocess
import sys
import time

import psycopg

#: Many tests wait for processes, servers and clocks: two for a core keep it busy.
WORKERS = 2 * (os.cpu_count() or 1)
LOOPBACK = "postgres://postgres@127.0.0.1:5432/postgres"


def main(arguments: list[str]) -> int:
    url = os.environ.pop("DATABASE_URL", None) or LOOPBACK
    if "RABBITMQ_URL" in os.environ:  # for the tests that want it; the others are to find an embedded installation
        os.environ["TEST_RABBITMQ_URL"] = os.environ.pop("RABBITMQ_URL")
    os.environ.pop("REDIS_URL", None)  # tests that want one start their own
    # Every worker reads every test: with pytest's rewriting of `assert` 15 s of work, or 7 s when that is kept.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    arguments = arguments or ["-q", "-n", str(WORKERS), "--dist", "worksteal"]
    codes = [run("SQLite", None, arguments)]
    trouble = trouble_with(url)
    if trouble is None:
        codes.append(run("PostgreSQL", url, ["--only-with-database", *arguments]))
    else:
        print(f"\n*** PostgreSQL does not answer, its half of the tests DID NOT RUN: {trouble}", flush=True)
        codes.append(1 if os.environ.get("CI") == "true" else 0)
    return max(codes)


def run(name: str, url: str | None, arguments: list[str]) -> int:
    print(f"\n=== Tests on {name}", flush=True)
    began = time.monotonic()
    environment = os.environ | ({"DATABASE_URL": url} if url else {})
    code = subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode
    print(f"=== {name}: exit {code} after {time.monotonic() - began:.0f} s", flush=True)
    return code


def trouble_with(url: str) -> str | None:
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return str(error).splitlines()[0]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
