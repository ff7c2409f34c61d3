"""Starts the whole platform on one machine."""

from collections.abc import Callable

from consumers.platform_start import Say, run_platform
from consumers.start_all_command import StartAllCommand


class Command(StartAllCommand):
    help = "Start web, consumers and sweeper, and keep them running."
    examples = ("manage.py run_platform", "PORT=4000 manage.py run_platform")

    def start(self, say: Say, *, check: Callable[[], None]) -> None:
        """All of them."""
        run_platform(say, check=check)
