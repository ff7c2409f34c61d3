"""How full the queues are."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser

from consumers.brokers import choice
from consumers.brokers.base import BrokerUnavailable, QueueDepth
from consumers.brokers.rabbitmq.bell import RabbitMQBell
from consumers.loop_command import broker_address, require_database
from consumers.queue_numbers import QueueNumbers, queue_numbers
from consumers.queues import FAILED
from users.command_line import ExamplesCommand

#: How long to wait for the broker before its columns stay empty.
WITHIN = timedelta(seconds=5)
COLUMNS = ("queue", "due", "waiting", "queued", "claimed", "sending", "unknown", "failed", "oldest", "consumers")


class Command(ExamplesCommand):
    help = "Show how full the queues are, in the table and in the broker."
    examples = ("manage.py show_queues", "manage.py show_queues --json")
    requires_system_checks = ["notify"]

    def add_arguments(self, parser: CommandParser) -> None:
        """For people or machines."""
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look once."""
        require_database()
        with _bell() as bell:
            numbers = queue_numbers(bell)
            failed = _failed_depth(bell)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(numbers, failed)))
            return
        for line in _as_table([*COLUMNS, "ready in broker", "fetching"], [_row(each) for each in numbers]):
            self.stdout.write(line)
        if failed is not None:
            self.stdout.write(f"{FAILED}: {failed.ready} messages")
        self.stdout.write(f"broker: {broker_address()}")


@contextlib.contextmanager
def _bell() -> Iterator[RabbitMQBell | None]:
    if not choice.uses_rabbitmq():
        yield None
        return
    bell = choice.bell("show_queues")
    try:
        bell.wait_until_up(WITHIN)
        yield bell
    finally:
        bell.close()


def _failed_depth(bell: RabbitMQBell | None) -> QueueDepth | None:
    if bell is None:
        return None
    try:
        return bell.failed_depth()
    except BrokerUnavailable:
        return None


def _as_json(numbers: list[QueueNumbers], failed: QueueDepth | None) -> dict[str, Any]:
    queues = []
    for each in numbers:
        values = asdict(each)
        values["oldest_seconds"] = each.oldest and round(each.oldest.total_seconds(), 3)
        del values["oldest"]
        queues.append(values)
    return {"broker": broker_address(), "queues": queues, FAILED: failed and failed.ready}


def _row(each: QueueNumbers) -> list[str]:
    values = asdict(each)
    values["oldest"] = f"{each.oldest.total_seconds():.0f} s" if each.oldest else "–"
    broker = [str(each.broker.ready), str(each.broker.consumers)] if each.broker else ["–", "–"]
    return [*(str(values[name]) for name in COLUMNS), *broker]


def _as_table(head: list[str], rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *rows]]
