"""Many rows of one table in one statement.

PostgreSQL gets them as one document instead of one parameter per value: the fastest way in, three times as fast as the
ORM's `bulk_create`, which does it everywhere else.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault

from gateway.models import Notification
from users.encrypted_fields import EncryptedField


def insert_new(rows: Sequence[Notification]) -> set[UUID]:
    """Insert notifications; returns the ids of those whose request id was new.

    Waits for others that are just inserting the same request ids, so give rows in the order of their request ids: two
    that share some then never wait for each other.
    """
    if not rows:
        return set()
    if connection.vendor == "postgresql":
        return _insert_document(rows, " ON CONFLICT DO NOTHING RETURNING id")
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    found = Notification.objects.filter(pk__in=[row.pk for row in rows])
    ours = {(row.pk, row.created_at) for row in rows}
    return {pk for pk, created_at in found.values_list("pk", "created_at") if (pk, created_at) in ours}


def insert_all(rows: Sequence[Model]) -> None:
    """Insert rows of one model. What the database fills in by itself is left to it, and not read back."""
    if not rows:
        return
    if connection.vendor == "postgresql":
        _insert_document(rows)
    else:
        type(rows[0])._default_manager.bulk_create(rows)


def insert_values(model: type[Model], values: Sequence[dict[str, object]]) -> None:
    """The same of plain values, by column and in JSON's types or ids: all have the same columns. For what is written
    for every notification: an instance of a model costs more than its row.
    """
    if not values:
        return
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create([model(**each) for each in values])
        return
    fields = tuple(field for field in model._meta.concrete_fields if field.column in values[0])
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, fields), [orjson.dumps(values).decode()])


def _insert_document(rows: Sequence[Model], ending: str = "") -> set[UUID]:
    fields = tuple(field for field in rows[0]._meta.concrete_fields if _is_given(rows[0], field))
    document = orjson.dumps([{field.column: _as_stored(field, row) for field in fields} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(rows[0]), fields) + ending, [document.decode()])
        return {pk for (pk,) in cursor.fetchall()} if ending else set()


def _is_given(row: Model, field: "Field[object, object]") -> bool:
    value = getattr(row, field.attname)
    return not isinstance(value, DatabaseDefault) and not (field.primary_key and value is None)


def _as_stored(field: "Field[object, object]", row: Model) -> object:
    """PostgreSQL makes a column's value of anything JSON knows; only what is to be encrypted we make ourselves."""
    value = getattr(row, field.attname)
    return field.get_db_prep_save(value, connection) if isinstance(field, EncryptedField) else value


@cache
def _statement(model: type[Model], fields: "tuple[Field[object, object], ...]") -> str:
    table = connection.ops.quote_name(model._meta.db_table)
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    # Names of our own models, no foreign text.
    return f"INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %s::json)"  # noqa: S608


def update_each(model: type[Model], values: Sequence[dict[str, object]], *, and_set: str, only_if: str) -> None:
    """Write into each row its own values: dicts with the same columns, each with the row's `id`, no id twice.

    `and_set` and `only_if` are SQL, where `{table}` stands for the table; percent signs are doubled. No foreign text.
    """
    if not values:
        return
    table = connection.ops.quote_name(model._meta.db_table)
    columns = [name for name in values[0] if name != "id"]
    condition = f"({only_if.format(table=table)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            written = ", ".join(f"{name} = given.{name}" for name in columns)
            given = f"json_populate_recordset(NULL::{table}, %s::json) AS given"
            where = f"{table}.id = given.id AND {condition}"
            statement = f"UPDATE {table} SET {written}, {and_set} FROM {given} WHERE {where}"  # noqa: S608
            cursor.execute(statement, [orjson.dumps(values).decode()])
        else:
            written = ", ".join(f"{name} = %s" for name in columns)
            statement = f"UPDATE {table} SET {written}, {and_set} WHERE id = %s AND {condition}"  # noqa: S608
            cursor.executemany(statement, [_parameters(model, each, columns) for each in values])


def _parameters(model: type[Model], values: dict[str, object], columns: Sequence[str]) -> list[Any]:
    fields = [field for name in (*columns, "id") if isinstance(field := model._meta.get_field(name), Field)]
    return [field.get_db_prep_value(values[field.name], connection) for field in fields]
