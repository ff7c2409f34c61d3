"""Gives out all that is kept about a person."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from users.command_line import USAGE, ExamplesCommand, operator
from users.json_text import to_json
from users.models import User
from users.people import person_called
from users.privacy import export_recipient


class Command(ExamplesCommand):
    help = "Write all that is kept about a person as JSON."
    examples = (
        "manage.py export_recipient user-123",
        "manage.py export_recipient user-123 --out user-123.json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Who, and where to."""
        parser.add_argument("id", metavar="ID", help="the client's id or ours")
        parser.add_argument("--out", metavar="FILE", type=Path, help="a new file, readable by you only (default: here)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 when there is no such person, or the file is there already."""
        person = person_or_error(options["id"])
        found = to_json(export_recipient(person, who=f"{operator()} (command line)"))
        if options["out"] is None:
            self.stdout.write(found.decode())
            return
        try:
            with open(options["out"], "xb", opener=_for_owner_only) as file:
                file.write(found)
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}.", returncode=USAGE) from error
        self.stdout.write(f"Written: {options['out']}. It holds personal data: delete it when it is handed over.")


def person_or_error(user_id: str) -> User:
    """The person with this id. Raises CommandError."""
    person = person_called(user_id)
    if person is None:
        raise CommandError(f"{user_id!r} is nobody: give the client's id or ours.", returncode=USAGE)
    return person


def _for_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
