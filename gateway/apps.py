"""How the app is called in the admin; failpoints are armed where a test asks for them."""

from pathlib import Path

from django.apps import AppConfig
from django.conf import settings


class GatewayConfig(AppConfig):
    name = "gateway"
    verbose_name = "Notifications"

    def ready(self) -> None:
        """Before any process of ours begins its work."""
        from gateway import failpoints  # noqa: PLC0415  no module of an app before all apps are there

        failpoints.arm(settings.FAILPOINTS, folder=Path(settings.VAR_DIR))
