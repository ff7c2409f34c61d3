"""Puts the house together; registers the system checks."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "notifications_site"
    verbose_name = "Notification platform"
