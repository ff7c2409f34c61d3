"""Has it changed since the client read it: `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1)."""

import hashlib
import json
import re

from rest_framework.request import Request

from users.problems import Problem

_TAG = re.compile(r'(?:W/)?"[^"]*"')


def etag_of(value: object) -> str:
    """A strong tag of anything JSON has a form for: equal for equal values, whatever the order of their keys."""
    written = json.dumps(value, sort_keys=True, default=str).encode()
    return f'"{hashlib.sha256(written).hexdigest()[:32]}"'


def wanted_tags(request: Request) -> frozenset[str] | None:
    """What `If-Match` names; None without it, or with `*`: then any state will do. Weak tags match nothing."""
    given = request.headers.get("If-Match", "").strip()
    if not given or given == "*":
        return None
    return frozenset(_TAG.findall(given))


def refuse_stale(wanted: frozenset[str] | None, present: str) -> None:
    """Raises the problem of a stale `If-Match`; it carries the tag of now."""
    if wanted is not None and present not in wanted:
        raise Problem("precondition_failed", headers={"ETag": present})
