"""Starts what docker-compose.yml starts, without Docker."""

import sys
from typing import Any

from consumers.platform_start import CannotStart
from consumers.services_start import run_services
from consumers.start_command import StartCommand


class Command(StartCommand):
    help = "Start every service as a process of its own, on PostgreSQL."
    examples = (
        "manage.py run_services",
        "DATABASE_URL=postgres://postgres@127.0.0.1:5432/notifications manage.py run_services",
    )
    requires_system_checks = ()  # they come a little later: a second start need not wait for them

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 after Ctrl-C or SIGTERM, 1 when it cannot start."""
        try:
            run_services(self._say, check=self.check)
        except CannotStart as problem:
            self.stderr.write(str(problem))
            sys.exit(1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
