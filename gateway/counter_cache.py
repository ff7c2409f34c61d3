"""Where requests are counted: in Redis, or in one table. One statement each, so that no count is lost between two.

django-ratelimit speaks to a Django cache; its key already names client, policy and window, and it asks `add` first.
"""

import threading
import time
from datetime import timedelta
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.db import Error as DatabaseError
from django.db import connection

from gateway.models import RateCount
from users import shared_cache

#: What a counter is kept for when nobody says.
DEFAULT_TIMEOUT = timedelta(hours=1)
#: So many counters of its own a process keeps before it looks which are over.
TIDY_FROM = 10_000


class CounterCache(BaseCache):
    """What django-ratelimit needs of a cache; the subclasses say where the numbers are."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        #: Seconds. `add` is told, `incr` needs it; every thread has a cache of its own.
        self._lasts = DEFAULT_TIMEOUT.total_seconds()

    def add(self, key: str, value: Any, timeout: Any = None, version: int | None = None) -> bool:
        """Never: django-ratelimit then calls `incr`, which begins a counter as well."""
        self._lasts = timeout or DEFAULT_TIMEOUT.total_seconds()
        return False

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """One more; returns how many there are."""
        return self.count(self.make_key(key, version), round(self._lasts))

    def count(self, key: str, lasts: int) -> int:
        """One more under this key, which is of no use after `lasts` seconds."""
        raise NotImplementedError


class DatabaseCounterCache(CounterCache):
    """Exact, whatever processes there are; while the database is away or may only be read, this process counts."""

    def count(self, key: str, lasts: int) -> int:
        """One statement, outside any transaction of the request: a refused request counts too."""
        try:
            return self._one_more(key, lasts)
        except DatabaseError:
            return HERE.count(key, lasts)

    def _one_more(self, key: str, lasts: int) -> int:
        table = RateCount._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (key, count, ends_at) VALUES (%s, 1, %s) "  # noqa: S608  no foreign text in it
                f"ON CONFLICT (key) DO UPDATE SET count = {table}.count + 1 RETURNING count",
                [key, int(time.time()) + lasts],
            )
            return int(cursor.fetchone()[0])


def forget_counts() -> int:
    """Windows that are over. Returns how many."""
    return RateCount.objects.filter(ends_at__lt=int(time.time())).delete()[0]


class RedisCounterCache(CounterCache):
    """Shared and fast; while Redis is away, or its number is none, this process counts for itself."""

    def count(self, key: str, lasts: int) -> int:
        """One round trip."""
        shared = shared_cache.key_of("count", key)
        answers = shared_cache.ask([("INCR", shared), ("EXPIRE", shared, lasts)])
        if answers is not None:
            if isinstance(answers[0], int) and answers[0] > 0:
                return answers[0]
            shared_cache.ask([("DEL", shared)])  # somebody put something else there
        return HERE.count(key, lasts)


class LocalCounters:
    """The numbers of one process, for as long as nothing better can be had."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[int, float]] = {}

    def count(self, key: str, lasts: int) -> int:
        """One more."""
        now = time.monotonic()
        with self._lock:
            if len(self._counts) >= TIDY_FROM:
                self._counts = {name: kept for name, kept in self._counts.items() if kept[1] > now}
            number, ends_at = self._counts.get(key, (0, now + lasts))
            self._counts[key] = (number + 1, ends_at)
            return number + 1


#: Of this process.
HERE = LocalCounters()
