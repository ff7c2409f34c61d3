"""An operator decides whether a provider is asked, above its breaker."""

import getpass
import json
import socket
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from consumers.loop_command import require_database
from gateway import provider_states
from gateway.provider_states import WISHES, UnknownProviderState
from users.channels import Channel
from users.command_line import ExamplesCommand, positive

USAGE = 2
#: Nobody forces a breaker for longer than this and remembers it: a week.
MOST_MINUTES = 7 * 24 * 60


class Command(ExamplesCommand):
    help = "Force a provider's breaker open or closed, or leave it to itself."
    examples = (
        "manage.py force_breaker smtp open --minutes 30 --reason 'maintenance until noon'",
        "manage.py force_breaker smtp closed --reason 'it works, its answers are odd'",
        "manage.py force_breaker smtp auto --reason 'credentials corrected'",
    )
    requires_system_checks = ["notify"]

    def add_arguments(self, parser: CommandParser) -> None:
        """Which provider, what to do, for how long, and why."""
        parser.add_argument("provider", metavar="PROVIDER", help="its name, as in EMAIL_PROVIDERS or PUSH_PROVIDERS")
        parser.add_argument(
            "wish", choices=list(WISHES), help="open: not asked · closed: asked whatever it answers · auto: neither"
        )
        parser.add_argument("--channel", choices=Channel.values, help="only there (default: wherever it is in use)")
        parser.add_argument("--minutes", type=positive, metavar="N", help="then back to auto (default: until ended)")
        parser.add_argument("--reason", required=True, help="kept with the act, for whoever asks later")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0; 2 for a provider that is not in use, an empty reason, or minutes that make no sense."""
        minutes, why = _minutes(options), _reason(options["reason"])
        require_database()
        for channel in (EmailChannel(), PushChannel()):
            provider_states.introduce(channel.name, channel.provider_names())
        try:
            channels = provider_states.force(
                options["provider"],
                options["wish"],
                who=f"{getpass.getuser()}@{socket.gethostname()}",
                why=why,
                channel=options["channel"] or "",
                lasts=timedelta(minutes=minutes) if minutes else None,
            )
        except UnknownProviderState as error:
            raise CommandError(str(error), returncode=USAGE) from error
        if options["json"]:
            shown = {"provider": options["provider"], "wish": options["wish"], "channels": channels, "minutes": minutes}
            self.stdout.write(json.dumps(shown))
            return
        done = str(WISHES[options["wish"]].label).lower()
        lasts = f" for {minutes} minute{'s' if minutes > 1 else ''}" if minutes else ""
        self.stdout.write(f"{options['provider']} ({', '.join(channels)}): {done}{lasts}. Processes follow within 2 s.")


def _minutes(options: dict[str, Any]) -> int | None:
    minutes: int | None = options["minutes"]
    if minutes is not None and options["wish"] == "auto":
        raise CommandError("--minutes makes sense with open and closed only; auto has no end.", returncode=USAGE)
    if minutes is not None and minutes > MOST_MINUTES:
        raise CommandError(f"--minutes is {minutes}; a week ({MOST_MINUTES}) is the most.", returncode=USAGE)
    return minutes


def _reason(text: str) -> str:
    why = text.strip()
    if not 1 <= len(why) <= 200 or not why.isprintable():
        raise CommandError("--reason needs 1 to 200 printable characters.", returncode=USAGE)
    return why
