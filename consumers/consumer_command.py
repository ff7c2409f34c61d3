"""What the loop commands share: arguments, what must be true before the start, the parts put together."""

import argparse
import os
import secrets
import socket
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import Error as DatabaseTrouble
from django.db import InterfaceError, OperationalError, connection, connections

from consumers import ports, service_registry
from consumers.breakers import Breakers
from consumers.brokers import choice
from consumers.brokers.base import Broker
from consumers.delivery import Delivery
from consumers.health_checks import missing_migrations
from consumers.journal_replay import replay_journals
from consumers.loop_process import Limits, Loop, LoopFailed, LoopProcess
from consumers.niceness import give_way
from consumers.process_group import own_command, run_group
from consumers.process_life import on_stop_signals
from consumers.process_locks import engine_shared
from consumers.queues import QUEUE_OF
from consumers.service_roles import ServiceRole
from consumers.start_command import StartCommand
from consumers.worker import BATCH, Worker
from gateway.channel_contract import Channel
from users import channels
from users.command_line import port_number, positive

log = structlog.stdlib.get_logger(__name__)

#: AMQP counts what is fetched ahead in two bytes.
MOST_PREFETCH = 65_535


def journal_folder() -> Path:
    """Where the outcome journals of this host are."""
    return Path(settings.VAR_DIR) / "journals"


#: A container that is started again has the host and the pid it had before: its new life is somebody else.
LIFE = secrets.token_hex(2)


def holder_name(name: str) -> str:
    """How a claim says whose it is: email_consumer@host:pid-life."""
    return f"{name}@{socket.gethostname()}"[:80] + f":{os.getpid()}-{LIFE}"


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
        require_database()
        seconds = options["max_seconds"]
        limits = Limits(
            after=timedelta(seconds=seconds) if seconds else None,
            messages=options.get("max_messages"),
            supervisor_pid=options["supervisor_pid"],
        )
        process = LoopProcess(role=self.role.name, limits=limits)
        on_stop_signals(process.stopping.set)
        try:
            self.run(process, options)
        except LoopFailed as error:
            raise CommandError("It ended by an error; the log says which.") from error

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """Put the loops together and have `process` run them."""
        raise NotImplementedError


class ConsumerCommand(LoopCommand):
    """Delivers what is due on one channel."""

    channel: ClassVar[Channel]

    def add_arguments(self, parser: CommandParser) -> None:
        """How much at once."""
        super().add_arguments(parser)
        parser.add_argument("--concurrency", type=positive, default=1, metavar="N", help="sender threads (default: 1)")
        parser.add_argument(
            "--batch", type=positive, default=BATCH, metavar="N", help=f"ids taken at once (default: {BATCH})"
        )
        parser.add_argument(
            "--prefetch",
            type=positive,
            metavar="N",
            help="hints fetched ahead from RabbitMQ for all threads together (default: twice what they take at once)",
        )
        parser.add_argument(
            "--processes", type=positive, default=1, metavar="M", help="so many processes like this one (default: 1)"
        )
        parser.add_argument(
            "--max-messages", type=positive, metavar="N", help="end after N notifications or a few more"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """One process, or a group of them under this one."""
        if options["processes"] == 1:
            super().handle(*args, **options)
            return
        require_database()
        connections.close_all()  # the members have connections of their own
        limits = ("once", "max_seconds", "max_messages")
        run_group(
            options["name"],
            [self._member(number, options) for number in range(1, options["processes"] + 1)],
            may_end=any(options[name] for name in limits),
            supervisor_pid=options["supervisor_pid"],
        )

    def _member(self, number: int, options: dict[str, Any]) -> list[str]:
        passed = ("once", "max_seconds", "max_messages", "concurrency", "batch", "prefetch", "host")
        return own_command(
            self.role.command,
            **{name: options[name] for name in passed},
            name=f"{options['name']}-{number}",
            # The first one answers where it is expected; the others are found in the list of live services.
            port=options["port"] if number == 1 else 0,
            supervisor_pid=os.getpid(),
        )

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """One worker a thread, each with its own provider, journal and database connection."""
        try:
            ports.require_free(options["port"], host=options["host"])
        except ports.PortTaken as taken:
            raise CommandError(f"{taken} Choose another for /health: --port {options['port'] + 1000}.") from taken
        log.info(
            "Started.",
            action="start",
            queue=QUEUE_OF[channels.Channel(self.channel.name)],
            broker=broker_address(),
            concurrency=options["concurrency"],
            pid=os.getpid(),
        )
        with engine_shared(Path(settings.VAR_DIR), stopping=process.stopping):
            threads = options["concurrency"]
            prefetch = options["prefetch"] or min(2 * options["batch"] * threads, MOST_PREFETCH)
            brokers = choice.brokers_for(self.channel.name, threads=threads, prefetch=prefetch, wake=process.stopping)
            self._replay_journals()
            breakers = self._breakers(options["name"], is_short=options["once"])
            loops = [self._loop(process, broker, breakers, options) for broker in brokers]
            process.run(loops, port=options["port"], host=options["host"])

    def _replay_journals(self) -> None:
        """What an earlier life on this host was told by providers; no sweeper may be there to do it."""
        try:
            replay_journals(journal_folder(), rules=settings.DELIVERY_RULES)
        except (OperationalError, InterfaceError) as error:
            log.warning("The database is away; journals wait.", action="replay", detail=type(error).__name__)
            connections.close_all()

    def _breakers(self, name: str, *, is_short: bool) -> Breakers:
        breakers = Breakers(
            self.channel.name,
            self.channel.provider_names(),
            rules=settings.DELIVERY_RULES,
            holder=holder_name(name),
            sharers=lambda: service_registry.alive()[self.role.name],
            starts_slowly=not is_short,
        )
        breakers.follow()  # operators see the providers before the first message
        return breakers

    def _loop(self, process: LoopProcess, broker: Broker, breakers: Breakers, options: dict[str, Any]) -> Loop:
        most = options["max_messages"]
        worker = Worker(
            broker,
            Delivery(
                self.channel,
                holder=holder_name(options["name"]),
                journal_folder=journal_folder(),
                rules=settings.DELIVERY_RULES,
                breakers=breakers,
                stopping=process.stopping,
                on_dropped=partial(choice.tell_dropped, channel=self.channel.name),
            ),
            stopping=process.stopping,
            batch=min(options["batch"], most) if most else options["batch"],
            on_turn=process.note,
        )
        return lambda: worker.run(once=options["once"])
