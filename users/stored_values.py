"""Values of a table rewritten where they lie, in batches: for the migrations that encrypt, and that take it back."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models, transaction

from users.encryption import CannotOpen, opened_bytes, seal_bytes

#: Rows under one commit.
BATCH = 500
#: What becomes of a row: its new values by column, from the row as it is.
Rewrite = Callable[[Any], Mapping[str, Any]]


def rewrite_rows(model: type[models.Model], rewrite: Rewrite) -> int:
    """Every row gets the values `rewrite` gives for it, in the order of the keys. Returns how many rows.

    May be broken off and begun anew when `rewrite` knows what it has written.
    """
    rows, done, last = model._default_manager.order_by("pk"), 0, None
    while True:
        with transaction.atomic():
            batch = list((rows if last is None else rows.filter(pk__gt=last)).select_for_update()[:BATCH])
            for row in batch:
                model._default_manager.filter(pk=row.pk).update(**rewrite(row))
        if not batch:
            return done
        done, last = done + len(batch), batch[-1].pk


def sealed_once(plain: str | bytes | None, purpose: str) -> str | None:
    """Sealed, unless it is already, or empty."""
    if not plain:
        return plain if plain is None else ""
    if isinstance(plain, str) and plain.startswith("v2."):
        try:
            opened_bytes(plain, purpose=purpose)
        except CannotOpen:
            pass  # somebody's own text that only begins like ours
        else:
            return plain
    return seal_bytes(plain.encode() if isinstance(plain, str) else plain, purpose=purpose)


def opened_once(sealed: str | None, purpose: str) -> bytes | None:
    """The other way round."""
    if not sealed:
        return sealed if sealed is None else b""
    try:
        return opened_bytes(sealed, purpose=purpose)
    except CannotOpen:
        return sealed.encode()
