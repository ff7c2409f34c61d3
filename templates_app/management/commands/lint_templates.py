"""Checks templates."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app.content_checks import check_version
from templates_app.models import Template, TemplateVersion
from users.command_line import USAGE, ExamplesCommand


class Command(ExamplesCommand):
    help = "Check templates: drafts and what is live."
    examples = (
        "manage.py lint_templates",
        "manage.py lint_templates welcome_email password_reset --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which ones."""
        parser.add_argument("codes", metavar="CODE", nargs="*", help="default: all that are not archived")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 without errors, warnings or not; 1 with errors; 2 for a code that does not exist."""
        found = [(version, check_version(version)) for version in _versions(options["codes"])]
        if options["json"]:
            shown = [
                {
                    "code": version.template.code,
                    "version": version.number,
                    "state": version.state,
                    "findings": [each.to_json() for each in findings],
                }
                for version, findings in found
            ]
            self.stdout.write(json.dumps({"versions": shown}))
        else:
            for version, findings in found:
                self.stdout.write(f"{version} ({version.state}): {_summary(findings)}")
                for each in findings:
                    line = f", line {each.line}" if each.line else ""
                    self.stdout.write(f"  {each.level}: {each.path}{line}: {each.detail} [{each.code}]")
        if errors := sum(each.level == "error" for _, findings in found for each in findings):
            raise CommandError(f"{errors} errors.", returncode=1)


def _versions(codes: list[str]) -> list[TemplateVersion]:
    templates = Template.objects.filter(code__in=codes) if codes else Template.objects.filter(is_archived=False)
    if missing := set(codes) - set(templates.values_list("code", flat=True)):
        raise CommandError(f"There is no template {', '.join(sorted(missing))}.", returncode=USAGE)
    checked = TemplateVersion.objects.exclude(state=TemplateVersion.State.RETIRED).filter(template__in=templates)
    return list(
        checked.select_related("template__live_version", "template__category").order_by("template__code", "number")
    )


def _summary(findings: list[Any]) -> str:
    errors = sum(each.level == "error" for each in findings)
    return f"{errors} errors, {len(findings) - errors} warnings" if findings else "all is well"
