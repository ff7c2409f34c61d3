"""Rings RabbitMQ for what is due."""

import os
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import CommandError

from consumers.brokers import choice
from consumers.loop_command import LoopCommand, broker_address
from consumers.loop_process import LoopProcess
from consumers.relay import Relay
from consumers.service_roles import RELAY
from users.channels import Channel

log = structlog.stdlib.get_logger(__name__)


class Command(LoopCommand):
    help = "Keep RabbitMQ's queues topped up, most urgent first."
    examples = ("manage.py run_relay", "manage.py run_relay --once")
    role = RELAY

    def run(self, process: LoopProcess, options: dict[str, Any]) -> None:
        """One loop over all queues."""
        if not choice.uses_rabbitmq():
            raise CommandError("Without RABBITMQ_URL the table is the queue: there is nothing to relay.", returncode=2)
        log.info(
            "Started.",
            action="start",
            broker=broker_address(),
            high_water=settings.RELAY_HIGH_WATER,
            pid=os.getpid(),
        )
        relay = Relay(
            choice.bell(options["name"]),
            channels=Channel.values,
            high_water=settings.RELAY_HIGH_WATER,
            stopping=process.stopping,
        )
        loop = partial(relay.run, once=options["once"], on_turn=process.note)
        process.run([loop], port=options["port"], host=options["host"])
