"""Erases a person."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from users.command_line import USAGE, ExamplesCommand, operator, sure
from users.management.commands.export_recipient import person_or_error
from users.models import User
from users.privacy import erase_recipient


class Command(ExamplesCommand):
    help = "Erase a person for good; old notifications keep only the id."
    examples = (
        'manage.py erase_recipient user-123 --reason "asked on 3 May"',
        'manage.py erase_recipient user-123 --reason "asked on 3 May" --yes --json',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, and why."""
        parser.add_argument("id", metavar="ID", help="the client's id or ours")
        parser.add_argument("--reason", metavar="WORDS", required=True, help="why; kept in the audit log")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when erased; 1 when not wanted after all; 2 when there is no such person."""
        why = options["reason"].strip()
        if not why or len(why) > 200 or not why.isprintable():
            raise CommandError("--reason has 1 to 200 printable characters.", returncode=USAGE)
        person = person_or_error(options["id"])
        if not options["yes"]:
            sure(self, f"Erase {person.public_id}, wishes, devices and contents of notifications, for good?")
        try:
            counts = erase_recipient(person.pk, who=f"{operator()} (command line)", why=why)
        except User.DoesNotExist as error:
            raise CommandError("Somebody else has just erased this person.") from error
        if options["json"]:
            self.stdout.write(json.dumps({"id": str(person.pk), "erased": counts}))
        else:
            parts = ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items())
            self.stdout.write(f"Erased: {person.public_id} ({parts}).")
