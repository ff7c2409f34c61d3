"""What becomes of wishes: the ledger of consent, addresses that must not be used, whose wishes have just changed."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from uuid_utils.compat import uuid7

from users.channels import Channel
from users.querysets import SuppressionQuerySet


class LedgerIsAppendOnly(TypeError):
    """A line of the ledger is never changed; what was decided later is another line."""


class ConsentEvent(models.Model):
    """One change of one switch: who decided what, when, and where. Append-only; goes with the person."""

    #: UUIDv7: the order of the keys is the order of time.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="consent_events")
    at = models.DateTimeField(db_default=Now(), editable=False)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    #: Empty: the switch of the whole channel. A code, not a key: the line outlives its category.
    category_code = models.CharField(max_length=50, blank=True)
    #: None: followed the channel.
    was = models.BooleanField(null=True)
    became = models.BooleanField(null=True)
    #: self, client:<name>, staff, unsubscribe_link or provider.
    by = models.CharField(max_length=210)
    #: The member of staff, by name.
    who = models.CharField(max_length=200, blank=True)
    #: api, admin, unsubscribe page, one click, import, or the provider's name.
    source = models.CharField(max_length=30)
    #: The network address the decision came from, where it is known.
    address = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["-id"]
        # `user` carries Django's own index: serves the history of a person.

    def __str__(self) -> str:
        return f"{self.channel}/{self.category_code or 'all'}: {self.was} → {self.became} by {self.by}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """New lines only."""
        if not self._state.adding:
            raise LedgerIsAppendOnly
        super().save(*args, **kwargs)


class ChangedWishes(models.Model):
    """Somebody whose wishes or time zone changed a moment ago: what waits for their silence is decided again."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id} at {self.changed_at}"


class Suppression(models.Model):
    """An e-mail address that must not be used, since when and why. Kept when it is lifted: it says who did, and why."""

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", "It bounced for good"
        COMPLAINT = "complaint", "The person reported a message as spam"
        MANUAL = "manual", "Blocked by hand"
        UNSUBSCRIBED = "unsubscribed", "Unsubscribed from all advertising"

    class Scope(models.TextChoices):
        EVERYTHING = "everything", "Nothing is sent"
        MARKETING = "marketing", "Only advertising is not sent"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    #: The fingerprint of the address (`encryption.blind_index`); the address itself stays with its person.
    address_index = models.CharField(max_length=64, editable=False)
    #: For people: a••@example.com. Empty once the person is erased.
    masked_address = models.CharField("address", max_length=254, editable=False)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.EVERYTHING)
    #: What proves it: the words of the mail server, the id of the notification, the reason of whoever blocked it.
    evidence = models.CharField(max_length=500, blank=True)
    notification_id = models.UUIDField(null=True, editable=False)
    since = models.DateTimeField(db_default=Now(), editable=False)
    #: Whoever blocked it by hand.
    added_by = models.CharField(max_length=200, blank=True, editable=False)
    lifted_at = models.DateTimeField(null=True, editable=False)
    lifted_by = models.CharField(max_length=200, blank=True, editable=False)
    lifted_why = models.CharField(max_length=200, blank=True, editable=False)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add")
        permissions = [("lift_suppression", "Can lift suppressions")]
        constraints = [
            # Serves delivery, which asks for every address; and whoever suppresses it a second time.
            models.UniqueConstraint(
                fields=["address_index"], condition=Q(lifted_at__isnull=True), name="one_suppression_per_address"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.shown_address} ({self.get_reason_display()})"

    @property
    def shown_address(self) -> str:
        """The address as people may see it."""
        return self.masked_address or gettext("Address of somebody erased")
