"""Returns to an older version of a template."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app import trial
from templates_app.publishing import NeverPublished, revert
from templates_app.selection import SelectionRefused
from users.command_line import USAGE, ExamplesCommand, operator, positive, sure


class Command(ExamplesCommand):
    help = "Make a copy of an older version the live one."
    examples = ('manage.py revert_template welcome_email 3 --note "The link in v4 is wrong" --yes',)

    def add_arguments(self, parser: CommandParser) -> None:
        """To which one, and why."""
        parser.add_argument("code", metavar="CODE")
        parser.add_argument("number", metavar="VERSION", type=positive)
        parser.add_argument("--note", required=True, metavar="WORDS", help="why; kept with the version")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 when there is no such version, or it was never published."""
        try:
            version = trial.version_for(trial.template_by_code(options["code"]), options["number"])
        except SelectionRefused as refused:
            raise CommandError(f"Not found: {refused}.", returncode=USAGE) from refused
        if not options["yes"]:
            sure(self, f"Make a copy of {version} the live version?")
        try:
            copy = revert(version, by=f"{operator()} (command line)", note=options["note"])
        except NeverPublished as refused:
            raise CommandError(f"{refused} was never published.", returncode=USAGE) from refused
        self.stdout.write(f"{copy} is live, a copy of v{version.number}.")
