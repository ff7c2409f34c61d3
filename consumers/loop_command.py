"""What the loop commands share: arguments, what must be true before the start.

Parts that only some of them need stay out of this file: what a process never uses must not lie in its memory.
"""

import argparse
import gc
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, connection

from consumers import ports
from consumers.brokers import choice
from consumers.health_checks import missing_migrations
from consumers.loop_process import Limits, LoopFailed, LoopProcess
from consumers.niceness import give_way
from consumers.process_life import on_stop_signals
from consumers.service_roles import ServiceRole
from consumers.start_command import StartCommand
from users.command_line import port_number, positive


def journal_folder() -> Path:
    """Where the outcome journals of this host are."""
    return Path(settings.VAR_DIR) / "journals"


def database_address() -> str:
    """The database as people know it: a path, or an address without user and password."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    if connection.vendor == "sqlite":
        return str(name)
    return f"{connection.vendor}://{host or 'local socket'}:{connection.settings_dict['PORT'] or 5432}/{name}"


def broker_address() -> str:
    """What carries ids here: RabbitMQ, or the database itself. Without user and password."""
    return choice.address() if choice.uses_rabbitmq() else database_address()


def require_database() -> None:
    """Raises CommandError when the database does not answer or lacks migrations."""
    try:
        missing = missing_migrations()
    except DatabaseTrouble as error:
        raise CommandError(f"The database {database_address()} does not answer: {error}".strip()) from error
    if missing:
        raise CommandError(f"The database lacks {', '.join(missing)}; run `manage.py migrate` first.")


class LoopCommand(StartCommand):
    """A command that runs until it is told to stop."""

    #: Only our own checks: the others concern pages and forms.
    requires_system_checks = ["notify"]
    role: ClassVar[ServiceRole]

    def add_arguments(self, parser: CommandParser) -> None:
        """When to end, how it is called, and where it answers."""
        parser.add_argument("--once", action="store_true", help="end when there is nothing left to do")
        parser.add_argument("--max-seconds", type=positive, metavar="N", help="end after N seconds")
        parser.add_argument("--name", default=self.role.name, help=f"its name in claims (default: {self.role.name})")
        port = self.role.port(settings.PORT)
        parser.add_argument(
            "--port",
            type=port_number,
            default=port,
            help=f"for /health and /metrics; 0: any (default: {port or 'none'})",
        )
        parser.add_argument("--host", default=ports.LOOPBACK, help=f"address for these (default: {ports.LOOPBACK})")
        # Set by run_platform for its children.
        parser.add_argument("--supervisor-pid", type=positive, help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 after an orderly stop, 1 when a loop failed."""
        if self._called_from_command_line:  # type: ignore[attr-defined]  # a process of its own, nobody else's
            give_way(settings.CONSUMER_NICENESS)
            gc.freeze()  # what is loaded stays: the collector need not look through all of it again and again
        require_database()
        seconds = options["max_seconds"]
        limits = Limits(
            after=timedelta(seconds=seconds) if seconds else None,
            messages=options.get("max_messages"),
            supervisor_pid=options["supervisor_pid"],
        )
        process = LoopProcess(*self.role.plays or (self.role.name,), limits=limits)
        on_stop_signals(process.stopping.set)
        try:
            self.run(process, options)
        except LoopFailed as error:
            raise CommandError("It ended by an error; the log says which.") from error
        except (OperationalError, InterfaceError) as error:  # before the loops, which bear that
            raise CommandError(f"The database {database_address()} went away at the start: {error}".strip()) from error

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """Put the loops together and have `process` run them."""
        raise NotImplementedError
