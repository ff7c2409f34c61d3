"""Adds finished example templates."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app.examples import (
    HARBOUR,
    Company,
    CompanyInvalid,
    UnknownExample,
    add_examples,
    example_codes,
    read_example,
)
from users.command_line import ExamplesCommand

USAGE = 2


class Command(ExamplesCommand):
    help = "Add finished templates in five languages, published and ready to use."
    examples = (
        "manage.py add_example_templates --list",
        "manage.py add_example_templates receipt magic_link",
        'manage.py add_example_templates --company Acme --address "Hafenstraße 1, Wien" --mail help@acme.example',
        "manage.py add_example_templates --dry-run --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which ones, and who speaks in them."""
        parser.add_argument("codes", nargs="*", metavar="CODE", help="which examples (default: all)")
        parser.add_argument("--list", action="store_true", help="say which examples there are, add none")
        parser.add_argument("--company", default=HARBOUR.name, help=f"name in the mails (default: {HARBOUR.name})")
        parser.add_argument("--address", default=HARBOUR.address, help=f"at their end (default: {HARBOUR.address})")
        parser.add_argument("--mail", default=HARBOUR.mail, help=f"for questions (default: {HARBOUR.mail})")
        parser.add_argument("--dry-run", action="store_true", help="say what would be added, add nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 for an unknown code or a company that cannot be written."""
        try:
            if options["list"]:
                self._list(options["codes"] or example_codes(), as_json=options["json"])
                return
            company = Company(name=options["company"], address=options["address"], mail=options["mail"])
            done = add_examples(options["codes"] or None, company=company, is_dry_run=options["dry_run"])
        except (UnknownExample, CompanyInvalid) as wrong:
            raise CommandError(wrong.args[0], returncode=USAGE) from None
        if options["json"]:
            self.stdout.write(json.dumps({"added": done.added, "skipped": done.skipped}))
            return
        for code in done.added:
            self.stdout.write(f"{'would add' if options['dry_run'] else 'added'} {code}")
        for code in done.skipped:
            self.stdout.write(f"left alone {code}: there is a template of this code")

    def _list(self, codes: list[str], *, as_json: bool) -> None:
        found = [read_example(code) for code in codes]
        shown = [
            {
                "code": each["code"],
                "name": each["name"],
                "description": each["description"],
                "channels": sorted({channel for content in each["contents"].values() for channel in content}),
                "locales": sorted(each["contents"]),
            }
            for each in found
        ]
        if as_json:
            self.stdout.write(json.dumps({"examples": shown}, ensure_ascii=False))
            return
        for each in shown:
            self.stdout.write(f"{each['code']:20} {', '.join(each['channels']):12} {each['description']}")
