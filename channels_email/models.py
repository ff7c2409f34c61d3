"""What the capture provider keeps of e-mails."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from gateway.models import Notification
from users.encrypted_fields import EncryptedBytesField, EncryptedTextField


class CapturedEmail(models.Model):
    """A mail that was kept for the inbox instead of being sent, byte for byte as it would have left; encrypted."""

    #: Rows whose keys are changed under one commit: with attachments they are large.
    sealed_batch = 5

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="captured_emails")
    to = EncryptedTextField()
    subject = EncryptedTextField()
    #: The whole message (RFC 5322).
    source = EncryptedBytesField()
    captured_at = models.DateTimeField(db_default=Now())
    #: A mail server reports later; so does this one. True once the report was recorded.
    is_reported = models.BooleanField(default=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = "captured e-mail"
        indexes = [
            # Serves the reports of delivery: what nobody has recorded yet.
            models.Index(fields=["captured_at"], condition=Q(is_reported=False), name="unreported_emails"),
        ]

    def __str__(self) -> str:
        return str(self.subject)
