"""Puts the house together; registers the system checks."""

from importlib import import_module

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "notifications_site"
    verbose_name = "Notification platform"

    def ready(self) -> None:
        """The checks look at channels, and those at models: they can be imported only now."""
        import_module("notifications_site.checks")
