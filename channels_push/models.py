"""What the capture provider keeps of pushes."""

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from gateway.models import Notification
from users.encrypted_fields import EncryptedJSONField, EncryptedTextField


class CapturedPush(models.Model):
    """A push that was kept for the inbox instead of being sent; its words are encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="captured_pushes")
    device_id = models.UUIDField()
    device_name = models.CharField(max_length=200, blank=True)
    platform = models.CharField(max_length=10)
    #: The last four characters of the token.
    token_tail = models.CharField(max_length=4)
    title = EncryptedTextField()
    body = EncryptedTextField()
    image = EncryptedTextField(blank=True)
    link = EncryptedTextField(blank=True)
    data = EncryptedJSONField(default=dict)
    captured_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        verbose_name = "captured push"
        verbose_name_plural = "captured pushes"

    def __str__(self) -> str:
        return str(self.title)
