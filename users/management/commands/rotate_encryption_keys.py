"""Brings everything that lies encrypted under the newest key."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from users.command_line import PARTLY, USAGE, ExamplesCommand, Progress
from users.key_rotation import Rotated, outdated_rows, rotate_encryption_keys


class Command(ExamplesCommand):
    help = "Bring everything that lies encrypted under the newest key."
    examples = (
        "ENCRYPTION_KEYS=k2:…,k1:… manage.py rotate_encryption_keys --dry-run",
        "ENCRYPTION_KEYS=k2:…,k1:… manage.py rotate_encryption_keys",
        "ENCRYPTION_KEYS=k2:…,k1:… manage.py rotate_encryption_keys --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The keys themselves are a setting."""
        parser.add_argument("--dry-run", action="store_true", help="only count what is under older keys")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 without keys; 3 when something could not be read, or when it was broken off."""
        if not settings.ENCRYPTION_KEYS:
            raise CommandError("ENCRYPTION_KEYS is not set: there is no newest key.", returncode=USAGE)
        done = outdated_rows() if options["dry_run"] else self._rotate()
        key = settings.ENCRYPTION_KEYS[0].id
        self.stdout.write(as_json(done, key, options) if options["json"] else as_text(done, key, options))
        if unreadable := sum(each.unreadable for each in done):
            raise CommandError(
                f"{unreadable} rows open with none of the keys. Add the key they were sealed under.", returncode=PARTLY
            )

    def _rotate(self) -> list[Rotated]:
        progress = Progress(self)
        try:
            return rotate_encryption_keys(on_batch=progress.note)
        except KeyboardInterrupt as error:
            words = f"Interrupted after {progress.done} rows. Run it again: it goes on where it was."
            raise CommandError(words, returncode=PARTLY) from error
        finally:
            progress.close()


def as_json(done: list[Rotated], key: str, options: dict[str, Any]) -> str:
    """For machines."""
    tables = {each.name: {"rows": each.rows, "unreadable": each.unreadable} for each in done}
    return json.dumps({"dry_run": options["dry_run"], "key": key, "tables": tables})


def as_text(done: list[Rotated], key: str, options: dict[str, Any]) -> str:
    """For people."""
    lines = [f"{each.name}: {each.rows}" for each in done if each.rows]
    total = sum(each.rows for each in done)
    if options["dry_run"]:
        ending = f"{total} rows are under older keys." if total else f"Everything is under the key {key}."
    else:
        ending = f"{total} rows brought under the key {key}." if total else f"Everything was under the key {key}."
    return "\n".join([*lines, ending])
