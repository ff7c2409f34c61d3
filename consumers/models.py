"""The processes that are alive."""

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class ServiceInstance(models.Model):
    """One process. It registers itself, renews every few seconds and says when it leaves."""

    class State(models.TextChoices):
        STARTING = "starting", "Starting"
        RUNNING = "running", "Running"
        DRAINING = "draining", "Draining"
        STOPPED = "stopped", "Stopped"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    #: A service role, such as email_consumer.
    role = models.CharField(max_length=20)
    host = models.CharField(max_length=255)
    #: Where it answers /health; None when it does not.
    port = models.PositiveIntegerField(null=True)
    pid = models.PositiveIntegerField()
    version = models.CharField(max_length=50)
    state = models.CharField(max_length=10, choices=State.choices, default=State.STARTING)
    started_at = models.DateTimeField(db_default=Now())
    heartbeat_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["role", "id"]
        verbose_name = "live service"

    def __str__(self) -> str:
        return f"{self.role}@{self.host}:{self.pid}"
