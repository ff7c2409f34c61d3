"""News that something is due, from whoever accepts to whoever waits, through the database (PostgreSQL's NOTIFY).

Only a short cut: nobody relies on it, everybody who waits looks by himself every second or so.
"""

import time
from datetime import timedelta

import structlog
from django.db import Error, connection, transaction

log = structlog.stdlib.get_logger(__name__)

#: The name under which PostgreSQL passes the news on, within one database.
SIGNAL = "notifications_due"


def announce_due() -> None:
    """Wake those who wait, after the commit. Costs one short statement; trouble with it concerns nobody.

    Not within the transaction that inserts: commits that carry a NOTIFY wait for each other.
    """
    if connection.vendor == "postgresql":
        transaction.on_commit(_notify, robust=True)


def wait_for_due(within: timedelta) -> bool:
    """Sleep until there is news, or `within` is over; whether there was news. Not inside a transaction."""
    if connection.vendor != "postgresql":
        time.sleep(within.total_seconds())
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {SIGNAL}")  # repeated at no cost; a new connection has not heard of it yet
    with connection.wrap_database_errors:
        # The first one wakes us; the others that have come with it are told by the same look into the table.
        heard = list(connection.connection.notifies(timeout=within.total_seconds(), stop_after=1))
        heard += connection.connection.notifies(timeout=0)
    return bool(heard)


def _notify() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {SIGNAL}")
    except Error as error:
        log.debug("Nobody was told that something is due.", action="notify", detail=type(error).__name__)
