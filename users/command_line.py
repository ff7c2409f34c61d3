"""What the commands of all apps share: help with examples, readers for arguments, a question, progress."""

import argparse
import getpass
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter

UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
#: Exit codes: wrong arguments; only a part was done.
USAGE, PARTLY = 2, 3
#: Between two lines of progress where nobody watches.
LINE_EVERY = timedelta(seconds=10)


class HelpFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of examples."""


class ExamplesCommand(BaseCommand):
    """A command whose help ends with examples, one a line."""

    examples: tuple[str, ...] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django's parser with the examples at its end."""
        lines = "\n".join(f"  {line}" for line in self.examples)
        kwargs = {"epilog": f"examples:\n{lines}", "formatter_class": HelpFormatter} | kwargs
        return super().create_parser(prog_name, subcommand, **kwargs)


def duration(text: str) -> timedelta:
    """An argument such as 90d, 12h, 30m or 45s; raises what argparse shows as a usage error."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; 45s, 30m, 12h or 90d is needed.")
    return int(found[1]) * UNITS[found[2]]


def key_id(text: str) -> UUID:
    """An id as other commands print it; raises what argparse shows as a usage error."""
    try:
        return UUID(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no id; list_api_keys shows them.") from error


def since(text: str) -> datetime | timedelta:
    """An argument such as 2h (so long ago), 2026-11-01 or 2026-11-01T14:30; moments without a zone are in UTC."""
    if re.fullmatch(r"[0-9]+[smhd]", text):
        return duration(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        words = f"{text!r} is neither so long ago (30m, 2h, 7d) nor a moment (2026-11-01, 2026-11-01T14:30)."
        raise argparse.ArgumentTypeError(words) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def rate(text: str) -> float:
    """An argument such as 50/s or 600/m, as how many a second."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})/([smh])", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate; 50/s, 600/m or 1000/h is needed.")
    return int(found[1]) / UNITS[found[2]].total_seconds()


def positive(text: str) -> int:
    """A whole number from 1 on; raises what argparse shows as a usage error."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on.")
    return int(text)


def port_number(text: str) -> int:
    """A TCP port; 0 stands for any free one. Raises what argparse shows as a usage error."""
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a whole number from 0 to 65535 is needed.")
    return int(text)


def operator() -> str:
    """Whose shell it is, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "somebody"


def sure(command: BaseCommand, question: str) -> None:
    """Asks; the default is No. Raises CommandError for everything else than yes."""
    if not sys.stdin.isatty():
        raise CommandError("Nobody can be asked here: add --yes, or look with --dry-run.", returncode=USAGE)
    command.stderr.write(f"{question} [y/N] ", ending="")
    command.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was changed.")


class Progress:
    """How many so far, on standard error: over itself on a terminal, else a line each ten seconds."""

    def __init__(self, command: BaseCommand) -> None:
        self.done = 0
        self._stream = command.stderr
        self._is_terminal = sys.stderr.isatty()
        self._said_at = time.monotonic()

    def note(self, count: int) -> None:
        """So many more."""
        self.done += count
        if self._is_terminal:
            self._stream.write(f"\r{self.done} …", ending="")
            self._stream.flush()
        elif time.monotonic() - self._said_at >= LINE_EVERY.total_seconds():
            self._said_at = time.monotonic()
            self._stream.write(f"{self.done} so far.")

    def close(self) -> None:
        """The next words begin on a line of their own."""
        if self._is_terminal and self.done:
            self._stream.write("")
