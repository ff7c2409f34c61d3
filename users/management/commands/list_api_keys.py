"""Lists the keys of clients."""

import json
from typing import Any

from django.core.management.base import CommandParser

from users.command_line import ExamplesCommand
from users.json_text import rfc3339
from users.models import ApiKey

HEADS = ("id", "name", "type", "client", "key", "state", "last used", "from")


class Command(ExamplesCommand):
    help = "List the API keys: whose they are, and when they were used."
    examples = (
        "manage.py list_api_keys",
        "manage.py list_api_keys --client shop --all",
        "manage.py list_api_keys --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        parser.add_argument("--client", help="only those of this client")
        parser.add_argument("--all", action="store_true", help="also those that were revoked or have expired")
        parser.add_argument("--json", action="store_true", help="a JSON array on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Newest first; the keys themselves are known to nobody."""
        keys = ApiKey.objects.order_by("-pk") if options["all"] else ApiKey.objects.usable().order_by("-pk")
        if options["client"]:
            keys = keys.filter(client=options["client"])
        rows = [as_dict(key) for key in keys]
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
        elif rows:
            self.stdout.write(as_table(rows))
        else:
            self.stdout.write("There is none. A client needs one to send: manage.py create_api_key NAME")


def as_dict(key: ApiKey) -> dict[str, Any]:
    """One key."""
    return {
        "id": str(key.pk),
        "name": key.name,
        "type": key.mode,
        "client": key.client,
        "prefix": key.prefix,
        "state": key.state,
        "scopes": key.scopes,
        "limits": key.limits,
        "created_at": rfc3339(key.created_at),
        "expires_at": key.expires_at and rfc3339(key.expires_at),
        "revoked_at": key.revoked_at and rfc3339(key.revoked_at),
        "last_used_at": key.last_used_at and rfc3339(key.last_used_at),
        "last_used_from": key.last_used_from,
    }


def as_table(rows: list[dict[str, Any]]) -> str:
    """For people: columns as wide as what stands in them."""
    fields = ("id", "name", "type", "client", "prefix", "state", "last_used_at", "last_used_from")
    lines = [HEADS, *([str(row[field] or "–") for field in fields] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
