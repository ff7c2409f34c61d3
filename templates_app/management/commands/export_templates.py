"""Writes templates as files."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app.template_files import export_templates
from users.command_line import USAGE, ExamplesCommand


class Command(ExamplesCommand):
    help = "Write every template as a YAML file with all its languages."
    examples = (
        "manage.py export_templates templates/",
        "manage.py export_templates templates/ --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument(
            "folder", metavar="DIR", type=Path, help="made if it is not there; files in it are replaced"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 when the folder cannot be written."""
        try:
            written = [str(path) for path in export_templates(options["folder"])]
        except OSError as error:
            raise CommandError(f"{options['folder']} cannot be written: {error.strerror}.", returncode=USAGE) from error
        if options["json"]:
            self.stdout.write(json.dumps({"written": written}))
            return
        for path in written:
            self.stdout.write(path)
        self.stdout.write(f"{len(written)} templates." if written else "There are no templates yet: make one first.")
