"""Callbacks on a developer's machine: as long as it runs, a client's news is posted to a local address."""

import threading
import time
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from gateway.callback_endpoints import MOST_ENDPOINTS, TooManyEndpoints, create_endpoint, delete_endpoint
from gateway.callback_models import EVERYTHING, STATUS_EVENTS, CallbackEndpoint, CallbackTry
from gateway.outbound_http import AddressRefused
from users.command_line import ExamplesCommand, positive
from users.models import ApiKey

USAGE = 2
#: Seconds between two looks at what was posted.
LOOK_EVERY = 0.5


class Command(ExamplesCommand):
    help = "Have a client's callbacks posted to your machine, and show them."
    examples = (
        "manage.py listen_for_callbacks --client shop --forward-to http://127.0.0.1:8000/hooks",
        "manage.py listen_for_callbacks --client shop --forward-to http://127.0.0.1:8000 --mode test --max-seconds 60",
    )
    #: Another thread ends it, in tests.
    stopping = threading.Event()

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose news, and where to."""
        parser.add_argument("--client", required=True, help="whose notifications: the client of an API key")
        parser.add_argument("--mode", choices=ApiKey.Mode.values, default=ApiKey.Mode.LIVE.value, help="default: live")
        parser.add_argument("--forward-to", required=True, metavar="URL", help="an address of yours")
        parser.add_argument(
            "--events", default=EVERYTHING, metavar="A,B", help="such as notification.sent,notification.failed"
        )
        parser.add_argument("--max-seconds", type=positive, metavar="N", help="end after N seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        """Until Ctrl-C; then the endpoint is deleted again. Somebody must run the callback sender."""
        endpoint, secret = self._endpoint(options)
        self.stdout.write(f"Secret: {secret}\nPosting to {endpoint.url} until Ctrl-C.")
        self.stdout.flush()
        ends_at = time.monotonic() + options["max_seconds"] if options["max_seconds"] else None
        told = 0
        try:
            while not self.stopping.wait(LOOK_EVERY) and (ends_at is None or time.monotonic() < ends_at):
                told = self._tell(endpoint, told)
        except KeyboardInterrupt:
            self.stdout.write("")
        finally:
            self._tell(endpoint, told)
            delete_endpoint(endpoint)

    def _endpoint(self, options: dict[str, Any]) -> tuple[CallbackEndpoint, str]:
        events = options["events"].split(",")
        if unknown := set(events) - {EVERYTHING, *STATUS_EVENTS}:
            words = f"--events: {', '.join(sorted(unknown))} is no event; there are {', '.join(STATUS_EVENTS)}."
            raise CommandError(words, returncode=USAGE)
        try:
            return create_endpoint(
                client=options["client"],
                mode=options["mode"],
                url=options["forward_to"],
                events=events,
                description="listen_for_callbacks",
            )
        except AddressRefused as refused:
            words = f"--forward-to: {refused} CALLBACK_ALLOW_HTTP and CALLBACK_ALLOW_PRIVATE allow more."
            raise CommandError(words, returncode=USAGE) from refused
        except TooManyEndpoints as error:
            words = f"--client: {options['client']} has {MOST_ENDPOINTS} endpoints already; delete one first."
            raise CommandError(words, returncode=USAGE) from error

    def _tell(self, endpoint: CallbackEndpoint, told: int) -> int:
        """Show the posts since the last look; returns up to which."""
        for each in self._tries(endpoint, told):
            callback = each.callback
            about = callback.notification_id or ""
            answer = each.status_code or each.error
            self.stdout.write(f"{each.at:%H:%M:%S} {callback.event_type} {about} → {answer} ({each.duration_ms} ms)")
            self.stdout.flush()
            told = each.pk
        return told

    def _tries(self, endpoint: CallbackEndpoint, told: int) -> Iterable[CallbackTry]:
        return CallbackTry.objects.filter(callback__endpoint=endpoint, pk__gt=told).select_related("callback")
