"""Starts the whole platform on one machine."""

import sys
from typing import Any

from consumers.platform_start import CannotStart, run_platform
from consumers.start_command import StartCommand


class Command(StartCommand):
    help = "Start web, consumers and sweeper, and keep them running."
    examples = ("manage.py run_platform", "PORT=4000 manage.py run_platform")
    requires_system_checks = ()  # they come a little later: a second start need not wait for them

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 after Ctrl-C or SIGTERM, 1 when it cannot start."""
        try:
            run_platform(self._say, check=self.check)
        except CannotStart as problem:
            # One line and nothing before it: this is what a newcomer reads first.
            self.stderr.write(str(problem))
            sys.exit(1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
