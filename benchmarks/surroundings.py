"""The servers a benchmark runs on, and what it takes of them: a database, a prefix and a Redis database of its own.

Addresses come from the environment; without any, the servers of this machine are asked. All is given back at the end.
"""

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from redis import Redis
from redis.exceptions import RedisError


def _first_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1024 <= int(text) <= 65_000):
        print(f"BENCH_PORT is {text!r}; a number from 1024 to 65000 is needed.", file=sys.stderr)
        sys.exit(2)
    return int(text)


#: The database server without a database name; the role must be allowed to create databases.
POSTGRESQL = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432").rstrip("/")
RABBITMQ = os.environ.get("BENCH_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")
REDIS = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:6379/15")
#: Begins every name we make up on the servers.
PREFIX = os.environ.get("BENCH_PREFIX", "bench")
#: Our processes listen from here on, on loopback.
FIRST_PORT = _first_port(os.environ.get("BENCH_PORT", "21600"))
LOOPBACK = "127.0.0.1"

#: Distances from FIRST_PORT. The platform itself takes +0 to +3.
SINK, SLOW_SINK, BARE_VIEW = 10, 11, 20


class CannotMeasure(SystemExit):
    """Something that is needed is not there; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What one run may call its own."""

    name: str
    folder: Path
    databases: list[str] = field(default_factory=list)

    def new_database(self, what: str, *, like: str | None = None) -> str:
        """An empty database, or a copy of one of ours; returns its address."""
        name = f"{self.name}_{what}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if like:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(urlsplit(like).path[1:]))
        _on_server(statement)
        self.databases.append(name)
        return f"{POSTGRESQL}/{name}"

    def drop_database(self, address: str) -> None:
        """Gone, whoever is connected."""
        name = urlsplit(address).path[1:]
        _on_server(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self.databases.remove(name)

    @property
    def broker_prefix(self) -> str:
        """Begins the names of our exchanges and queues."""
        return f"{PREFIX.replace('_', '')}.{self.name.rpartition('_')[2]}."


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Names of our own on servers that answer; everything is taken away at the end, also after Ctrl-C."""
    _require_servers()
    with TemporaryDirectory(prefix="benchmarks-") as folder:
        ours = Surroundings(name=f"{PREFIX}_{secrets.token_hex(3)}", folder=Path(folder))
        try:
            yield ours
        finally:
            for name in list(ours.databases):
                ours.drop_database(f"/{name}")
            Redis.from_url(REDIS).flushdb()


def port(distance: int) -> int:
    """A port of ours. Raises `CannotMeasure` when somebody else listens there."""
    number = FIRST_PORT + distance
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
        except OSError as error:
            raise CannotMeasure(f"Port {number} is in use; choose other ports: BENCH_PORT=22600.") from error
    return number


def _require_servers() -> None:
    try:
        psycopg.connect(f"{POSTGRESQL}/postgres", connect_timeout=5).close()
    except psycopg.OperationalError as error:
        raise CannotMeasure(f"PostgreSQL does not answer; set BENCH_DATABASE_URL. {error}") from error
    parts = urlsplit(RABBITMQ)
    try:
        socket.create_connection((parts.hostname, parts.port or 5672), timeout=5).close()
    except OSError as error:
        raise CannotMeasure(f"RabbitMQ does not answer at {parts.hostname}; set BENCH_RABBITMQ_URL. {error}") from error
    try:
        keys = Redis.from_url(REDIS).dbsize()
    except RedisError as error:
        raise CannotMeasure(f"Redis does not answer; set BENCH_REDIS_URL. {error}") from error
    if keys:
        number = urlsplit(REDIS).path[1:] or "0"
        raise CannotMeasure(
            f"Redis database {number} holds {keys} keys. It is emptied after a run, so name another one with "
            "BENCH_REDIS_URL."
        )


def _on_server(statement: sql.Composed) -> None:
    with psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True) as server:
        server.execute(statement)
