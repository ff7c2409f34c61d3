"""Replaces an API key by a new one of the same client."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from users.api_keys import OVERLAP, KeyNotUsable, rotate_api_key
from users.command_line import ExamplesCommand, duration, key_id
from users.management.commands.create_api_key import as_json, as_text


class Command(ExamplesCommand):
    help = "Make a new key in place of one; the old one works on for a while."
    examples = (
        "manage.py rotate_api_key 019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44",
        "manage.py rotate_api_key 019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44 --overlap 2h --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and for how long both work."""
        parser.add_argument("id", metavar="ID", type=key_id, help="from list_api_keys")
        words = "so long the old key works on: 45s, 30m, 12h or 7d (default: 24h)"
        parser.add_argument("--overlap", type=duration, default=OVERLAP, metavar="24h", help=words)
        parser.add_argument("--json", action="store_true", help="only the new key as a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 1 for a key that is unknown, revoked or expired."""
        overlap: timedelta = options["overlap"]
        try:
            key, plain = rotate_api_key(options["id"], overlap=overlap, by="manage.py rotate_api_key")
        except KeyNotUsable as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(as_json(key, plain))
        else:
            self.stdout.write(f"{as_text(key, plain)}\nThe old key works for {overlap} more.")
