"""Use case: bring everything that is sealed under the first key of the ring, while the platform runs.

Row by row: read with whichever key fits, written anew with the first. What is under the first key already is not
looked at, so it may be broken off at any moment and begun anew.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import Q

from users.encrypted_fields import EncryptedField
from users.encryption import CannotOpen, newest_prefix, opened, seal

#: Rows under one commit: no consumer waits long for them.
BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedTable:
    """A model and what it holds that is sealed."""

    model: type[models.Model]
    #: Encrypted fields.
    fields: Sequence[str] = ()
    #: Columns sealed for the row they stand in: name → purpose. The model names them in `sealed_for_row`.
    for_row: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For people."""
        return self.model._meta.label

    def outdated(self) -> "models.QuerySet[Any]":
        """Rows with anything under another key than the first."""
        prefix, meant = newest_prefix(), Q()
        for name in self.fields:
            # What is empty is not sealed; whatever is sealed begins with a v.
            meant |= Q(**{f"{name}__sealed_under": "v"}) & ~Q(**{f"{name}__sealed_under": prefix})
        for name in self.for_row:
            meant |= ~Q(**{f"{name}__startswith": prefix}) & ~Q(**{name: ""})
        return self.model._base_manager.filter(meant).order_by("pk")


def sealed_tables() -> list[SealedTable]:
    """Every model of the installation that holds anything sealed."""
    found = []
    for model in apps.get_models():
        if model._meta.proxy:
            continue
        fields = [each.name for each in model._meta.local_fields if isinstance(each, EncryptedField)]
        for_row = getattr(model, "sealed_for_row", {})
        if fields or for_row:
            found.append(SealedTable(model=model, fields=fields, for_row=for_row))
    return found


@dataclass(slots=True)
class Rotated:
    """What came of a table."""

    name: str
    #: Rows brought under the first key, or that would be.
    rows: int = 0
    #: Rows that no key of the ring opens; they stay as they are.
    unreadable: int = 0


def outdated_rows() -> list[Rotated]:
    """How many rows of each table are not under the first key. Reads every table once."""
    return [Rotated(table.name, rows=table.outdated().count()) for table in sealed_tables()]


def rotate_encryption_keys(*, on_batch: Callable[[int], None] = lambda count: None) -> list[Rotated]:
    """Seal everything under the first key. `on_batch` is told how many rows after each commit."""
    return [_rotate(table, on_batch) for table in sealed_tables()]


def _rotate(table: SealedTable, on_batch: Callable[[int], None]) -> Rotated:
    done = Rotated(table.name)
    for keys in _batches(table):
        try:
            count = _seal_anew(table, keys)
        except CannotOpen:
            count = sum(_seal_anew_if_readable(table, key) for key in keys)
            done.unreadable += len(keys) - count
        done.rows += count
        on_batch(count)
    return done


def _batches(table: SealedTable) -> Iterator[list[Any]]:
    rows = table.outdated().values_list("pk", flat=True)
    size = getattr(table.model, "sealed_batch", BATCH)
    keys = list(rows[:size])
    while keys:
        yield keys
        keys = list(rows.filter(pk__gt=keys[-1])[:size])


@transaction.atomic
def _seal_anew(table: SealedTable, keys: Sequence[Any]) -> int:
    """Under locks: what somebody writes at the same moment is neither overwritten nor missed."""
    names = [*table.fields, *table.for_row]
    locked = table.model._base_manager.select_for_update().filter(pk__in=keys).order_by("pk").only("pk", *names)
    rows = list(locked)
    for row in rows:
        for name, purpose in table.for_row.items():
            if sealed := getattr(row, name):
                owner = str(row.pk)
                setattr(row, name, seal(opened(sealed, purpose=purpose, owner=owner), purpose=purpose, owner=owner))
    table.model._base_manager.bulk_update(rows, names)
    return len(rows)


def _seal_anew_if_readable(table: SealedTable, key: Any) -> int:
    try:
        return _seal_anew(table, [key])
    except CannotOpen:
        return 0
