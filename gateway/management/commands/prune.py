"""Deletes what is past its time. The sweeper does the same by itself; this is for whoever does not want to wait."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from gateway.retention import foretell_pruning, prune
from users.command_line import PARTLY, ExamplesCommand, Progress

#: A dry run counts no further.
MOST_COUNTED = 100_000
WORDS = {
    "sensitive": "sensitive values erased",
    "content": "contents deleted",
    "records": "records deleted",
}


class Command(ExamplesCommand):
    help = "Delete contents and records that are past their time."
    examples = ("manage.py prune --dry-run", "manage.py prune", "CONTENT_DAYS=7 manage.py prune --json")

    def add_arguments(self, parser: CommandParser) -> None:
        """How long what is kept is a matter of settings."""
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 3 when interrupted: what is deleted is deleted."""
        done = foretell_pruning(most=MOST_COUNTED) if options["dry_run"] else self._prune()
        if options["json"]:
            self.stdout.write(json.dumps({"dry_run": options["dry_run"], **done}))
            return
        for name, count in done.items():
            more = " or more" if options["dry_run"] and count == MOST_COUNTED else ""
            self.stdout.write(f"{WORDS[name]}: {count}{more}")
        if options["dry_run"]:
            self.stdout.write("Nothing was changed.")

    def _prune(self) -> dict[str, int]:
        progress = Progress(self)
        try:
            return prune(on_batch=progress.note)
        except KeyboardInterrupt as error:
            raise CommandError(f"Interrupted after {progress.done}.", returncode=PARTLY) from error
        finally:
            progress.close()
