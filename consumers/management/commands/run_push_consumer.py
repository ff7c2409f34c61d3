"""Delivers pushes."""

from channels_push.channel import PushChannel
from consumers.consumer_command import ConsumerCommand
from consumers.service_roles import PUSH_CONSUMER


class Command(ConsumerCommand):
    help = "Send the pushes that are due, until told to stop."
    examples = (
        "manage.py run_push_consumer",
        "manage.py run_push_consumer --once",
        "manage.py run_push_consumer --concurrency 4 --port 3103",
    )
    role = PUSH_CONSUMER
    channel = PushChannel()
