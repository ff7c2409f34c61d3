"""Tells clients what became of their notifications."""

import os
from functools import partial
from typing import Any

import structlog
from django.core.management.base import CommandParser

from consumers.callback_sender import CallbackSender
from consumers.loop_command import LoopCommand, database_address
from consumers.loop_process import Loop, LoopProcess
from consumers.service_roles import CALLBACK_SENDER
from users.command_line import positive

log = structlog.stdlib.get_logger(__name__)

#: Sender threads, each with a database connection of its own.
THREADS = 8


def callback_loops(process: LoopProcess, *, once: bool, threads: int = THREADS) -> list[Loop]:
    """The same loop in every thread."""
    sender = CallbackSender(stopping=process.stopping, threads=threads)
    log.info("Started.", action="start", database=database_address(), concurrency=threads, pid=os.getpid())
    return [partial(sender.run, once=once, on_turn=process.note)] * threads


class Command(LoopCommand):
    help = "Post owed callbacks to clients, signed."
    examples = ("manage.py run_callback_sender", "manage.py run_callback_sender --once --concurrency 2")
    role = CALLBACK_SENDER

    def add_arguments(self, parser: CommandParser) -> None:
        """How much at once."""
        super().add_arguments(parser)
        parser.add_argument(
            "--concurrency", type=positive, default=THREADS, metavar="N", help=f"sender threads (default: {THREADS})"
        )

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """All sender threads."""
        loops = callback_loops(process, once=options["once"], threads=options["concurrency"])
        process.run(loops, port=options["port"], host=options["host"])
