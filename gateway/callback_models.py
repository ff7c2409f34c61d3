"""What clients asked to be told, and what they are owed. Django finds these through `models.py`."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

#: What an endpoint may ask for, besides "*" for all of them.
STATUS_EVENTS = tuple(
    f"notification.{name}"
    for name in (
        *("accepted", "queued", "sending", "retrying", "sent", "delivered"),
        *("bounced", "complained", "suppressed", "cancelled", "expired", "failed"),
    )
)
TEST_EVENT = "callback.test"
#: What an endpoint gets that asks for nothing in particular: every end, and what is nearly one.
DEFAULT_EVENTS = STATUS_EVENTS[4:]
EVERYTHING = "*"


class CallbackEndpoint(models.Model):
    """An address of a client that wants to be told. Written by `callback_endpoints.py` and `callback_posts.py`."""

    class Disabled(models.TextChoices):
        """Why we stopped by ourselves; empty where the client wanted it so."""

        GONE = "gone", "It answered 410: gone"
        FAILING = "failing", "No success for five days"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.CharField(max_length=200)
    mode = models.CharField(max_length=4, default="live")
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=1000, blank=True)
    events = models.JSONField(default=list)
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=10, choices=Disabled.choices, blank=True)
    #: What this table's secrets are sealed for (users/key_rotation.py), each bound to the id of its row.
    sealed_for_row: ClassVar[dict[str, str]] = {"secret": "callback secret", "previous_secret": "callback secret"}

    #: Both encrypted (users/encryption.py), bound to the id of this row.
    secret = models.CharField(max_length=200, editable=False)
    previous_secret = models.CharField(max_length=200, blank=True, editable=False)
    #: Until then both secrets sign.
    previous_valid_until = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    #: The first failure since the last success.
    failing_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("view",)
        indexes = [
            # Serves the owing of callbacks, and the list of a client.
            models.Index(fields=["client", "mode"], name="callbacks_of_client"),
        ]

    def __str__(self) -> str:
        return f"{self.client} ({self.mode}): {self.url.partition('?')[0]}"


class StatusCallback(models.Model):
    """One piece of news that an endpoint is owed: a delivery, as the API calls it.

    It keeps what the notification was like at that moment; the body is made from it when it is first sent.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    #: Without a database constraint: a status may just be told to an endpoint that is being deleted.
    endpoint = models.ForeignKey(
        CallbackEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_constraint=False, db_index=False
    )
    #: None for a test.
    notification = models.ForeignKey(
        "gateway.Notification", on_delete=models.CASCADE, related_name="callbacks", null=True
    )
    event_type = models.CharField(max_length=40)
    #: Which change of status of the notification this was.
    sequence = models.PositiveIntegerField(db_default=0)

    # The notification as it was then.
    status = models.CharField(max_length=10, blank=True, db_default="")
    reason = models.CharField(max_length=30, blank=True, db_default="")
    reason_data = models.JSONField(default=dict)
    provider = models.CharField(max_length=30, blank=True, db_default="")
    attempt_count = models.PositiveSmallIntegerField(db_default=0)
    awaits_news = models.BooleanField(db_default=False)
    available_at = models.DateTimeField(null=True)

    #: What is sent, the same on every try; empty until the first one.
    body = models.TextField(blank=True, db_default="")
    state = models.CharField(max_length=9, choices=State.choices, db_default=State.PENDING)
    #: All tries so far, and those of the present schedule.
    try_count = models.PositiveIntegerField(db_default=0)
    scheduled_tries = models.PositiveSmallIntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    #: Who is sending it, and until when that counts.
    claim_token = models.UUIDField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        permissions = [("resend_statuscallback", "Can send callbacks again")]
        indexes = [
            # Serves the sender: what is due at an endpoint.
            models.Index(fields=["endpoint", "next_attempt_at"], condition=Q(state="pending"), name="callbacks_due"),
            # Serves the sender: whether an earlier one of the same notification still waits.
            models.Index(
                fields=["endpoint", "notification", "sequence"], condition=Q(state="pending"), name="callbacks_in_order"
            ),
            # Serves the list of an endpoint's deliveries, newest first.
            models.Index(F("endpoint"), F("id").desc(), name="callbacks_of_endpoint"),
            # `notification` carries Django's own index: serves the notification's page.
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.webhook_id}"

    @property
    def webhook_id(self) -> str:
        """By this a receiver knows a repetition."""
        return f"evt_{self.pk}"


class CallbackTry(models.Model):
    """One post of one callback, and what the receiver answered; its body is not kept."""

    callback = models.ForeignKey(StatusCallback, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    status_code = models.PositiveSmallIntegerField(null=True)
    #: A code of `outbound_http.py` where there was no answer.
    error = models.CharField(max_length=200, blank=True)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return f"try {self.number}: {self.status_code or self.error}"
