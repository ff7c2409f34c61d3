"""Puts the house together; registers the system checks, and has the database timed."""

from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class SiteConfig(AppConfig):
    name = "notifications_site"
    verbose_name = "Notification platform"

    def ready(self) -> None:
        """The checks look at channels, and those at models: they can be imported only now."""
        import_module("notifications_site.checks")
        import_module("notifications_site.dkim_checks")
        import_module("notifications_site.bounce_checks")
        connection_created.connect(import_module("notifications_site.query_times").time_queries)
