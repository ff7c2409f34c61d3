"""Serves the API and the admin."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import connection

from consumers import ports
from consumers.loop_command import require_database
from consumers.service_roles import web_role
from consumers.start_command import StartCommand
from consumers.web_server import WebServer
from users.command_line import port_number, positive


class Command(StartCommand):
    help = "Serve the API, its documentation and the admin."
    examples = (
        "manage.py run_web",
        "manage.py run_web --port 4000",
        "SERVICE_ROLE=users manage.py run_web --host 0.0.0.0 --workers 4",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where, and with how many processes."""
        parser.add_argument("--workers", type=positive, default=1, metavar="N", help="processes (default: 1)")
        port = web_role(settings.SERVICE_ROLE).port(settings.PORT)
        parser.add_argument("--port", type=port_number, default=port, help=f"default: {port}")
        parser.add_argument("--host", default=ports.LOOPBACK, help=f"address to listen on (default: {ports.LOOPBACK})")
        # Set by run_platform for its children.
        parser.add_argument("--supervisor-pid", type=positive, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Until a signal."""
        if connection.vendor == "sqlite" and options["workers"] > 1:
            raise CommandError("With SQLite one process serves all; set DATABASE_URL for more.", returncode=2)
        require_database()
        try:
            ports.require_free(options["port"], host=options["host"])
        except ports.PortTaken as taken:
            raise CommandError(f"{taken} Choose another: --port {options['port'] + 1000}.") from taken
        WebServer(
            host=options["host"],
            port=options["port"],
            workers=options["workers"],
            supervisor_pid=options["supervisor_pid"],
        ).run()
