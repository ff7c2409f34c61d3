"""Files that go with mails, encrypted in the database: every process reaches them. Found through `models.py`."""

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from users.encrypted_fields import EncryptedBytesField, EncryptedTextField


class StoredFile(models.Model):
    """A file's bytes: uploaded for any number of notifications, or sent along with one."""

    #: Rows whose keys are changed under one commit: they are large.
    sealed_batch = 5

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    client = models.CharField(max_length=200)
    mode = models.CharField(max_length=4, default="live")
    filename = EncryptedTextField()
    content_type = models.CharField(max_length=100)
    #: Bytes.
    size = models.PositiveIntegerField()
    #: Of the content, hexadecimal.
    sha256 = models.CharField(max_length=64)
    content = EncryptedBytesField()
    created_at = models.DateTimeField(db_default=Now())
    #: Until then requests may name it. None for what came with a request: it belongs to that notification alone.
    expires_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            # Serves the sum of what a client keeps here.
            models.Index(fields=["client", "mode"], condition=models.Q(expires_at__isnull=False), name="uploads"),
            # Serves the sweeper: uploads that can no longer be named.
            models.Index(fields=["expires_at"], condition=models.Q(expires_at__isnull=False), name="expiring_uploads"),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Attachment(models.Model):
    """A file goes with a notification."""

    notification = models.ForeignKey("gateway.Notification", on_delete=models.CASCADE, related_name="attachments")
    #: The database refuses to delete a file that goes with something; Django is not to look, it would load the bytes.
    file = models.ForeignKey(StoredFile, on_delete=models.DO_NOTHING, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    #: The name in this mail.
    filename = EncryptedTextField()
    #: For an image shown inside the mail: the X of `cid:X`.
    content_id = models.CharField(max_length=100, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position"]

    def __str__(self) -> str:
        return f"attachment {self.position} of {self.notification_id}"
