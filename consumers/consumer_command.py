"""What the consumers' commands share: the parts put together, one worker a thread."""

import argparse
import os
import secrets
import socket
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import structlog
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connections

from consumers import ports, service_registry
from consumers.breakers import Breakers
from consumers.brokers import choice
from consumers.brokers.base import Broker
from consumers.delivery import Delivery
from consumers.journal_replay import replay_journals
from consumers.loop_command import LoopCommand, broker_address, journal_folder, require_database
from consumers.loop_process import Loop, LoopProcess
from consumers.process_group import own_command, run_group
from consumers.process_locks import engine_shared
from consumers.queues import QUEUE_OF
from consumers.worker import BATCH, Worker
from gateway.channel_contract import Channel
from users import channels
from users.command_line import positive

log = structlog.stdlib.get_logger(__name__)

#: AMQP counts what is fetched ahead in two bytes.
MOST_PREFETCH = 65_535


def prefetch_count(text: str) -> int:
    """What AMQP can ask for; raises what argparse shows as a usage error."""
    count = positive(text)
    if count > MOST_PREFETCH:
        raise argparse.ArgumentTypeError(f"{text} is more than a broker can be asked for: at most {MOST_PREFETCH}.")
    return count


#: A container that is started again has the host and the pid it had before: its new life is somebody else.
LIFE = secrets.token_hex(2)


def holder_name(name: str) -> str:
    """How a claim says whose it is: email_consumer@host:pid-life."""
    return f"{name}@{socket.gethostname()}"[:80] + f":{os.getpid()}-{LIFE}"


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
            type=prefetch_count,
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
