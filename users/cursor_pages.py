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
#: What `ordering` may be, where a list takes it.
NEWEST_FIRST, OLDEST_FIRST = "-created_at", "created_at"
_SALT = "cursor"

Row = TypeVar("Row", bound=Model)


class _Cursor(NamedTuple):
    """Rows behind this one in the order of the list, or before it."""

    pk: UUID
    is_backward: bool


def page_answer(request: Request, rows: QuerySet[Row], *, shown: Callable[[Row], Mapping[str, Any]]) -> dict[str, Any]:
    """The page a request asks for. The keys of `rows` are UUIDv7: their order is the order of time."""
    size, cursor, count = _asked(request)
    found, has_more, has_less = _rows(rows, size, cursor, is_turned=_is_turned(request))
    answer: dict[str, Any] = {
        "results": [shown(each) for each in found],
        "next": _link(request, _Cursor(found[-1].pk, is_backward=False)) if found and has_more else None,
        "previous": _link(request, _Cursor(found[0].pk, is_backward=True)) if found and has_less else None,
    }
    if count:
        counted = len(rows.order_by().values_list("pk")[: COUNTED + 1])
        answer |= {"count": min(counted, COUNTED)} | ({"count_is_exact": False} if counted > COUNTED else {})
    return answer


def whole_list(results: list[dict[str, Any]]) -> dict[str, Any]:
    """A list that always fits on one page."""
    return {"results": results, "next": None, "previous": None}


def _rows(rows: QuerySet[Row], size: int, cursor: _Cursor | None, *, is_turned: bool) -> tuple[list[Row], bool, bool]:
    """The rows of a page, and whether there are some after and before it."""
    is_backward = cursor is not None and cursor.is_backward
    is_upward = is_turned is not is_backward  # from small keys to large ones
    if cursor is not None:
        rows = rows.filter(pk__gt=cursor.pk) if is_upward else rows.filter(pk__lt=cursor.pk)
    found = list(rows.order_by("pk" if is_upward else "-pk")[: size + 1])
    has_further = len(found) > size
    if is_backward:
        return found[:size][::-1], True, has_further
    return found[:size], has_further, cursor is not None


def _is_turned(request: Request) -> bool:
    """Whether the oldest come first. Raises `Problem`."""
    ordering = request.query_params.get("ordering", NEWEST_FIRST)
    if ordering not in (NEWEST_FIRST, OLDEST_FIRST):
        words = f"Use {OLDEST_FIRST} or {NEWEST_FIRST}."
        raise Problem("validation_error", errors=[FieldError("?ordering", "invalid_choice", words)])
    return ordering == OLDEST_FIRST


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
