"""The time all processes agree on: the database's."""

from datetime import UTC, datetime
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


def in_zone(moment: datetime, timezone: str) -> str:
    """A moment as a wall clock in `timezone` shows it: 2026-11-23 07:00 (Europe/Vienna)."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%Y-%m-%d %H:%M} ({timezone})"
