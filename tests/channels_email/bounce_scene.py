"""A mail that was sent to Ann, and what is known of her and of it afterwards."""

import uuid

from gateway.models import Notification
from gateway.statuses import Status
from tests.factories import AttemptFactory, NotificationFactory, UserFactory, ago
from users.models import Suppression, User

ANN = "ann@example.com"


def sent_to(person: User | None = None, **columns) -> Notification:
    """Taken by the mail server an hour ago."""
    person = person or User.objects.with_email(ANN).first() or UserFactory(email=ANN)
    usual = {"status": Status.SENT, "provider": "smtp", "sent_at": ago(hours=1)}
    row = NotificationFactory(user=person, **usual | columns)
    AttemptFactory(notification=row, outcome="accepted", started_at=ago(hours=1), claim_token=uuid.uuid4())
    return row


def ended(notification: Notification) -> tuple[str, str]:
    """Status and reason."""
    return Notification.objects.values_list("status", "reason").get(pk=notification.pk)


def blocked() -> list[str]:
    """Why addresses are blocked."""
    return list(Suppression.objects.values_list("reason", flat=True))
