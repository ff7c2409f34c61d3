"""Declares what RabbitMQ needs to hold, or says what is different there."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from consumers.brokers import choice
from consumers.brokers.base import BrokerUnavailable
from consumers.brokers.rabbitmq import declaration
from users.command_line import ExamplesCommand


class Command(ExamplesCommand):
    help = "Declare exchange, queues and bindings in RabbitMQ; repeatable."
    examples = ("manage.py declare_queues", "manage.py declare_queues --check")
    requires_system_checks = ["notify"]

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare or only look."""
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something differs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when all is as it should be, 1 when not, 2 without RABBITMQ_URL."""
        if not choice.uses_rabbitmq():
            raise CommandError("RABBITMQ_URL is not set: the table is the queue.", returncode=2)
        look = declaration.differences if options["check"] else declaration.declare
        try:
            troubles = look(settings.RABBITMQ_URL, choice.topology())
        except BrokerUnavailable as error:
            raise CommandError(f"{choice.address()} does not answer: {error}") from error
        for trouble in troubles:
            self.stderr.write(trouble)
        if troubles:
            self.stderr.write(
                "RabbitMQ changes no queue that exists. Stop relay and consumers, delete what differs and declare it "
                "again: nothing is lost, the hints are published again."
            )
            sys.exit(1)
        self.stdout.write(f"{choice.address()} holds everything that is needed.")
