"""Takes templates from files."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from templates_app.drafting import DraftExists, PublicationScheduled
from templates_app.publishing import PublishBlocked
from templates_app.template_files import FileInvalid, Imported, files_in, import_template, read_template
from templates_app.template_life import CodeLocked, CodeTaken
from users.command_line import PARTLY, USAGE, ExamplesCommand, operator

REFUSED = (FileInvalid, DraftExists, PublicationScheduled, PublishBlocked, CodeLocked, CodeTaken, OSError)


class Command(ExamplesCommand):
    help = "Make templates what files say; new words become drafts."
    examples = (
        "manage.py import_templates templates/ --dry-run",
        'manage.py import_templates templates/ --publish --note "Spring campaign"',
        "manage.py import_templates templates/welcome_email.yaml --replace-draft",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which files, and how far."""
        parser.add_argument("place", metavar="DIR", type=Path, help="a folder with *.yaml, or one file")
        parser.add_argument("--publish", action="store_true", help="publish what has changed")
        parser.add_argument("--note", default="", metavar="WORDS", help="what changed, kept with each version")
        parser.add_argument("--acknowledge-breaking", action="store_true", help="callers have been told")
        parser.add_argument("--replace-draft", action="store_true", help="write over drafts with other words")
        parser.add_argument("--dry-run", action="store_true", help="change nothing; show every difference")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when all were taken, 1 when none, 3 when only some, 2 when there are no files."""
        paths = files_in(options["place"])
        if not paths or not all(path.exists() for path in paths):
            raise CommandError(f"There are no *.yaml files at {options['place']}.", returncode=USAGE)
        taken: list[Imported] = []
        refused: dict[str, list[str]] = {}
        for path in paths:
            try:
                taken.append(self._take(path, options))
            except REFUSED as error:
                refused[str(path)] = problems_of(error)
        self._show(taken, refused, options)
        if refused:
            raise CommandError(f"{len(refused)} of {len(paths)} refused.", returncode=PARTLY if taken else 1)

    def _take(self, path: Path, options: dict[str, Any]) -> Imported:
        return import_template(
            read_template(path.read_text(encoding="utf-8", errors="strict")),
            by=f"{operator()} (command line)",
            publishes=options["publish"],
            note=options["note"],
            acknowledge_breaking=options["acknowledge_breaking"],
            replaces_draft=options["replace_draft"],
            dry_run=options["dry_run"],
        )

    def _show(self, taken: list[Imported], refused: dict[str, list[str]], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"taken": [_shown(each) for each in taken], "refused": refused}))
            return
        for each in taken:
            if each.difference and options["dry_run"]:
                self.stdout.write(each.difference)
            self.stdout.write(_line(each))
            for finding in each.findings:
                self.stdout.write(f"  {finding.level}: {finding.path}: {finding.detail}")
        for path, problems in refused.items():
            self.stdout.write(f"{path}: refused")
            for problem in problems:
                self.stdout.write(f"  {problem}")


def problems_of(error: Exception) -> list[str]:
    """What is wrong, line by line."""
    if isinstance(error, FileInvalid):
        return list(error.problems)
    if isinstance(error, PublishBlocked):
        return [f"{each.path}: {each.detail}" for each in error.findings]
    if isinstance(error, DraftExists):
        return ["There is a draft with other words: publish or delete it, or add --replace-draft."]
    return [str(error)]


def _line(each: Imported) -> str:
    if each.version is None:
        return f"{each.code}: {each.what}"
    state = "published" if each.is_published else "draft"
    return f"{each.code}: {each.what}, version {each.version} ({state})"


def _shown(each: Imported) -> dict[str, Any]:
    return {
        "code": each.code,
        "what": each.what,
        "version": each.version,
        "is_published": each.is_published,
        "difference": each.difference,
        "findings": [finding.to_json() for finding in each.findings],
    }
