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


class Alert(models.Model):
    """One kind of trouble that operators are told of: since when, who was told, and who is still to be told.

    There is one row for each kind and subject, however often it comes. `alerts.py` alone writes it, by guarded UPDATEs:
    of any number of sweepers one sends a message.
    """

    class Kind(models.TextChoices):
        DEAD_LETTERS = "dead_letters", "Dead letters"
        OLDEST_DUE = "oldest_due", "Messages wait too long"
        BREAKER_OPEN = "breaker_open", "Provider paused"
        DOUBTS = "doubts", "Doubts nobody settles"
        CALLBACKS_STOPPED = "callbacks_stopped", "Callbacks stopped"
        CREDENTIALS_REFUSED = "credentials_refused", "Credentials refused"
        NEWS_AWAY = "news_away", "Bounces are not read"

    class Message(models.TextChoices):
        ALARM = "alarm", "Alarm"
        ALL_CLEAR = "all_clear", "All clear"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    #: What it is about where one kind may concern several things: a provider.
    subject = models.CharField(max_length=100, blank=True)
    since = models.DateTimeField(db_default=Now())
    #: When it was seen last.
    seen_at = models.DateTimeField(db_default=Now())
    #: None while it lasts.
    over_at = models.DateTimeField(null=True)
    #: As it was at the last look; where each case is news, those that have not been told.
    count = models.PositiveIntegerField(default=0)
    sentence = models.CharField(max_length=300, blank=True)
    #: The notification to look at first; None where none is to blame.
    first = models.UUIDField(null=True)
    #: The newest case, and up to which they have been told; only where each case is news.
    newest_at = models.DateTimeField(null=True)
    told_up_to = models.DateTimeField(null=True)

    #: The message that was sent last, or is being sent.
    message = models.CharField(max_length=9, choices=Message.choices, blank=True)
    #: When the last alarm was begun: the quiet period counts from here.
    told_at = models.DateTimeField(null=True)
    #: Names of the ways by which it went, and of those by which it has still to go; separated by commas.
    told_by = models.CharField(max_length=100, blank=True)
    waits_for = models.CharField(max_length=100, blank=True)
    #: How often this message was tried, and before when nobody else may try.
    try_count = models.PositiveIntegerField(default=0)
    try_at = models.DateTimeField(null=True)
    #: Grows with every try of every message: who has not seen the last one changes nothing.
    edition = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        ordering = ["kind", "subject"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="one_alert_per_kind_and_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}" if self.subject else self.get_kind_display()

    @property
    def is_news(self) -> bool:
        """Whether there is anything to tell: trouble that lasts always is, cases only when they are new."""
        return self.newest_at is None or self.told_up_to is None or self.newest_at > self.told_up_to
