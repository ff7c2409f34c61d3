"""The small duties in one process, where a machine runs everything."""

from typing import Any

from consumers.loop_command import LoopCommand
from consumers.loop_process import LoopProcess
from consumers.management.commands.run_callback_sender import callback_loops
from consumers.management.commands.run_sweeper import sweeper_loops
from consumers.service_roles import SMALL_DUTIES


class Command(LoopCommand):
    help = "Be callback sender and sweeper in one process."
    examples = ("manage.py run_small_duties", "manage.py run_small_duties --once")
    role = SMALL_DUTIES

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """The loops of both."""
        once = options["once"]
        loops = [*callback_loops(process, once=once), *sweeper_loops(process, once=once)]
        process.run(loops, port=options["port"], host=options["host"])
