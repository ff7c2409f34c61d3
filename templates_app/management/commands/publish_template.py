"""Publishes the draft of a template."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app import trial
from templates_app.content_checks import check_version
from templates_app.publishing import PublishBlocked, publish
from templates_app.selection import SelectionRefused
from users.command_line import USAGE, ExamplesCommand, operator


class Command(ExamplesCommand):
    help = "Publish the draft of a template."
    examples = (
        "manage.py publish_template welcome_email --dry-run",
        'manage.py publish_template welcome_email --note "New greeting"',
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one, and why."""
        parser.add_argument("code", metavar="CODE")
        parser.add_argument("--note", default="", metavar="WORDS", help="what changed; kept with the version")
        parser.add_argument("--acknowledge-breaking", action="store_true", help="callers have been told")
        parser.add_argument("--dry-run", action="store_true", help="only check")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 1 when findings block it; 2 when there is no draft."""
        try:
            draft = trial.version_for(trial.template_by_code(options["code"]), trial.DRAFT)
        except SelectionRefused as refused:
            raise CommandError(f"There is no draft of {options['code']}.", returncode=USAGE) from refused
        for each in check_version(draft):
            self.stdout.write(f"{each.level}: {each.path}: {each.detail}")
        if options["dry_run"]:
            return
        acknowledged = options["acknowledge_breaking"]
        try:
            publish(draft, by=f"{operator()} (command line)", note=options["note"], acknowledge_breaking=acknowledged)
        except PublishBlocked as blocked:
            raise CommandError(f"Not published: {len(blocked.findings)} errors.") from blocked
        self.stdout.write(f"{draft} is live.")
