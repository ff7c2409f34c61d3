"""Makes an API key and shows it once."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from users.api_keys import SCOPES, ReservedClient, UnknownScope, create_api_key
from users.command_line import ExamplesCommand, duration
from users.models import ApiKey
from users.rates import KEY_POLICIES, WrongRate, parse_rates

USAGE = 2


class Command(ExamplesCommand):
    help = "Make an API key for a client and show it, once."
    examples = (
        "manage.py create_api_key shop",
        "manage.py create_api_key shop --scopes notifications:write,users:write --expires-in 90d",
        "manage.py create_api_key shop --scopes all --json",
        "manage.py create_api_key shop --limit submit=5/m,read=100/m",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What api.md calls them."""
        parser.add_argument("name", metavar="NAME", help="what people recognise the key by")
        parser.add_argument("--type", default="live", help="live, or test: nothing leaves the house (default: live)")
        parser.add_argument(
            "--scopes", default="notifications:write", help="separated by commas, or all (default: notifications:write)"
        )
        parser.add_argument("--client", help="whose key it is; keys of one client share request ids (default: NAME)")
        parser.add_argument("--expires-in", type=duration, metavar="90d", help="45s, 30m, 12h or 90d (default: never)")
        parser.add_argument(
            "--limit", metavar="submit=5/m", default="", help="rates of its own, separated by commas (default: none)"
        )
        parser.add_argument("--json", action="store_true", help="only the key as a JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 for an unknown type, scope or rate."""
        refuse_type(options["type"])
        name, client = named(options["name"]), named(options["client"] or options["name"])
        try:
            key, plain = create_api_key(
                name=name,
                client=client,
                scopes=scopes_from(options["scopes"]),
                mode=ApiKey.Mode(options["type"]),
                valid_for=options["expires_in"],
                limits=parse_rates(options["limit"], policies=KEY_POLICIES),
            )
        except (UnknownScope, WrongRate, ReservedClient) as error:
            raise CommandError(str(error), returncode=USAGE) from error
        self.stdout.write(as_json(key, plain) if options["json"] else as_text(key, plain))


def refuse_type(kind: str) -> None:
    """Raises CommandError for what cannot be made."""
    if kind not in ApiKey.Mode.values:
        raise CommandError(f"{kind!r} is no type of key; there are live and test.", returncode=USAGE)


def named(text: str) -> str:
    """A name as it may be stored. Raises CommandError."""
    name = text.strip()
    if not 1 <= len(name) <= 200 or not name.isprintable():
        raise CommandError("A name has 1 to 200 printable characters.", returncode=USAGE)
    return name


def scopes_from(text: str) -> list[str]:
    """The scopes of a comma-separated list. Raises CommandError when there is none."""
    if text.strip() == "all":
        return list(SCOPES)
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise CommandError(f"--scopes names no scope; there are {', '.join(SCOPES)}.", returncode=USAGE)
    return words


def as_json(key: ApiKey, plain: str) -> str:
    """For machines; also the only place where the key can be read."""
    shown = {"id": str(key.pk), "name": key.name, "type": key.mode, "key": plain, "scopes": key.scopes}
    return json.dumps(shown, ensure_ascii=False)


def as_text(key: ApiKey, plain: str) -> str:
    """For people."""
    return (
        f"{plain}\n\n"
        f"This is the {key.mode} key “{key.name}” of the client “{key.client}”. It is shown only now: keep it safe.\n"
        f"It may: {', '.join(key.scopes)}.\n"
        f"Use it as: Authorization: Bearer {key.prefix}…"
    )
