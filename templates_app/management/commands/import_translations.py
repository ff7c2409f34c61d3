"""Takes a translator's words."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app.drafting import PublicationScheduled, TooManyLocales
from templates_app.translations import TranslationsInvalid, import_translations, read_translations
from users.command_line import PARTLY, USAGE, ExamplesCommand, operator

WORDS = {
    "changed": "written",
    "unchanged": "as before",
    "stale": "left out: the source has changed since the file was made",
    "unknown": "left out: there is no such field",
}


class Command(ExamplesCommand):
    help = "Write a translator's PO or CSV file into the draft of its template."
    examples = (
        "manage.py import_translations welcome_email.de.po --dry-run",
        "manage.py import_translations welcome_email.pt-BR.csv --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which file."""
        parser.add_argument("file", metavar="FILE", type=Path, help="as export_translations writes it")
        parser.add_argument("--dry-run", action="store_true", help="change nothing; say what would happen")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 1 when it cannot be taken, 2 when it cannot be read, 3 when words were left out."""
        try:
            text = options["file"].read_text(encoding="utf-8-sig")
            given = read_translations(text)
        except (OSError, UnicodeError, TranslationsInvalid) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}", returncode=USAGE) from error
        try:
            taken = import_translations(given, by=f"{operator()} (command line)", dry_run=options["dry_run"])
        except (TranslationsInvalid, PublicationScheduled, TooManyLocales) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(asdict(taken)))
        else:
            for name, words in WORDS.items():
                for field in getattr(taken, name):
                    self.stdout.write(f"{taken.code} {taken.locale} {field}: {words}")
            if taken.version:
                self.stdout.write(f"Draft v{taken.version} has them; publish it when it is right.")
        if taken.stale or taken.unknown:
            raise CommandError("Some words were left out.", returncode=PARTLY)
