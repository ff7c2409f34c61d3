"""How long the database takes, for /metrics: every connection is timed from its opening on."""

import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from gateway.metrics import note_query


def time_queries(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receives Django's `connection_created`."""
    if time_query not in connection.execute_wrappers:
        # In front: whoever wraps for a while takes away the last one afterwards.
        connection.execute_wrappers.insert(0, time_query)


def time_query(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """One statement; also one that fails has taken its time."""
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        note_query(time.perf_counter() - began)
