"""The words: a template has numbered versions, a version has content per locale and channel."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from users import lately
from users.channels import Channel
from users.models import Category

CODE = RegexValidator(
    r"^(?!preview$)[a-z0-9][a-z0-9_.-]{0,99}\Z",
    "Use 1 to 100 small letters, digits and _ . -, beginning with a letter or digit, and not the word “preview”.",
)


class OnUnknown(models.TextChoices):
    """What to do when a provider may or may not have taken a message."""

    #: Never lost, in rare cases twice (and then flagged).
    RESEND = "resend", "Send again: never lost, in rare cases twice"
    #: Never twice; the doubt stays visible until somebody settles it.
    HOLD = "hold", "Hold: never twice, the doubt is shown"


class Template(models.Model):
    """A message our clients can ask for by its code."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=100, unique=True, validators=[CODE])
    name = models.CharField(max_length=200)
    description = models.TextField(max_length=1000, blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, default="updates")
    default_locale = models.CharField(max_length=35, default="en")
    #: Useless after so many seconds; None means 72 hours.
    ttl_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(60), MaxValueValidator(2_592_000)]
    )
    on_unknown = models.CharField(max_length=6, choices=OnUnknown.choices, default=OnUnknown.RESEND)
    live_version = models.ForeignKey(
        "TemplateVersion", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    is_archived = models.BooleanField("archived", default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: Any, **kwargs: Any) -> None:
        """What was remembered of it is forgotten."""
        super().save(*args, **kwargs)
        lately.forget()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """The same."""
        lately.forget()
        return super().delete(*args, **kwargs)


class VersionIsFixed(ValidationError):
    """Somebody tried to change a published version; make a new draft instead."""

    def __init__(self, message: str = "This version is published and never changes. Make a new draft of it.") -> None:
        super().__init__(message)


class TemplateVersion(models.Model):
    """A numbered state of a template. A draft can change; from publishing on it never does."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PUBLISHED = "published", "Published"
        RETIRED = "retired", "Retired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    #: The declared variables, in the shape of the API: variables.py.
    variables = models.JSONField(default=list, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        permissions = [("publish_templateversion", "Can publish template versions")]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="one_version_per_number"),
            # Two editors asking for a draft at once get one.
            models.UniqueConstraint(fields=["template"], condition=Q(state="draft"), name="one_draft_per_template"),
            models.UniqueConstraint(
                fields=["template"], condition=Q(state="published"), name="one_live_version_per_template"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template_id and self.template.code} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses other variables for a version that is not a draft: requests were held against them."""
        stored = TemplateVersion.objects.filter(pk=self.pk).exclude(state=self.State.DRAFT)
        if any(variables != self.variables for variables in stored.values_list("variables", flat=True)):
            raise VersionIsFixed
        super().save(*args, **kwargs)

    def require_draft(self) -> None:
        """Raises VersionIsFixed unless it is a draft now, and keeps it one until the transaction ends."""
        drafts = TemplateVersion.objects.select_for_update().filter(pk=self.pk, state=self.State.DRAFT)
        if not drafts.exists():
            raise VersionIsFixed


class TemplateContent(models.Model):
    """The words of one version for one locale and channel."""

    version = models.ForeignKey(TemplateVersion, on_delete=models.CASCADE, related_name="contents")
    locale = models.CharField(max_length=35)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    # E-mail.
    subject = models.CharField(max_length=255, blank=True)
    preheader = models.CharField(max_length=255, blank=True)
    html = models.TextField("HTML", blank=True)
    text = models.TextField(blank=True, help_text="Left empty, it is made from the HTML when the version is published.")
    # Push.
    title = models.CharField(max_length=255, blank=True)
    body = models.TextField(max_length=2000, blank=True)
    image = models.CharField(max_length=2000, blank=True)
    link = models.CharField(max_length=2000, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["locale", "channel"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "locale", "channel"], name="one_content_per_version_locale_channel"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.locale} {self.channel}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses to change the words of a version that is not a draft: notifications were made of them."""
        with transaction.atomic():
            self.version.require_draft()
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuses like `save`."""
        with transaction.atomic():
            self.version.require_draft()
            return super().delete(*args, **kwargs)
