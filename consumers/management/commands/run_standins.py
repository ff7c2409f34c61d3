"""`manage.py run_standins`: mail and push services, played on this machine."""

import json
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from channels_email.standins.all_of_them import MAIL_STANDINS
from channels_email.standins.mail_service import MailServiceStandIn
from channels_email.standins.smtp_control import SmtpControl
from channels_email.standins.smtp_server import SmtpServer
from channels_email.standins.smtp_session import Received
from channels_push.service_settings import new_vapid_key
from channels_push.standins.fcm import FcmStandIn, service_account
from channels_push.standins.onesignal import OneSignalStandIn
from channels_push.standins.webpush import WebPushStandIn
from gateway.provider_order import CAPTURE
from gateway.standin_callbacks import CallbackReceiver
from gateway.standin_server import StandIn
from users.command_line import USAGE, ExamplesCommand

FIRST_PORT = 3100


class SmtpStandIn(SmtpServer):
    """A mail server; who a mail is for chooses its answer: rcpt-550-5.1.1@example.com."""

    name = "smtp"

    def __init__(self, *, port: int) -> None:
        super().__init__(port=port, log=Path(settings.VAR_DIR) / "standin-mails.jsonl", keep=False)
        # Mails come by SMTP, questions by HTTP: the control port is the next but one, behind the callback receiver.
        self.asked_at = SmtpControl(port=port + 2)
        self.asked_at.server = self

    @property
    def url(self) -> str:
        """Where it is asked."""
        return self.asked_at.url

    def start(self) -> "SmtpStandIn":
        """Both ports."""
        super().start()
        try:
            self.asked_at.start()
        except OSError:
            self.port = self.asked_at.port  # this is the one in use
            raise
        return self

    def stop(self) -> None:
        """Both."""
        self.asked_at.stop()
        super().stop()

    def accept(self, message: Received) -> None:
        """And keep it to be looked at."""
        super().accept(message)
        self.asked_at.note(message)


PUSH_STANDINS: dict[str, type[StandIn]] = {each.name: each for each in (FcmStandIn, OneSignalStandIn, WebPushStandIn)}
#: In the order of their ports; each keeps its port, whoever else runs.
STANDINS: dict[str, type[StandIn] | type[SmtpStandIn]] = {
    **PUSH_STANDINS,
    **MAIL_STANDINS,
    SmtpStandIn.name: SmtpStandIn,
    CallbackReceiver.name: CallbackReceiver,
}
#: The last one is the mail server's control port.
PORTS = len(STANDINS) + 1
#: An app at the stand-in for OneSignal; it takes any.
APP = "11111111-1111-4111-8111-111111111111"


class Command(ExamplesCommand):
    help = (
        "Play mail and push services on this machine, for development only.\n\n"
        "Prints the settings that point at them. Who a message is for chooses the answer: ask-500@example.com, "
        "ask-suppressed@example.com, ask-hang@example.com …; of the mail server rcpt-550-5.1.1@example.com.\n"
        "So does a rule, for one recipient or for all (*): POST it to /control/rules of the stand-in, "
        '{"recipient": "*", "answer": "500"}. GET lists rules and answers, DELETE ends all rules; an empty answer ends '
        "one. Every answer may also be delay-300, hang, reset, half, drip or lost. /control/accepted is what it took."
    )
    examples = (
        "manage.py run_standins",
        "manage.py run_standins sendgrid mailgun smtp",
        "manage.py run_standins --port 3200",
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which, and a row of ports."""
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of {', '.join(STANDINS)}")
        parser.add_argument(
            "--port", type=int, default=FIRST_PORT, help=f"first of {PORTS} ports (default {FIRST_PORT})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Until Ctrl-C."""
        if not settings.IS_LOCAL:
            raise CommandError("Stand-ins are for ENVIRONMENT=local only.", returncode=USAGE)
        if unknown := [name for name in options["names"] if name not in STANDINS]:
            words = f"There is no stand-in {unknown[0]!r}; there are {', '.join(STANDINS)}."
            raise CommandError(words, returncode=USAGE)
        wanted = options["names"] or list(STANDINS)
        ports = {name: options["port"] + number for number, name in enumerate(STANDINS)}
        servers = [STANDINS[name](port=ports[name]) for name in STANDINS if name in wanted]
        ended = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        with ExitStack() as stack:
            for server in servers:
                stack.callback(server.stop)
            for server in servers:
                try:
                    server.start()
                except OSError as error:
                    raise CommandError(f"Port {server.port} is in use; choose others with --port.") from error
            self._tell(servers)
            ended.wait()

    def _tell(self, servers: list[StandIn | SmtpStandIn]) -> None:
        names = [server.name for server in servers]
        if mail := [name for name in names if name in (*MAIL_STANDINS, SmtpStandIn.name)]:
            self._export("EMAIL_PROVIDERS", ",".join(mail))
        if push := [name for name in names if name in PUSH_STANDINS]:
            # Behind them, for devices of services that are not played.
            self._export("PUSH_PROVIDERS", ",".join([*push, CAPTURE]))
        for server in servers:
            for name, value in _settings_of(server):
                self._export(name, value)
            self.stderr.write(f"{server.name} listens; what it took: {server.url}/control/accepted")
            if isinstance(server, CallbackReceiver):
                words = f'POST {{"secret": "whsec_…"}} to {server.url}/control/secret and it checks signatures.'
                self.stderr.write(f"An address for callbacks: {server.url}/hooks. {words}")
            if isinstance(server, WebPushStandIn):
                self.stderr.write(f"A browser's subscription: POST {server.url}/control/subscribe.")
        self.stderr.write("Ctrl-C ends all of them.")

    def _export(self, name: str, value: str) -> None:
        self.stdout.write(f"export {name}={shlex.quote(value)}")


def _settings_of(server: StandIn | SmtpStandIn) -> Iterator[tuple[str, str]]:
    """What leads to a stand-in."""
    if isinstance(server, FcmStandIn):
        account = Path(settings.VAR_DIR) / "standin-service-account.json"
        account.write_text(json.dumps(service_account(f"{server.url}/token")), encoding="utf-8")
        yield from {"FCM_CREDENTIALS": str(account), "FCM_URL": server.url}.items()
    elif isinstance(server, OneSignalStandIn):
        given = {"ONESIGNAL_APP_ID": APP, "ONESIGNAL_API_KEY": server.key, "ONESIGNAL_URL": server.url}
        yield from given.items()
    elif isinstance(server, WebPushStandIn):
        yield from {"VAPID_PRIVATE_KEY": new_vapid_key(), "VAPID_SUBJECT": "mailto:you@example.com"}.items()
    elif isinstance(server, SmtpStandIn):
        yield "EMAIL_URL", f"smtp://127.0.0.1:{server.port}"
    elif isinstance(server, MailServiceStandIn):
        yield from server.exports().items()
