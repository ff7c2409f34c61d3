"""Pages of a list, newest first, by cursors (section 5 of the API document). No query skips rows."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from django.core import signing
from django.db.models import Model, QuerySet
from rest_framework.request import Request

from users.problems import FieldError, Problem

PAGE_SIZE, LARGEST_PAGE = 50, 200
#: `?count=true` counts no further.
COUNTED = 10_000
#: What every list takes behind the question mark, besides its filters.
PARAMETERS = frozenset({"cursor", "page_size", "count"})
_SALT = "cursor"

Row = TypeVar("Row", bound=Model)


class _Cursor(NamedTuple):
    """Rows older than this one, or newer."""

    pk: UUID
    is_backward: bool


def page_answer(request: Request, rows: QuerySet[Row], *, shown: Callable[[Row], Mapping[str, Any]]) -> dict[str, Any]:
    """The page a request asks for. The keys of `rows` are UUIDv7: their order is the order of time."""
    size, cursor, count = _asked(request)
    found, has_older, has_newer = _rows(rows, size, cursor)
    answer: dict[str, Any] = {
        "results": [shown(each) for each in found],
        "next": _link(request, _Cursor(found[-1].pk, is_backward=False)) if found and has_older else None,
        "previous": _link(request, _Cursor(found[0].pk, is_backward=True)) if found and has_newer else None,
    }
    if count:
        counted = len(rows.order_by().values_list("pk")[: COUNTED + 1])
        answer |= {"count": min(counted, COUNTED)} | ({"count_is_exact": False} if counted > COUNTED else {})
    return answer


def whole_list(results: list[dict[str, Any]]) -> dict[str, Any]:
    """A list that always fits on one page."""
    return {"results": results, "next": None, "previous": None}


def _rows(rows: QuerySet[Row], size: int, cursor: _Cursor | None) -> tuple[list[Row], bool, bool]:
    """The rows of a page, and whether there are older and newer ones."""
    if cursor is None:
        found = list(rows.order_by("-pk")[: size + 1])
        return found[:size], len(found) > size, False
    if cursor.is_backward:
        found = list(rows.filter(pk__gt=cursor.pk).order_by("pk")[: size + 1])
        return found[:size][::-1], True, len(found) > size
    found = list(rows.filter(pk__lt=cursor.pk).order_by("-pk")[: size + 1])
    return found[:size], len(found) > size, True


def _asked(request: Request) -> tuple[int, _Cursor | None, bool]:
    """Page size, cursor, whether to count. Raises `Problem`."""
    errors = []
    text = request.query_params.get("page_size", str(PAGE_SIZE))
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
    if not 1 <= size <= LARGEST_PAGE:
        errors.append(FieldError("?page_size", "out_of_range", f"Use a whole number from 1 to {LARGEST_PAGE}."))
    count = request.query_params.get("count", "false")
    if count not in ("true", "false"):
        errors.append(FieldError("?count", "invalid_choice", "Use true or false."))
    if errors:
        raise Problem("validation_error", errors=errors)
    written = request.query_params.get("cursor")
    return size, None if written is None else _read(written), count == "true"


def _read(written: str) -> _Cursor:
    try:
        pk, is_backward = signing.loads(written, salt=_SALT)
        return _Cursor(UUID(pk), bool(is_backward))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise Problem("invalid_cursor") from error


def _link(request: Request, cursor: _Cursor) -> str:
    written = signing.dumps([str(cursor.pk), cursor.is_backward], salt=_SALT)
    kept = [(name, value) for name, value in request.query_params.items() if name != "cursor"]
    return f"{request.path}?{urlencode([*kept, ('cursor', written)])}"
