"""Renders a template with values from a file."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app import trial
from templates_app.answers import rendered_answer
from templates_app.rendering import RenderedEmail, RenderingFailed
from templates_app.sample_data import example_values
from templates_app.selection import SelectionRefused
from templates_app.variables import parse_variables
from users.channels import Channel
from users.command_line import USAGE, ExamplesCommand
from users.locales import is_locale


class Command(ExamplesCommand):
    help = "Render a template with values, or with its examples."
    examples = (
        "manage.py preview_template welcome_email --locale de",
        "manage.py preview_template welcome_email --data values.json --out preview.html",
        "manage.py preview_template order_shipped --number draft --channel push --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which words, with which values."""
        parser.add_argument("code", metavar="CODE")
        parser.add_argument("--number", default=trial.LIVE, metavar="N", help="a number, live or draft")
        parser.add_argument("--locale", metavar="de", help="default: the template's own")
        parser.add_argument("--channel", choices=Channel.values, help="default: email, where there are words for it")
        parser.add_argument(
            "--data", type=Path, metavar="FILE", help="a JSON object of variables; default: the examples"
        )
        parser.add_argument("--out", type=Path, metavar="FILE", help="write the HTML there")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 1 when it cannot be rendered; 2 for what does not exist."""
        if options["locale"] and not is_locale(options["locale"]):
            raise CommandError(f"{options['locale']} is no locale such as de or pt-BR.", returncode=USAGE)
        asked = options["number"]
        try:
            template = trial.template_by_code(options["code"])
            number = int(asked) if asked.isdigit() else asked
            version = trial.version_for(template, number)
            values = _values(options["data"]) if options["data"] else example_values(parse_variables(version.variables))
            found = trial.try_template(
                template, version=number, locale=options["locale"], channel=options["channel"], variables=values
            )
        except SelectionRefused as refused:
            raise CommandError(f"Not found: {refused}.", returncode=USAGE) from refused
        except (trial.ValuesMisfit, RenderingFailed) as failed:
            raise CommandError(str(failed)) from failed
        self._show(found, options)

    def _show(self, found: trial.Trial, options: dict[str, Any]) -> None:
        rendered = found.rendered
        if options["out"]:
            page = rendered.html if isinstance(rendered, RenderedEmail) else rendered.body
            options["out"].write_text(page, encoding="utf-8")
        if options["json"]:
            findings = [each.to_json() for each in found.findings]
            shown = {"version": found.version, "locale": found.locale, "rendered": rendered_answer(rendered)}
            self.stdout.write(json.dumps(shown | {"findings": findings}, ensure_ascii=False))
            return
        self.stdout.write(f"{found.template_code} v{found.version}, {found.locale}, {found.channel}")
        for part, text in rendered_answer(rendered).items():
            if part != "html" and text:
                self.stdout.write(f"{part}: {text}")
        if options["out"]:
            self.stdout.write(f"Written: {options['out']}")


def _values(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as JSON: {error}.", returncode=USAGE) from error
    if not isinstance(values, dict):
        raise CommandError(f"{path} holds no JSON object.", returncode=USAGE)
    return values
