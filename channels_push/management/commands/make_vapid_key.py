"""`manage.py make_vapid_key`: the pair of keys for Web Push."""

import json
from typing import Any

from django.core.management.base import CommandParser

from channels_push.service_settings import new_vapid_key, vapid_public_key
from users.command_line import ExamplesCommand


class Command(ExamplesCommand):
    help = "Make the key that signs Web Push messages.\n\nNothing is stored: keep it, and never change it again."
    examples = ("manage.py make_vapid_key", "manage.py make_vapid_key --json")
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """For people or machines."""
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it, once."""
        private = new_vapid_key()
        public = vapid_public_key(private)
        if options["json"]:
            self.stdout.write(json.dumps({"private_key": private, "public_key": public}))
            return
        self.stdout.write(f"VAPID_PRIVATE_KEY={private}")
        self.stderr.write(
            f"The public half, for browsers: {public}\nKeep the private one secret, and never change it: "
            "browsers that subscribed with it take nothing from another."
        )
