"""`manage.py run_standins`: Firebase, OneSignal and a browser's push service, played on this machine."""

import json
import shlex
import signal
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from channels_push.service_settings import new_vapid_key
from channels_push.standins.fcm import FcmStandIn, service_account
from channels_push.standins.onesignal import OneSignalStandIn
from channels_push.standins.webpush import WebPushStandIn
from users.command_line import USAGE, ExamplesCommand

FIRST_PORT = 3100
#: An app at the stand-in for OneSignal; it takes any.
APP = "11111111-1111-4111-8111-111111111111"


class Command(ExamplesCommand):
    help = "Play the push services on this machine, for development only.\n\nPrints the settings that point at them."
    examples = ("manage.py run_standins", "manage.py run_standins --port 3200")
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Three ports in a row."""
        parser.add_argument("--port", type=int, default=FIRST_PORT, help=f"first of three ports (default {FIRST_PORT})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Until Ctrl-C."""
        if not settings.IS_LOCAL:
            raise CommandError("Stand-ins are for ENVIRONMENT=local only.", returncode=USAGE)
        port = options["port"]
        servers = FcmStandIn(port=port), OneSignalStandIn(port=port + 1), WebPushStandIn(port=port + 2)
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        with ExitStack() as stack:
            for server in servers:
                try:
                    stack.enter_context(server)
                except OSError as error:
                    raise CommandError(f"Port {server.port} is in use; choose others with --port.") from error
            self._tell(*servers)
            ended.wait()

    def _tell(self, fcm: FcmStandIn, onesignal: OneSignalStandIn, webpush: WebPushStandIn) -> None:
        account = Path(settings.VAR_DIR) / "standin-service-account.json"
        account.write_text(json.dumps(service_account(f"{fcm.url}/token")), encoding="utf-8")
        values = {
            "PUSH_PROVIDERS": "fcm,onesignal,webpush,capture",
            "FCM_CREDENTIALS": str(account),
            "FCM_URL": fcm.url,
            "ONESIGNAL_APP_ID": APP,
            "ONESIGNAL_API_KEY": onesignal.key,
            "ONESIGNAL_URL": onesignal.url,
            "VAPID_PRIVATE_KEY": new_vapid_key(),
            "VAPID_SUBJECT": "mailto:you@example.com",
        }
        for name, value in values.items():
            self.stdout.write(f"export {name}={shlex.quote(value)}")
        for server in (fcm, onesignal, webpush):
            self.stderr.write(f"{server.name} listens; what it took: {server.url}/control/accepted")
        self.stderr.write(f"A browser's subscription: POST {webpush.url}/control/subscribe. Ctrl-C ends all three.")
