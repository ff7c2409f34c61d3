"""Sends an alert that says it is only a test."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from consumers.alert_posts import AlertMessage, PostFailed, configured_posts
from users.command_line import ExamplesCommand

USAGE, PARTLY = 2, 3


class Command(ExamplesCommand):
    help = "Send a test alert by mail and webhook, as far as they are set."
    examples = ("manage.py send_test_alert",)
    requires_system_checks = ["notify"]

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 when all ways work, 1 when none does, 2 when none is set, 3 when only some do."""
        posts = configured_posts()
        if not posts:
            words = "No way is set: ALERT_EMAILS with ALERT_EMAIL_URL, or ALERT_WEBHOOK_URL."
            raise CommandError(words, returncode=USAGE)
        failed = 0
        for post in posts:
            try:
                post.send(test_message())
            except PostFailed as trouble:
                failed += 1
                self.stderr.write(f"{post.name}: {trouble}")
            else:
                self.stdout.write(f"{post.name}: sent.")
        if failed:
            words = f"{failed} of {len(posts)} did not work."
            raise CommandError(words, returncode=PARTLY if failed < len(posts) else 1)


def test_message() -> AlertMessage:
    """Nothing is wrong."""
    return AlertMessage(
        alert="test",
        state="alarm",
        title=f"[{settings.ENVIRONMENT}] Test alert",
        sentence="Alerts of the notification platform arrive here. Nothing is wrong.",
        count=0,
        first="",
        link=settings.PUBLIC_URL + "/admin/consumers/alert/",
    )
