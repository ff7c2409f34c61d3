"""Makes the groups of the staff roles as the code says."""

import json
from typing import Any

from django.core.management.base import CommandParser

from users.command_line import ExamplesCommand
from users.staff_roles import sync_staff_roles


class Command(ExamplesCommand):
    help = "Make the groups of the six staff roles anew; migrate does it too."
    examples = ("manage.py sync_staff_roles", "manage.py sync_staff_roles --json")

    def add_arguments(self, parser: CommandParser) -> None:
        """Nothing to choose."""
        parser.add_argument("--json", action="store_true", help="how many permissions changed, by role, as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Repeatable."""
        changed = sync_staff_roles()
        if options["json"]:
            self.stdout.write(json.dumps(changed))
            return
        for role, count in changed.items():
            self.stdout.write(f"{role.group}: {f'{count} permissions changed' if count else 'as it should be'}")
