"""The two ways a person can be reached."""

from django.db import models


class Channel(models.TextChoices):
    """What the API calls `notification_type`."""

    EMAIL = "email", "E-mail"
    PUSH = "push", "Push"
