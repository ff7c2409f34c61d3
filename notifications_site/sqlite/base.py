"""Django's SQLite backend, with moments written as SQLite itself writes them.

As text SQLite compares moments. Its own clock, Django's `Now()`, writes three decimals, always. `str()`, which Django
uses for values and for sums, writes six or none: 12:00:00.000 from the clock would come after the same moment given by
us, and 12:00:00.123 before it.
"""

import sqlite3
from datetime import datetime
from typing import Any

from django.db.backends.sqlite3 import base, operations
from django.db.backends.sqlite3._functions import _sqlite_format_dtdelta  # type: ignore[import-untyped]
from django.utils import timezone

#: How long a moment is that `str()` wrote without and with decimals.
WITHOUT, WITH = len("2026-05-04 12:00:00"), len("2026-05-04 12:00:00.123456")


def moved(connector: str | None, left: str | float | None, right: str | float | None) -> str | float | None:
    """A moment moved by a duration, `Now() - timedelta(hours=1)`; other sums as Django makes them."""
    result: str | float | None = _sqlite_format_dtdelta(connector, left, right)
    if not isinstance(result, str) or result[10:11] != " ":
        return result
    if len(result) == WITHOUT:
        return f"{result}.000"
    return result.removesuffix("000") if len(result) == WITH else result


class DatabaseOperations(operations.DatabaseOperations):
    def adapt_datetimefield_value(self, value: datetime | None) -> str | None:
        """Django's hook: a moment as text."""
        if value is None:
            return None
        if timezone.is_aware(value):
            value = timezone.make_naive(value, self.connection.timezone)
        return value.isoformat(sep=" ", timespec="microseconds" if value.microsecond % 1000 else "milliseconds")


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> sqlite3.Connection:
        """Django's hook: with our sums instead of Django's."""
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        connection.create_function("django_format_dtdelta", 3, moved, deterministic=True)
        return connection
