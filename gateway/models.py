"""The ledger. A `Notification` is at once API resource, outbox entry, embedded queue and delivery record."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from gateway import priorities
from gateway.attachment_models import Attachment, StoredFile
from gateway.channel_contract import EventType, Outcome
from gateway.querysets import NotificationQuerySet
from gateway.statuses import ENDED, NOT_HANDED_OVER, Status
from templates_app.models import Template, TemplateVersion
from users.channels import Channel
from users.encrypted_fields import EncryptedJSONField


class WaitingFor(models.TextChoices):
    """Why an accepted notification is not due yet."""

    SCHEDULE = "schedule", "Schedule"
    QUIET_HOURS = "quiet_hours", "Quiet hours"
    RETRY = "retry", "Next try"
    BREAKER = "breaker", "Paused provider"
    PACING = "pacing", "Provider's limit"


class Notification(models.Model):
    """One message to one person on one channel. Only `outbox.py` and `tracking.py` change its status."""

    #: UUIDv7: newest first is the order of the primary key, so lists need no index of their own.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    # What was asked for.
    client = models.CharField(max_length=200)
    mode = models.CharField(max_length=4, default="live")
    request_id = models.CharField(max_length=255, null=True)  # noqa: DJ001  no request id is not an empty one
    #: HMAC-SHA-256 of the normalised request: same request id, other request is refused. Empty: a test, no request.
    fingerprint = models.CharField(max_length=64)
    correlation_id = models.CharField(max_length=128, blank=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    #: Without a database constraint: erasing a person keeps the id of what they once got.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, related_name="notifications"
    )
    #: The person as the API names them: the client's own id if there was one.
    user_public_id = models.CharField(max_length=128)
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="+", db_index=False)
    template_version = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    #: The locale whose words were chosen.
    locale = models.CharField(max_length=35)
    category_code = models.CharField(max_length=50)
    #: Empty once the content is deleted; sensitive ones go as soon as it was sent: `retention.py`.
    variables = EncryptedJSONField(default=dict)
    #: Values of variables that the template declares sensitive are still among them.
    has_sensitive = models.BooleanField(default=False, db_default=False)
    content_deleted_at = models.DateTimeField(null=True)
    #: So many files go with it: attachment_models.py.
    attachment_count = models.PositiveSmallIntegerField(default=0, db_default=0)
    metadata = models.JSONField(default=dict)
    priority = models.PositiveSmallIntegerField(default=priorities.DEFAULT)
    send_at = models.DateTimeField(null=True)
    #: Nothing leaves the house for this one.
    is_simulated = models.BooleanField(default=False)
    #: What the 202 said, to be repeated word for word: status, reason, available_at, warnings.
    first_answer = models.JSONField(default=dict)

    # Where it is.
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACCEPTED)
    #: A code of `reasons.py`, and the values of its sentence.
    reason = models.CharField(max_length=30, default="waiting")
    reason_data = models.JSONField(default=dict)
    waiting_for = models.CharField(max_length=12, choices=WaitingFor.choices, blank=True)
    available_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    # Who holds it.
    #: Fencing token: every write after a claim names it.
    claim_token = models.UUIDField(null=True)
    #: The consumer that holds it, for people: email_consumer@host:pid.
    claimed_by = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    #: How often a consumer died while it prepared this one.
    crash_count = models.PositiveSmallIntegerField(default=0)
    #: When its id was last on its way to the broker, and how often; never without one.
    published_at = models.DateTimeField(null=True)
    publish_count = models.PositiveSmallIntegerField(default=0, db_default=0)

    # What came of it.
    attempt_count = models.PositiveSmallIntegerField(default=0)
    #: Tries that count against MAX_ATTEMPTS: a provider that only asks us to slow down uses none up.
    tries_used = models.PositiveSmallIntegerField(default=0)
    provider = models.CharField(max_length=30, blank=True)
    #: The provider will still report what became of it; until then `sent` is not the last word.
    awaits_news = models.BooleanField(default=False)
    possible_duplicate = models.BooleanField(default=False)
    #: How many changes so far callbacks may tell of: the `sequence` of the last one.
    news_count = models.PositiveIntegerField(default=1, db_default=1)
    complained = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    #: When the status last changed.
    updated_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    #: When its id was told on failed.queue, where tests are left out; another life clears it.
    dead_lettered_at = models.DateTimeField(null=True)
    #: When an operator laid a dead letter aside for good; who and why is in the event.
    discarded_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        permissions = [
            ("cancel_notification", "Can cancel notifications"),
            ("replay_notification", "Can give dead letters another life"),
            ("discard_notification", "Can discard dead letters"),
            ("settle_notification", "Can settle doubts about notifications"),
            ("view_notification_content", "Can see variables and what was sent"),
        ]
        constraints = [
            # Serves the promise "one request id, one notification", per client and mode.
            models.UniqueConstraint(
                fields=["client", "mode", "request_id"],
                condition=Q(request_id__isnull=False),
                name="one_notification_per_request",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="notification_status_is_known"),
            models.CheckConstraint(
                condition=~Q(status__in=[Status.CLAIMED, Status.SENDING])
                | Q(claim_token__isnull=False, lease_expires_at__isnull=False),
                name="held_notification_has_lease",
            ),
        ]
        indexes = [
            # Serves consumers and relay: the due rows of a channel, most urgent first.
            models.Index(
                F("channel"), F("priority").desc(), F("available_at"), condition=Q(status="accepted"), name="due"
            ),
            # Serves consumers: what must not wait in a broker's queue.
            models.Index(
                F("channel"),
                F("priority").desc(),
                F("available_at"),
                condition=Q(status__in=["accepted", "queued"], priority__gte=priorities.URGENT_FROM),
                name="urgent",
            ),
            # Serves the sweeper: leases that are over.
            models.Index(fields=["lease_expires_at"], condition=Q(status__in=["claimed", "sending"]), name="leased"),
            # Serves the sweeper: queued ones that no consumer has come for.
            models.Index(fields=["channel", "published_at"], condition=Q(status="queued"), name="hinted"),
            # Serves the sweeper: what has become useless.
            models.Index(fields=["expires_at"], condition=Q(status__in=sorted(NOT_HANDED_OVER)), name="expiring"),
            # Serves the sweeper and the operator: doubts to settle, oldest first.
            models.Index(fields=["updated_at"], condition=Q(status="unknown"), name="in_doubt"),
            # Serves the operator and the alerts: dead letters that wait for a decision, newest first, tests apart.
            models.Index(
                fields=["is_simulated", "-updated_at"],
                condition=Q(status="failed", discarded_at__isnull=True),
                name="dead_letters_apart",
            ),
            # Serves the relay: dead letters that failed.queue has not been told of.
            models.Index(
                fields=["updated_at"], condition=Q(status="failed", dead_lettered_at__isnull=True), name="untold"
            ),
            # Serves the alerts: what waits because a provider refuses our credentials.
            models.Index(fields=["id"], condition=Q(status="accepted", reason="provider_auth"), name="keys_refused"),
            # Serves retention: what was sent and still holds sensitive values.
            models.Index(fields=["updated_at"], condition=Q(has_sensitive=True), name="sensitive"),
            # Serves retention: what has ended and still has its content, oldest first.
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=sorted(ENDED), content_deleted_at__isnull=True),
                name="with_content",
            ),
            # `user` carries Django's own index: serves "did Ann get it?".
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def message_id(self) -> str:
        """The Message-ID's left side: the same over all attempts (RFC 5322, section 3.6.4)."""
        return f"n-{self.id}"


