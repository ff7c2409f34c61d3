"""How the app is called in the admin, and what it does after `migrate`."""

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class UsersConfig(AppConfig):
    name = "users"
    verbose_name = "People"

    def ready(self) -> None:
        """Roles follow the code: what they may do is brought in step when all permissions are there."""
        post_migrate.connect(_sync_roles_at_the_end, dispatch_uid="staff roles")


def _sync_roles_at_the_end(sender: AppConfig, **kwargs: Any) -> None:
    """Django tells of every app in turn; permissions of the last one are made just before this."""
    if sender is [config for config in apps.get_app_configs() if config.models_module][-1]:
        from users.staff_roles import sync_staff_roles  # noqa: PLC0415  models are not loaded before

        sync_staff_roles()
