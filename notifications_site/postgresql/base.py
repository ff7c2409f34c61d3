"""Django's PostgreSQL backend with patience: what waits for the server waits no longer than `database_patience` allows.

A server that may only be read counts as one that is away: it was the first, until another took over.

A connection is kept per thread. psycopg's pool was tried: it is no faster, after a restart of the server it sleeps over
its second broken connection until the time is up, and after an outage it waits longer and longer between its attempts.
"""

import math
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg import Connection, IsolationLevel
from psycopg.abc import PQGen
from psycopg.errors import ReadOnlySqlTransaction

from gateway import database_patience
from notifications_site.postgresql.silence import Silence, Silent

T = TypeVar("T")

#: For a new connection, and for the question whether a kept one still works.
CONNECT_WITHIN = timedelta(seconds=1)
CHECK_WITHIN = timedelta(milliseconds=300)
#: A connection that answered so lately, and has not said anything since, is not asked whether it works. Should the way
#: to the server be cut in just that time, its next request is refused with 503; the one after gets a new connection.
TRUSTED_FOR = timedelta(seconds=1)
#: How often a waiting thread looks at the clock, in seconds.
LOOK_EVERY = 0.1

SILENCE = Silence()


class PatientConnection(Connection[Any]):
    """Waits as long as `database_patience` allows. Waiting in vain closes it: nobody knows what is under way."""

    #: While it is only asked whether it works: a connection may be dead though the server is well.
    is_checked = False
    #: What comes next is to have a new one.
    is_to_be_left = False
    #: By the monotonic clock.
    answered_at = -math.inf

    @property
    def is_trusted(self) -> bool:
        """Whether it worked a moment ago, and nothing has come since: a server that ends says so."""
        if self.closed or self.is_to_be_left or time.monotonic() - self.answered_at >= TRUSTED_FOR.total_seconds():
            return False
        line = select.poll()
        line.register(self.pgconn.socket, select.POLLIN)
        return not line.poll(0)

    def wait(self, gen: PQGen[T], interval: float = LOOK_EVERY, timeout: float | None = None) -> T:
        """psycopg's way to every answer of the server."""
        try:
            answer = self._wait(gen, interval, timeout)
        except ReadOnlySqlTransaction as error:
            # Another server may have taken over, and a new connection leads to it. This one would say so for ever. What
            # only reads may still end with it.
            self.is_to_be_left = True
            raise psycopg.OperationalError(str(error)) from error
        self.answered_at = time.monotonic()
        return answer

    def _wait(self, gen: PQGen[T], interval: float, timeout: float | None) -> T:
        left = database_patience.seconds_left()
        if left is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        wait = partial(super().wait, gen, interval)
        try:
            with database_patience.waiting():
                return wait(left) if self.is_checked else SILENCE.heed(wait, patience=left)
        except Silent:
            self.pgconn.finish()
            raise


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Django's hook; we never ask for another level of isolation."""
        self.isolation_level = IsolationLevel.READ_COMMITTED

        def connect() -> PatientConnection:
            return PatientConnection.connect(**conn_params)

        left = database_patience.seconds_left()
        if left is None:
            return connect()
        patience = min(left, CONNECT_WITHIN.total_seconds())
        with database_patience.waiting():
            return SILENCE.heed(lambda seconds: connected_within(seconds, connect), patience=patience)

    def close_if_health_check_failed(self) -> None:
        """Django's hook, at the first statement of a request."""
        if self.connection is not None and self.connection.is_trusted:
            self.health_check_done = True
        super().close_if_health_check_failed()

    def is_usable(self) -> bool:
        """Django's hook. What is left of the patience is needed for a new connection."""
        if self.connection is None or self.connection.is_to_be_left:
            return False
        self.connection.is_checked = True
        try:
            with database_patience.at_most(CHECK_WITHIN):
                return super().is_usable()
        finally:
            self.connection.is_checked = False


def connected_within(seconds: float, connect: Callable[[], PatientConnection]) -> PatientConnection:
    """A new connection. Raises `Silent`.

    libpq waits two seconds at least, and for a name server as long as that likes: so a thread of its own waits.
    """
    attempt: Future[PatientConnection] = Future()

    def run() -> None:
        try:
            attempt.set_result(connect())
        except Exception as error:  # noqa: BLE001  whatever it is, the one who waits gets it
            attempt.set_exception(error)

    threading.Thread(target=run, name="connect", daemon=True).start()
    try:
        return attempt.result(timeout=seconds)
    except TimeoutError as error:
        attempt.add_done_callback(close_late)
        raise Silent(f"No connection to PostgreSQL within {seconds:.1f} s.") from error


def close_late(attempt: "Future[PatientConnection]") -> None:
    """A connection that came when nobody waited any more. It says that the server is slow, but there."""
    if attempt.exception() is None:
        attempt.result().close()
        SILENCE.end()
