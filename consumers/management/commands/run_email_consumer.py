"""Delivers e-mails."""

from channels_email.channel import EmailChannel
from consumers.consumer_command import ConsumerCommand
from consumers.service_roles import EMAIL_CONSUMER


class Command(ConsumerCommand):
    help = "Send the e-mails that are due, until told to stop."
    examples = (
        "manage.py run_email_consumer",
        "manage.py run_email_consumer --once",
        "manage.py run_email_consumer --concurrency 4 --port 3102",
    )
    role = EMAIL_CONSUMER
    channel = EmailChannel()
