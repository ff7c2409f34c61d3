"""How the app is called in the admin."""

from django.apps import AppConfig


class ChannelsPushConfig(AppConfig):
    name = "channels_push"
    verbose_name = "Push"
