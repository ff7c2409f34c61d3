"""Starts what docker-compose.yml starts, without Docker."""

from collections.abc import Callable

from consumers.platform_start import Say
from consumers.services_start import run_services
from consumers.start_all_command import StartAllCommand


class Command(StartAllCommand):
    help = "Start every service as a process of its own, on PostgreSQL."
    examples = (
        "manage.py run_services",
        "DATABASE_URL=postgres://postgres@127.0.0.1:5432/notifications manage.py run_services",
    )

    def start(self, say: Say, *, check: Callable[[], None]) -> None:
        """All of them."""
        run_services(say, check=check)
