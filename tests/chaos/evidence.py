"""Reads the three logs: the client's, the provider's, and the database past all code of the product."""

import contextlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID

import psycopg

from tests.chaos.checker import HOLD, RESEND, Evidence, Row
from tests.chaos.logging_provider import taken_ids

Query = Callable[[str], list[tuple]]

NOTIFICATIONS = """
    SELECT n.id, n.status, t.on_unknown, n.request_id, n.reason, n.possible_duplicate, n.crash_count, n.publish_count
    FROM gateway_notification n JOIN templates_app_template t ON t.id = n.template_id
"""
EVENTS = "SELECT notification_id, type FROM gateway_notificationevent ORDER BY id"
ATTEMPTS = "SELECT notification_id, outcome FROM gateway_deliveryattempt ORDER BY started_at, id"
#: How many are still on their way; a doubt that is held has come to its end.
UNSETTLED = f"""
    SELECT count(*) FROM gateway_notification n JOIN templates_app_template t ON t.id = n.template_id
    WHERE n.status IN ('accepted', 'queued', 'claimed', 'sending')
    OR (n.status = 'unknown' AND t.on_unknown <> '{HOLD}')
"""  # noqa: S608  no foreign text in it


def postgresql(url: str) -> Query:
    def ask(statement: str) -> list[tuple]:
        with psycopg.connect(url, connect_timeout=5) as database:
            return database.execute(statement).fetchall()

    return ask


def sqlite(path: Path) -> Query:
    def ask(statement: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            return database.execute(statement).fetchall()

    return ask


def gather(*, client_log: Path, provider_log: Path, database: Query) -> Evidence:
    """Read when everything has come to rest."""
    asked, acknowledged = read_client_log(client_log)
    return Evidence(asked=asked, acknowledged=acknowledged, taken=taken_ids(provider_log), rows=rows_of(database))


def read_client_log(path: Path) -> tuple[frozenset[str], list[tuple[str, UUID]]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    asked = frozenset(line["asked"] for line in lines if "asked" in line)
    told = [(line["acknowledged"], UUID(line["id"])) for line in lines if "acknowledged" in line]
    return asked, told


def rows_of(database: Query) -> dict[UUID, Row]:
    events, attempts = _by_id(database(EVENTS)), _by_id(database(ATTEMPTS))
    return {
        _uuid(id_): Row(
            status=status,
            rule=rule if rule == HOLD else RESEND,
            request_id=request_id or "",
            reason=reason,
            is_flagged=bool(is_flagged),
            events=events[_uuid(id_)],
            attempts=attempts[_uuid(id_)],
            crash_count=crash_count,
            publish_count=publish_count,
        )
        for id_, status, rule, request_id, reason, is_flagged, crash_count, publish_count in database(NOTIFICATIONS)
    }


def _by_id(rows: Iterable[tuple]) -> dict[UUID, tuple]:
    found: defaultdict[UUID, tuple] = defaultdict(tuple)
    for id_, value in rows:
        found[_uuid(id_)] += (value,)
    return found


def _uuid(value: object) -> UUID:
    """SQLite keeps them as text without dashes."""
    return value if isinstance(value, UUID) else UUID(str(value))
