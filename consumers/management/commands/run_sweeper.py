"""Looks after what nobody came back for."""

from typing import Any

import structlog
from django.conf import settings

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from consumers.consumer_command import LoopCommand, database_address, journal_folder
from consumers.loop_process import LoopProcess
from consumers.service_roles import SWEEPER
from consumers.sweeper import Sweeper, chores

log = structlog.stdlib.get_logger(__name__)


class Command(LoopCommand):
    help = "Do the chores: stalled leases, doubts, expiry, late news."
    examples = ("manage.py run_sweeper", "manage.py run_sweeper --once")
    role = SWEEPER

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """One loop over all chores."""
        to_do = chores(
            channels=[EmailChannel(), PushChannel()],
            journal_folder=journal_folder(),
            max_attempts=settings.MAX_ATTEMPTS,
        )
        log.info("Started.", action="start", broker=database_address(), chores=len(to_do))
        sweeper = Sweeper(to_do, stopping=process.stopping)
        process.run([lambda: sweeper.run(once=options["once"], on_turn=process.note)])
