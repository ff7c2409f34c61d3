"""The time all processes agree on: the database's."""

import math
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models.functions import Now

from gateway.models import Notification


@cache
def now_sql() -> str:
    """The database's clock in its own SQL; to be executed with parameters (percent signs are doubled)."""
    compiler = Notification.objects.all().query.get_compiler(connection=connection)
    return str(compiler.compile(Now())[0])


def database_now() -> datetime:
    """The database's clock, aware, in UTC. One short query."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {now_sql()} WHERE %s", [True])
        value: datetime | str = cursor.fetchone()[0]
    # SQLite has no type for moments; it answers with text in UTC.
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


#: A reading of the database's clock is carried on by our own for so long.
CARRIED_FOR = timedelta(seconds=2)
#: Two clocks may drift apart by less than this in that time.
MARGIN = timedelta(milliseconds=1)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class _Carried:
    """The last reading, with the moment of our own clock at which its answer came."""

    def __init__(self) -> None:
        self.reading = (_EPOCH, -math.inf)

    def now(self) -> datetime:
        """Threads may read it at once: at worst both ask."""
        read, at = self.reading
        since = time.monotonic() - at
        if since > CARRIED_FOR.total_seconds():
            read = database_now()
            self.reading = (read, time.monotonic())
            since = 0.0
        return read + timedelta(seconds=since) - MARGIN


_carried = _Carried()


def about_now() -> datetime:
    """The database's clock, a few milliseconds slow and never fast: what is due now is due for everybody at once.

    For whoever accepts much: it asks the database every other second only.
    """
    return _carried.now()


def in_zone(moment: datetime, timezone: str) -> str:
    """A moment as a wall clock in `timezone` shows it: 2026-11-23 07:00 (Europe/Vienna)."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M} ({timezone})"
