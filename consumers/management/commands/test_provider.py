"""Asks a mail or push service whether it takes our credentials."""

import json
from typing import Any

from django.core.management.base import CommandError, CommandParser

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from gateway.channel_contract import Channel, CheckedProvider, Outcome, ProviderAway, SendResult, UnknownProvider
from users.command_line import USAGE, ExamplesCommand

CHANNELS: dict[str, Channel] = {channel.name: channel for channel in (EmailChannel(), PushChannel())}
#: Answers that show that the service has let us in, if only to say that nobody has this token.
LET_IN = frozenset({Outcome.ACCEPTED, Outcome.PERMANENT})


class Command(ExamplesCommand):
    help = "Ask a provider whether it takes our credentials.\n\nWithout --to nothing is sent."
    examples = (
        "manage.py test_provider smtp",
        "manage.py test_provider fcm --to DEVICE_TOKEN",
        "manage.py test_provider capture --channel email --json",
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which provider, and perhaps whom to."""
        parser.add_argument("name", metavar="NAME", help="smtp, fcm, onesignal, webpush …")
        parser.add_argument("--channel", choices=sorted(CHANNELS), help="where both channels have one of this name")
        parser.add_argument(
            "--to", default="", help="a device token, or a subscription's JSON; Firebase validates, the others send"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when it lets us in, 1 when not, 2 when there is no such provider."""
        provider = _found(options["name"], options["channel"])
        try:
            result = provider.check(options["to"])
        except ProviderAway as away:
            result = SendResult(outcome=away.outcome, error_code="away", detail=str(away))
        finally:
            provider.close()
        works = result.outcome in LET_IN and not (options["to"] and result.outcome is Outcome.PERMANENT)
        if options["json"]:
            told = {"provider": options["name"], "works": works, "outcome": result.outcome}
            told |= {"error_code": result.error_code, "provider_code": result.provider_code, "detail": result.detail}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(_in_words(options["name"], result, works=works))
        if not works:
            raise CommandError(f"{options['name']} does not work.")


def _found(name: str, channel: str | None) -> CheckedProvider:
    for each in CHANNELS.values():
        if channel in (None, each.name):
            try:
                provider = each.load_provider(name)
            except UnknownProvider:
                continue
            if isinstance(provider, CheckedProvider):
                return provider
    raise CommandError(f"There is no provider {name!r} that can be asked; manage.py check names all.", returncode=USAGE)


def _in_words(name: str, result: SendResult, *, works: bool) -> str:
    if not works:
        return f"{name}: {result.detail or result.error_code} {result.provider_code}".strip()
    if result.outcome is Outcome.PERMANENT:
        return f"{name}: works. It took our credentials, and knows that the test goes to nobody."
    return f"{name}: works. {result.detail}".strip()
