"""What commands share that start processes: outside ENVIRONMENT=local they look closely at the settings first."""

from typing import Any

from django.conf import settings

from users.command_line import ExamplesCommand


class StartCommand(ExamplesCommand):
    """Says what `manage.py check --deploy` says, each finding with what to do. Errors stop the start."""

    def check(self, *args: Any, **options: Any) -> None:
        """Django's hook before a command begins. Raises SystemCheckError."""
        super().check(*args, **{"include_deployment_checks": not settings.IS_LOCAL} | options)
