"""Django's SQLite backend, with moments written as SQLite itself writes them."""

from datetime import datetime

from django.db.backends.sqlite3 import base, operations
from django.utils import timezone


class DatabaseOperations(operations.DatabaseOperations):
    def adapt_datetimefield_value(self, value: datetime | None) -> str | None:
        """Django's hook: a moment as text, and as text SQLite compares moments.

        Its own clock, Django's `Now()`, writes three decimals, always. `str()`, which Django uses, writes six or none:
        12:00:00.000 from the clock would come after the same moment given by us, and 12:00:00.123 before it.
        """
        if value is None:
            return None
        if timezone.is_aware(value):
            value = timezone.make_naive(value, self.connection.timezone)
        return value.isoformat(sep=" ", timespec="microseconds" if value.microsecond % 1000 else "milliseconds")


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
