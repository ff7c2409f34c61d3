"""Whether the database has changed at all since the last look: a question that costs far less than any other.

Only SQLite answers it, by a counter of its own. Elsewhere something may always have changed.
"""

from typing import Any

from django.db import connection


class ChangeWatch:
    """Looks by the connection of the thread that asks; each thread has a watch of its own."""

    def __init__(self) -> None:
        self._seen: tuple[Any, int, int] | None = None

    def may_have_changed(self) -> bool:
        """Whether anybody has written since this was asked last. Ask before you read: then nothing is missed."""
        if connection.vendor != "sqlite":
            return True
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA data_version")  # changes with what others commit
            (version,) = cursor.fetchone()
        raw = connection.connection  # another one begins to count anew
        now = (raw, version, raw.total_changes)  # and that with what we write ourselves
        before, self._seen = self._seen, now
        return now != before
