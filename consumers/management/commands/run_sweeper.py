"""Looks after what nobody came back for."""

from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from consumers.brokers import choice
from consumers.brokers.rabbitmq.broker import PREFETCH
from consumers.consumer_command import LoopCommand, broker_address, journal_folder
from consumers.loop_process import LoopProcess
from consumers.missing_hints import MissingHints
from consumers.service_roles import SWEEPER
from consumers.sweeper import LIMIT, Chore, Sweeper, chores
from users.channels import Channel

log = structlog.stdlib.get_logger(__name__)


class Command(LoopCommand):
    help = "Do the chores: stalled leases, doubts, expiry, late news, lost hints."
    examples = ("manage.py run_sweeper", "manage.py run_sweeper --once")
    role = SWEEPER

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """One loop over all chores."""
        to_do = chores(
            channels=[EmailChannel(), PushChannel()],
            journal_folder=journal_folder(),
            rules=settings.DELIVERY_RULES,
        )
        if choice.uses_rabbitmq():
            looker = choice.bell(SWEEPER.name)
            missing = MissingHints(looker, channels=Channel.values, prefetch=PREFETCH, limit=LIMIT)
            to_do.append(Chore("reopen_missing", timedelta(seconds=1), missing.reopen))
        log.info("Started.", action="start", broker=broker_address(), chores=len(to_do))
        sweeper = Sweeper(to_do, stopping=process.stopping)
        process.run([lambda: sweeper.run(once=options["once"], on_turn=process.note)])
