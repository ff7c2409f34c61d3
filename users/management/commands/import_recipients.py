"""Makes the people of a file known, or changes them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import IntegrityError

from users.command_line import PARTLY, USAGE, ExamplesCommand, Progress, operator
from users.people_files import COLUMNS, UnreadableFile
from users.people_import import Imported, import_recipients

#: Faulty rows that are shown.
SHOWN = 50


class Command(ExamplesCommand):
    help = "Import people from a CSV or XLSX file, all rows or none."
    examples = (
        "manage.py import_recipients people.csv --dry-run",
        "manage.py import_recipients people.xlsx",
        "manage.py import_recipients people.csv --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file."""
        parser.add_argument(
            "file", metavar="FILE", type=Path, help=f"its first row names columns of: {', '.join(COLUMNS)}"
        )
        parser.add_argument("--dry-run", action="store_true", help="only look at every row")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 1 when rows are faulty: then nothing was imported; 2 for a file that cannot be read."""
        progress = Progress(self)
        try:
            found = import_recipients(
                options["file"],
                who=f"{operator()} (command line)",
                dry_run=options["dry_run"],
                on_batch=progress.note,
            )
        except UnreadableFile as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except IntegrityError as error:
            words = "Somebody else changed people meanwhile. What was written stays; import the file again."
            raise CommandError(words, returncode=PARTLY) from error
        finally:
            progress.close()
        self.stdout.write(as_json(found, options) if options["json"] else as_text(found, options))
        if found.error_count:
            raise CommandError(f"Nothing was imported: {found.error_count} errors.")


def as_json(found: Imported, options: dict[str, Any]) -> str:
    """For machines."""
    return json.dumps({"dry_run": options["dry_run"], **asdict(found)}, ensure_ascii=False)


def as_text(found: Imported, options: dict[str, Any]) -> str:
    """For people."""
    lines = [f"row {each.row}, {each.column}: {each.words}" for each in found.errors[:SHOWN]]
    if found.error_count > SHOWN:
        lines.append(f"… and {found.error_count - SHOWN} more.")
    lines.append(f"New: {found.new}. Changed: {found.changed}. As they were: {found.unchanged}.")
    if options["dry_run"]:
        lines.append("Nothing was changed.")
    return "\n".join(lines)