class DeadLetter(Notification):
    """A given-up notification, as the admin lists them: an operator may give it another life."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = "dead letter"


class DeliveryAttempt(models.Model):
    """One try to hand one message to one provider; pushes have one row per device."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="attempts")
    #: 1 for the first try; the devices of one try share the number.
    number = models.PositiveSmallIntegerField()
    provider = models.CharField(max_length=30)
    device_id = models.UUIDField(null=True)
    claim_token = models.UUIDField()
    #: None while the provider has not answered.
    outcome = models.CharField(max_length=13, choices=[(each.value, each.value) for each in Outcome], null=True)  # noqa: DJ001
    error_code = models.CharField(max_length=50, blank=True)
    provider_code = models.CharField(max_length=50, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    #: Seconds, when the provider says how long to wait.
    retry_after = models.PositiveIntegerField(null=True)
    provider_message_id = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    #: How long the provider took, by the clock of the process that asked.
    duration_ms = models.PositiveIntegerField(null=True)

    class Meta:
        # `notification` carries Django's own index: serves the timeline.
        ordering = ["id"]

    def __str__(self) -> str:
        return f"attempt {self.number} by {self.provider}"


class NotificationEvent(models.Model):
    """A step in the life of a notification that its row and its attempts do not tell by themselves. Append-only."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="events")
    #: A status, or: retrying, released, possible_duplicate, replayed, discarded, late_answer.
    type = models.CharField(max_length=30)
    at = models.DateTimeField(db_default=Now())
    reason = models.CharField(max_length=30, blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        # `notification` carries Django's own index: serves the timeline.
        ordering = ["id"]

    def __str__(self) -> str:
        return self.type


class ProviderEvent(models.Model):
    """Later news from a provider, each kept once however often it is told."""

    provider = models.CharField(max_length=30)
    event_id = models.CharField(max_length=200)
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="provider_events")
    type = models.CharField(max_length=12, choices=[(each.value, each.value) for each in EventType])
    occurred_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())
    reason = models.CharField(max_length=30, blank=True)
    detail = models.CharField(max_length=500, blank=True)
    #: Of a bounce: the code behind it.
    code = models.CharField(max_length=50, blank=True, db_default="")
    #: False for a bounce or complaint that proves nothing of the person's address.
    is_about_address = models.BooleanField(db_default=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="one_row_per_provider_event"),
        ]

    def __str__(self) -> str:
        return f"{self.type} by {self.provider}"


class ProviderState(models.Model):
    """What all processes know of one provider of one channel: its breaker, its pauses, what an operator wants of it.

    Written by `provider_states.py` alone. Half open is not a state of its own: it is open, and a trial is under way.
    """

    class State(models.TextChoices):
        CLOSED = "closed", "Working"
        OPEN = "open", "Paused"

    class Force(models.TextChoices):
        OPEN = "open", "Forced open"
        CLOSED = "closed", "Forced closed"

    channel = models.CharField(max_length=10, choices=Channel.choices)
    provider = models.CharField(max_length=30)
    state = models.CharField(max_length=6, choices=State.choices, default=State.CLOSED)
    opened_at = models.DateTimeField(null=True)
    #: While open: when one trial may be made.
    retry_at = models.DateTimeField(null=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    last_error_at = models.DateTimeField(null=True)
    #: It works again, but others go first until then: traffic does not jump back and forth.
    rests_until = models.DateTimeField(null=True)
    #: The provider asked us to slow down: nobody asks it before.
    paused_until = models.DateTimeField(null=True)
    #: What an operator decided; without an end it holds until somebody takes it back.
    forced = models.CharField(max_length=6, choices=Force.choices, blank=True)
    forced_until = models.DateTimeField(null=True)
    forced_by = models.CharField(max_length=200, blank=True)
    forced_why = models.CharField(max_length=200, blank=True)
    #: Who makes the one trial. The lease ends by itself, should that process die.
    trial_token = models.UUIDField(null=True)
    trial_by = models.CharField(max_length=100, blank=True)
    trial_until = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("force_breaker", "Can force providers open or closed")]
        constraints = [
            models.UniqueConstraint(fields=["channel", "provider"], name="one_state_per_provider"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} by {self.provider}"


class BreakerTransition(models.Model):
    """A step in the life of a provider's breaker, for whoever asks what happened. Append-only; old ones are swept."""

    class Change(models.TextChoices):
        OPENED = "opened", "Paused"
        TRIAL = "trial", "Trial"
        CLOSED = "closed", "Working again"
        FORCED_OPEN = "forced_open", "Forced open"
        FORCED_CLOSED = "forced_closed", "Forced closed"
        AUTOMATIC = "automatic", "Back to automatic"

    channel = models.CharField(max_length=10, choices=Channel.choices)
    provider = models.CharField(max_length=30)
    change = models.CharField(max_length=13, choices=Change.choices)
    at = models.DateTimeField(db_default=Now())
    #: The process or the person.
    who = models.CharField(max_length=200, blank=True)
    #: The error that opened it, or the operator's reason.
    why = models.CharField(max_length=500, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        indexes = [
            # Serves the page of a provider, and the sweeper that forgets old ones.
            models.Index(fields=["at"], name="breaker_transitions"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} by {self.provider}: {self.change}"


class RateCount(models.Model):
    """How many requests there were in one window of one client and policy, where Redis does not count them."""

    #: Made by django-ratelimit: policy, client and window, hashed.
    key = models.CharField(max_length=120, primary_key=True)
    count = models.PositiveIntegerField()
    #: Seconds since 1970, by the clock of the process that counted first: as the windows are.
    ends_at = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        indexes = [
            # Serves the sweeper: windows that are over.
            models.Index(fields=["ends_at"], name="ended_windows"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


# Here, so that Django finds them; beside this file, so that each stays short enough to be read.
from gateway.callback_models import CallbackEndpoint, CallbackTry, StatusCallback  # noqa: E402
from gateway.provider_models import ProviderSetting  # noqa: E402

__all__ = [
    "Attachment",
    "BreakerTransition",
    "CallbackEndpoint",
    "CallbackTry",
    "DeadLetter",
    "DeliveryAttempt",
    "Notification",
    "NotificationEvent",
    "ProviderEvent",
    "ProviderSetting",
    "ProviderState",
    "RateCount",
    "StatusCallback",
    "StoredFile",
    "WaitingFor",
]
