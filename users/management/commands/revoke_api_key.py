"""Ends an API key."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from users.api_keys import revoke_api_key
from users.command_line import ExamplesCommand, key_id, sure
from users.models import ApiKey


class Command(ExamplesCommand):
    help = "End an API key at once and for good."
    examples = (
        "manage.py revoke_api_key 019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44",
        "manage.py revoke_api_key 019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44 --yes",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which."""
        parser.add_argument("id", metavar="ID", type=key_id, help="from list_api_keys")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0, also when it was revoked before; 1 for an unknown key or a no; 2 where nobody can be asked."""
        key = ApiKey.objects.filter(pk=options["id"]).first()
        if key is None:
            raise CommandError("There is no such key; list_api_keys --all shows them.")
        if not options["yes"] and not key.revoked_at:
            used = f"last used {key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never used"
            sure(self, f"Revoke {key.name} ({key.prefix}…) of {key.client}, {used}?")
        ended = revoke_api_key(key.pk, by="manage.py revoke_api_key")
        self.stdout.write(f"{key.name} ({key.prefix}…) {'is revoked' if ended else 'was revoked before'}.")
