"""Writes the words of a template for a translator."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app import trial
from templates_app.selection import TemplateNotFound
from templates_app.translations import export_translations
from users.command_line import USAGE, ExamplesCommand
from users.locales import is_locale


class Command(ExamplesCommand):
    help = "Write a template's words beside their translation, as PO or CSV."
    examples = (
        "manage.py export_translations welcome_email --locale de --format po --out welcome_email.de.po",
        "manage.py export_translations welcome_email --locale pt-BR --format csv",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which words, in which form."""
        parser.add_argument("code", metavar="CODE")
        parser.add_argument("--locale", required=True, metavar="de", help="the language to translate into")
        parser.add_argument("--format", dest="form", choices=("po", "csv"), default="po")
        parser.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 for what does not exist."""
        if not is_locale(options["locale"]):
            raise CommandError(f"{options['locale']} is no locale such as de or pt-BR.", returncode=USAGE)
        try:
            template = trial.template_by_code(options["code"])
        except TemplateNotFound as error:
            raise CommandError(f"There is no template {options['code']}.", returncode=USAGE) from error
        text = export_translations(template, locale=options["locale"], form=options["form"])
        if options["out"] is None:
            self.stdout.write(text)
            return
        try:
            options["out"].write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}.", returncode=USAGE) from error
        self.stdout.write(f"Written: {options['out']}")
