"""The audit log: who did what to what. Lines are added and never changed; `audit.py` alone adds them."""

from typing import Any, Never

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7


class CannotBeChanged(Exception):
    """A line of the audit log is what it was when it was written."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Lines can be read and added."""

    def update(self, **values: Any) -> Never:
        """Refused."""
        raise CannotBeChanged

    def delete(self) -> Never:
        """Refused."""
        raise CannotBeChanged


class AuditEntry(models.Model):
    """One act of somebody. It holds no address and no secret in the clear: they are masked when it is written."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    at = models.DateTimeField(db_default=Now())
    #: A person by name, an API key, a command.
    who = models.CharField(max_length=200)
    #: The account, where a person acted who has one.
    who_id = models.UUIDField(null=True)
    #: What was done, as a word such as person.erased.
    what = models.CharField(max_length=60)
    #: To what: the kind as `app.model`, its id, and how people recognise it.
    about_kind = models.CharField(max_length=60, blank=True)
    about_id = models.CharField(max_length=64, blank=True)
    about_name = models.CharField(max_length=200, blank=True)
    #: What changed, by field, masked.
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    why = models.CharField(max_length=500, blank=True)
    #: The network address it came from.
    address = models.CharField(max_length=64, blank=True)

    objects = AuditQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ["-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            # Serves the page of a person or a template: what was done to it.
            models.Index(fields=["about_kind", "about_id"], name="audit_of_a_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.who}: {self.what}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Adds; refuses to change."""
        if not self._state.adding:
            raise CannotBeChanged
        super().save(*args, force_insert=True)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Refused."""
        raise CannotBeChanged
