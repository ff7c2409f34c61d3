"""Looks after what nobody came back for."""

import os
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from consumers.alert_posts import configured_posts
from consumers.alerts import LOOK_EVERY, AlertWatch
from consumers.brokers import choice
from consumers.brokers.rabbitmq.topology import PREFETCH
from consumers.loop_command import LoopCommand, broker_address, journal_folder
from consumers.loop_process import Loop, LoopProcess
from consumers.missing_hints import MissingHints
from consumers.service_roles import SWEEPER
from consumers.sweeper import LIMIT, Chore, Sweeper, chores
from gateway.time_scale import scaled
from users.channels import Channel

log = structlog.stdlib.get_logger(__name__)


def sweeper_loops(process: LoopProcess, *, once: bool) -> list[Loop]:
    """One loop over all chores, and one for alerts."""
    to_do = chores(
        channels=[EmailChannel(), PushChannel()],
        journal_folder=journal_folder(),
        rules=settings.DELIVERY_RULES,
    )
    if choice.uses_rabbitmq():
        looker = choice.bell(SWEEPER.name)
        missing = MissingHints(looker, channels=Channel.values, prefetch=PREFETCH, limit=LIMIT)
        to_do.append(Chore("reopen_missing", scaled(timedelta(seconds=1)), missing.reopen))
    log.info("Started.", action="start", broker=broker_address(), chores=len(to_do), pid=os.getpid())
    # Mail servers and webhooks may be slow: alerts have a loop of their own, and no chore waits for it.
    watch = AlertWatch(configured_posts(), quiet=settings.ALERT_QUIET_PERIOD)
    sweepers = [
        Sweeper(to_do, stopping=process.stopping),
        Sweeper([Chore("alert", LOOK_EVERY, watch.look)], stopping=process.stopping),
    ]
    return [partial(each.run, once=once, on_turn=process.note) for each in sweepers]


class Command(LoopCommand):
    help = "Do the chores: stalled leases, doubts, expiry, lost hints, alerts."
    examples = ("manage.py run_sweeper", "manage.py run_sweeper --once")
    role = SWEEPER

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """All chores."""
        process.run(sweeper_loops(process, once=options["once"]), port=options["port"], host=options["host"])
