"""Loads the demo data."""

from typing import Any

from django.conf import settings

from gateway.demo_data import SECRETS_FILE, seed_demo
from users.command_line import ExamplesCommand


class Command(ExamplesCommand):
    help = "Load people, templates, an admin and an API key to try things with."
    examples = ("manage.py seed_demo",)

    def handle(self, *args: Any, **options: Any) -> None:
        """A second run changes nothing."""
        made = seed_demo(keep_in=settings.VAR_DIR if settings.IS_LOCAL else None)
        if made is None:
            self.stdout.write("The demo data is there already: nothing to do.")
            return
        kept = f"also kept in {settings.VAR_DIR / SECRETS_FILE}" if settings.IS_LOCAL else "shown only now"
        self.stdout.write(f"People, templates, an admin and an API key are there. Both secrets are {kept}:")
        password = made.admin_password or "(the account was there before)"
        self.stdout.write(f"  admin    {made.admin_email}  {password}\n  API key  {made.api_key}")
