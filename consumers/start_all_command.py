"""What the two commands share that start every process of a machine."""

import sys
from collections.abc import Callable
from typing import Any

from consumers.platform_start import CannotStart, Say
from consumers.start_command import StartCommand


class StartAllCommand(StartCommand):
    """Starts many processes, and ends with them."""

    requires_system_checks = ()  # they come a little later: a second start need not wait for them

    def start(self, say: Say, *, check: Callable[[], None]) -> None:
        """Run until told to stop. Raises `CannotStart`."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit 0 after Ctrl-C or SIGTERM, 1 when it cannot start."""
        try:
            self.start(self._say, check=self.check)
        except CannotStart as problem:
            # One line and nothing before it: this is what a newcomer reads first.
            self.stderr.write(str(problem))
            sys.exit(1)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
