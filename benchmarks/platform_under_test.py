"""The platform as an installation runs it: its real processes on PostgreSQL, Redis and RabbitMQ, sending by SMTP."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from redis import Redis

from benchmarks.child_processes import PYTHON, answers, child, run, wait_until
from benchmarks.ledger import Ledger
from benchmarks.surroundings import FIRST_PORT, LOOPBACK, RABBITMQ, REDIS, Surroundings, port

WEB_WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A migrated database with people and a template, and the settings of every process on it."""

    ours: Surroundings
    database: str
    api_key: str
    environment: Mapping[str, str]

    def copy(self, what: str, *, sink: int | None = None) -> "Installation":
        """The same with a database of its own; `sink` is where its mails go, if elsewhere."""
        database = self.ours.new_database(what, like=self.database)
        Redis.from_url(REDIS).flushdb()  # nobody remembers what another database said
        return Installation(
            ours=self.ours,
            database=database,
            api_key=self.api_key,
            environment={
                **self.environment,
                "DATABASE_URL": database,
                "VAR_DIR": str(self.ours.folder / f"var_{what}"),
                "EMAIL_URL": smtp_url(sink) if sink else self.environment["EMAIL_URL"],
            },
        )

    def with_settings(self, **settings: str) -> "Installation":
        """The same with other settings of its processes."""
        return replace(self, environment={**self.environment, **settings})

    def drop(self) -> None:
        """A copy that is no longer needed."""
        self.ours.drop_database(self.database)

    def ledger(self) -> Ledger:
        """A view of its tables."""
        return Ledger(self.database)

    def inside(self, *arguments: object) -> dict[str, float]:
        """Run a step of `benchmarks.inside` in a process of its own; what it found."""
        words = [str(each) for each in arguments]
        printed = run([PYTHON, "-m", "benchmarks.inside", *words], environment=self.environment)
        found: dict[str, float] = json.loads(printed.splitlines()[-1])
        return found


def smtp_url(sink: int) -> str:
    """How the platform is told where mails go."""
    return f"smtp://{LOOPBACK}:{sink}"


@contextmanager
def new_installation(ours: Surroundings, *, sink: int) -> Iterator[Installation]:
    """Migrated and seeded once; figures measure on copies of it. `sink` is where mails go."""
    database = ours.new_database("origin")
    environment = os.environ | {
        "DATABASE_URL": database,
        "REDIS_URL": REDIS,
        "RABBITMQ_URL": RABBITMQ,
        "RABBITMQ_PREFIX": ours.broker_prefix,
        "EMAIL_PROVIDERS": "smtp",
        "EMAIL_URL": smtp_url(sink),
        "VAR_DIR": str(ours.folder / "var"),
        "PORT": str(FIRST_PORT),
        "SERVICE_ROLE": "all",
        # One of each for all copies: what one has sealed another can open.
        **{name: secrets.token_hex(32) for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEY")},
        "LOG_LEVEL": "WARNING",
        "RATE_LIMITS": "submit=100000/s",  # what we measure is not the limit a client has
        "PYTHONUNBUFFERED": "1",
    }
    run([PYTHON, "manage.py", "migrate", "--verbosity", "0"], environment=environment)
    try:
        run([PYTHON, "manage.py", "declare_queues"], environment=environment)
        seeded = json.loads(run([PYTHON, "-m", "benchmarks.inside", "seed"], environment=environment))
        yield Installation(ours=ours, database=database, api_key=seeded["api_key"], environment=environment)
    finally:
        run([PYTHON, "-m", "benchmarks.inside", "remove-queues"], environment=environment)


@contextmanager
def relay_and_sweeper(installation: Installation) -> Iterator[None]:
    """What runs beside web processes and consumers."""
    with ExitStack() as stack:
        for role in ("relay", "sweeper"):
            stack.enter_context(_running(installation, role, [f"run_{role}"]))
        yield


@contextmanager
def consumers(installation: Installation, *, processes: int = 2) -> Iterator[None]:
    """So many consumer processes, and until they are ready to be given work."""
    number = port(2)
    arguments = ["run_email_consumer", "--processes", str(processes), "--port", str(number)]
    with _running(installation, "email_consumer", arguments, count=processes):
        yield


@contextmanager
def web(installation: Installation) -> Iterator[int]:
    """The web process with its workers; its port."""
    number = port(0)
    log = installation.ours.folder / "web.log"
    command = [PYTHON, "manage.py", "run_web", "--workers", str(WEB_WORKERS), "--port", str(number)]
    with child(command, log=log, environment=installation.environment) as process:
        wait_until(lambda: answers("/health/ready", port=number), "The web process", process=process, log=log)
        yield number


@contextmanager
def _running(installation: Installation, role: str, arguments: list[str], *, count: int = 1) -> Iterator[None]:
    log: Path = installation.ours.folder / f"{role}.log"
    with installation.ledger() as ledger:
        before = ledger.running(role)
        command = [PYTHON, "manage.py", *arguments]
        with child(command, log=log, environment=installation.environment) as process:
            wait_until(lambda: ledger.running(role) >= before + count, f"The {role}", process=process, log=log)
            yield
