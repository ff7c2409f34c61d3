"""Many new notifications in one statement, leaving out those whose request id is known."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

import orjson
from django.db import connection, transaction

from gateway.models import Notification


def insert_new(rows: Sequence[Notification]) -> set[UUID]:
    """Insert `rows`, all columns given as values; returns the ids of those whose request id was new.

    Waits for others that are just inserting the same request ids, so give rows in the order of their request ids: two
    that share some then never wait for each other.
    """
    return _insert(rows) if rows else set()


@transaction.atomic
def _insert(rows: Sequence[Notification]) -> set[UUID]:
    if connection.vendor == "postgresql":
        return _as_one_document(rows)
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    return set(Notification.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))


def _as_one_document(rows: Sequence[Notification]) -> set[UUID]:
    """One parameter instead of one per value: the fastest way in, three times as fast as the ORM's."""
    document = orjson.dumps([{column: getattr(row, name) for column, name in _columns()} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [document.decode()])
        return {pk for (pk,) in cursor.fetchall()}


@cache
def _columns() -> tuple[tuple[str, str], ...]:
    """(column, attribute) of every field."""
    return tuple((str(field.column), field.attname) for field in Notification._meta.concrete_fields)


@cache
def _statement() -> str:
    table = connection.ops.quote_name(Notification._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(column) for column, _ in _columns())
    return (
        f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json) "  # noqa: S608  names of our own model
        "ON CONFLICT DO NOTHING RETURNING id"
    )
