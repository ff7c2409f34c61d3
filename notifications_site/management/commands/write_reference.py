"""Write the generated documentation, or check that it is up to date."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from notifications_site.reference import reference_files


class Command(BaseCommand):
    help = "Write docs/reference and .env.example anew from the code."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is out of date")

    def handle(self, *args: Any, **options: Any) -> None:
        outdated = []
        for path, content in reference_files().items():
            target = settings.BASE_DIR / path
            if target.exists() and target.read_text(encoding="utf-8") == content:
                continue
            outdated.append(str(path))
            if not options["check"]:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(content, encoding="utf-8")
        if options["check"] and outdated:
            raise CommandError(f"Out of date: {', '.join(outdated)}. Run `make reference`.")
        self.stdout.write(f"Written: {', '.join(outdated)}." if outdated else "Everything is up to date.")
