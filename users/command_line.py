"""What the commands of all apps share: help with examples, and readers for arguments."""

import argparse
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser, DjangoHelpFormatter

UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


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
