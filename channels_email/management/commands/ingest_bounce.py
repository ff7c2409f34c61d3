"""The end of a mail server's pipe: one mail on standard input."""

import json
import os
import sys
from typing import IO, Any

import structlog
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, InterfaceError

from channels_email.bounce_intake import IncomingMail, outcome, take_in
from channels_email.bounces import NoBounce, Why
from channels_email.mail_parts import LARGEST_MAIL
from gateway.channel_contract import ProviderNews
from users.command_line import ExamplesCommand

log = structlog.get_logger(__name__)

#: As mail servers know them (sysexits.h): return it to its sender; keep it and try again.
DATA_ERROR, TRY_AGAIN = os.EX_DATAERR, os.EX_TEMPFAIL
#: Somebody wrote it, and is to know that nobody has read it. Reports of servers have no sender to return them to.
RETURNED = {
    Why.NO_BOUNCE: "This address takes only reports of mail servers; nobody reads what is sent to it.",
    Why.UNREADABLE: "This is no mail.",
}


class Command(ExamplesCommand):
    help = (
        "Take one mail that came back, from a mail server's pipe.\n\n"
        "Exit 0: taken, known already, or nothing anybody would miss. 65: somebody wrote to this address; the mail "
        "server returns it to them.\n75: the database is away, or we cannot start; the mail server keeps it and tries "
        "again.\n\n"
        "Postfix, master.cf:\n"
        "  bounces unix - n n - 4 pipe flags=R user=notify argv=/srv/notify/manage.py ingest_bounce "
        "--recipient ${original_recipient}\n"
        "Exim, a transport:\n"
        "  bounces: driver = pipe; user = notify; temp_errors = 75\n"
        "    command = /srv/notify/manage.py ingest_bounce --recipient $local_part$local_part_suffix@$domain\n"
    )
    examples = (
        "manage.py ingest_bounce --recipient 'b+TOKEN@bounces.example.com' < mail",
        "manage.py ingest_bounce --json < mail",
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom the server took it for."""
        parser.add_argument(
            "--recipient", metavar="ADDRESS", default="", help="of the envelope; without it the mail's headers tell"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Whatever goes wrong here must not lose the mail: the server is told to come again."""
        mail = IncomingMail(content=_read(sys.stdin.buffer), recipient=options["recipient"])
        try:
            taken = take_in(mail)
        except (DatabaseError, InterfaceError) as error:
            raise CommandError("The database is away; try again.", returncode=TRY_AGAIN) from error
        except Exception as error:
            log.exception("A mail that came back could not be taken.", action="bounce")
            raise CommandError("It could not be taken now; try again.", returncode=TRY_AGAIN) from error
        if options["json"]:
            self.stdout.write(json.dumps(_told(taken)))
        if isinstance(taken, NoBounce) and taken.why in RETURNED:
            raise CommandError(RETURNED[taken.why], returncode=DATA_ERROR)


def _read(stream: IO[bytes]) -> bytes:
    """As much of it as is looked at. The rest is taken too: a pipe that is closed early counts as a failure."""
    content = stream.read(LARGEST_MAIL)
    while stream.read(64 * 1024):
        pass
    return content


def _told(taken: ProviderNews | NoBounce) -> dict[str, Any]:
    if isinstance(taken, NoBounce):
        return {"known": False, "outcome": outcome(taken)}
    return {"known": True, "outcome": outcome(taken), "notification_id": str(taken.notification_id)}
