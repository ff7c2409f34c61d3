"""What we say as JSON. Of the standard library and orjson alone: consumers need no API framework for it."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import orjson
from django.utils.functional import Promise


def rfc3339(moment: datetime) -> str:
    """`2026-11-22T10:15:00.000Z`: UTC with milliseconds. The moment must know its zone."""
    if moment.tzinfo is None:
        raise TypeError("A moment without a time zone cannot be shown.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_json(value: object) -> bytes:
    """Any answer of ours as UTF-8 JSON. Raises TypeError for what has no JSON form."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError as error:
        if "64-bit" not in str(error):
            raise
        # Clients may send integers of any size in variables and metadata; the standard library gives them back whole.
        return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: object) -> object:
    """What the encoders do not know by themselves."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Promise | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form.")
