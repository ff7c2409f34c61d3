"""Asks a mail or push service whether it takes our credentials."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from gateway.channel_contract import Channel, UnknownProvider
from gateway.provider_check import CannotBeAsked, Checked, check_provider
from gateway.provider_order import CAPTURE
from users.command_line import USAGE, ExamplesCommand

CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (EmailChannel(), PushChannel())}


class Command(ExamplesCommand):
    help = "Ask a provider whether it takes our credentials.\n\nWithout --to nothing is sent."
    examples = (
        "manage.py test_provider smtp",
        "manage.py test_provider sendgrid --to you@example.com",
        "manage.py test_provider fcm --to DEVICE_TOKEN",
        "manage.py test_provider onesignal --json",
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which provider, and perhaps whom to."""
        parser.add_argument("name", metavar="NAME", help="smtp, sendgrid, mailgun, fcm, onesignal, webpush …")
        parser.add_argument("--channel", choices=sorted(CHANNELS), help="where both channels have one of this name")
        parser.add_argument(
            "--to",
            default="",
            help="an address, a device token, or a subscription's JSON; Firebase validates, the others send",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when it lets us in, 1 when not, 2 when there is no such provider."""
        checked = _checked(options["name"], options["channel"], options["to"])
        result = checked.result
        if options["json"]:
            told = {"provider": options["name"], "works": checked.works, "outcome": result.outcome}
            told |= {"error_code": result.error_code, "provider_code": result.provider_code, "detail": result.detail}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(checked.sentence)
        if not checked.works:
            raise CommandError(f"{options['name']} does not work.")


def _checked(name: str, channel: str | None, to: str) -> Checked:
    for each in CHANNELS.values():
        if channel in (None, each.name):
            try:
                return check_provider(each, name, to)
            except (UnknownProvider, CannotBeAsked):
                continue
    asked = [each for each in CHANNELS.values() if channel in (None, each.name)]
    known = {provider for each in asked for provider in each.provider_fields()}
    if name in known:
        words = f"{name} asks nobody: it keeps messages here, and always works."
    else:
        words = f"There is no provider {name!r}; there are {', '.join(sorted(known - {CAPTURE}))}."
    raise CommandError(words, returncode=USAGE)
