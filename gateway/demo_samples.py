"""The requests a newcomer pastes first, and how they look as curl. Shown by `run_platform` and the start page."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request that works with the demo data."""

    title: str | Promise
    body: Mapping[str, Any]


#: The request of the API document, to the letter.
FIRST = Sample(
    title=_("An e-mail"),
    body={
        "notification_type": "email",
        "user_id": "user-123",
        "template_code": "welcome_email",
        "variables": {"name": "John Doe", "verification_link": "https://app.example.com/verify/abc123"},
        "request_id": "req-123456",
        "priority": "high",
    },
)
OTHER_LANGUAGE = Sample(
    title=_("The same in German: the person decides the language"),
    body={
        "notification_type": "email",
        "user_id": "user-jonas",
        "template_code": "welcome_email",
        "variables": {"name": "Jonas", "verification_link": "https://app.example.com/verify/def456"},
        "request_id": "req-123457",
        "priority": "high",
    },
)
PUSH = Sample(
    title=_("A push"),
    body={
        "notification_type": "push",
        "user_id": "user-123",
        "template_code": "order_shipped",
        "variables": {
            "name": "Ann",
            "order_id": "HB-20418",
            "link": "https://shop.example.com/orders/HB-20418/track",
        },
        "request_id": "req-123458",
    },
)
SAMPLES = (FIRST, OTHER_LANGUAGE, PUSH)


def submit_with_curl(body: Mapping[str, Any], *, base_url: str, api_key: str) -> str:
    """A command for a POSIX shell that submits `body`; works as it is when pasted."""
    lines = [
        f"curl -X POST {base_url}/api/v1/notifications/",
        f"  -H {shlex.quote(f'Authorization: Bearer {api_key}')}",
        "  -H 'Content-Type: application/json'",
        f"  -d {shlex.quote(json.dumps(body, indent=2, ensure_ascii=False))}",
    ]
    return " \\\n".join(lines)


def status_with_curl(*, base_url: str, api_key: str) -> str:
    """A command for a POSIX shell that asks where a notification is; ID stands for the id of the answer."""
    return f"curl -H {shlex.quote(f'Authorization: Bearer {api_key}')} \\\n  {base_url}/api/v1/notifications/ID/status"
