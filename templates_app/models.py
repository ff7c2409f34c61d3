"""The words: a template has numbered versions, a version has content per locale and channel."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import cached_property
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


class VersionIsFixed(ValidationError):
    """Somebody tried to change a published version; make a new draft instead."""

    def __init__(self, message: str = "This version is published and never changes. Make a new draft of it.") -> None:
        super().__init__(message)


class Layout(models.Model):
    """A frame around the HTML and the text of mails. Its numbers are versions; none ever changes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=50, validators=[CODE])
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    #: Holds `{{ content }}` once: there the mail's own words go.
    html = models.TextField("HTML", default="{{ content }}")
    text = models.TextField(default="{{ content }}")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["code", "-number"]
        constraints = [models.UniqueConstraint(fields=["code", "number"], name="one_layout_per_number")]

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses to change a stored one: published versions are framed by it."""
        if not self._state.adding:
            raise VersionIsFixed("A stored layout never changes. Store the next number.")
        super().save(*args, **kwargs)


class Template(models.Model):
    """A message our clients can ask for by its code."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(max_length=100, unique=True, validators=[CODE])
    name = models.CharField(max_length=200)
    description = models.TextField(max_length=1000, blank=True)
    category = models.ForeignKey(Category, on_delete=models.PROTECT, default="updates")
    default_locale = models.CharField(max_length=35, default="en")
    #: Code of the frame around its mails; without a layout of this code there is no frame.
    layout = models.CharField(max_length=50, default="default")
    #: Useless after so many seconds; None means 72 hours.
    ttl_seconds = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(60), MaxValueValidator(2_592_000)]
    )
    on_unknown = models.CharField(max_length=6, choices=OnUnknown.choices, default=OnUnknown.RESEND)
    live_version = models.ForeignKey(
        "TemplateVersion", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    needs_second_person = models.BooleanField(
        "published by a second person",
        default=False,
        help_text="Whoever wrote a draft cannot publish it.",
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

    @property
    def status(self) -> str:
        """`active` or `archived`."""
        return "archived" if self.is_archived else "active"


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
    #: Grows with every saved change of a draft, so that of two editors the second learns of the first.
    revision = models.PositiveIntegerField(default=1)
    #: The declared variables, in the shape of the API: variables.py.
    variables = models.JSONField(default=list, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: Who wrote in the draft, its maker first: `person:<id>`, or the client of a key.
    writers = models.JSONField(default=list, blank=True)
    edited_by = models.CharField(max_length=250, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    edited_at = models.DateTimeField(db_default=Now(), editable=False)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=250, blank=True)
    #: When a draft is to be published, by whose decision, and whether they know that it breaks callers.
    publish_at = models.DateTimeField(null=True, blank=True)
    publish_asked_by = models.CharField(max_length=250, blank=True)
    publish_acknowledged = models.BooleanField(default=False)
    #: Why the last try to publish it at its time failed.
    publish_problem = models.TextField(blank=True)
    reverted_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: The frame it was published with.
    layout = models.ForeignKey(Layout, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: Requests that were accepted with it; told by the gateway from time to time (usage.py).
    sent_count = models.PositiveIntegerField(default=0)

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
        indexes = [
            # Serves the sweeper: drafts whose time has come.
            models.Index(fields=["publish_at"], condition=Q(publish_at__isnull=False), name="publications_to_come"),
        ]

    def __str__(self) -> str:
        return f"{self.template_id and self.template.code} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuses other variables for a version that is not a draft: requests were held against them."""
        stored = TemplateVersion.objects.filter(pk=self.pk).exclude(state=self.State.DRAFT)
        if any(variables != self.variables for variables in stored.values_list("variables", flat=True)):
            raise VersionIsFixed
        super().save(*args, **kwargs)

    @cached_property
    def frame(self) -> Layout | None:
        """The layout it was published with; of a draft, the one it would be published with now."""
        if self.state != self.State.DRAFT:
            return self.layout
        return Layout.objects.filter(code=self.template.layout).order_by("-number").first()

    def require_draft(self) -> None:
        """Raises VersionIsFixed unless it is a draft now, and keeps it one until the transaction ends."""
        drafts = TemplateVersion.objects.select_for_update(no_key=True).filter(pk=self.pk, state=self.State.DRAFT)
        if not drafts.exists():
            raise VersionIsFixed


class TemplateContent(models.Model):
    """The words of one version for one locale and channel."""

    class SourceFormat(models.TextChoices):
        HTML = "html", "HTML"
        MJML = "mjml", "MJML"

    version = models.ForeignKey(TemplateVersion, on_delete=models.CASCADE, related_name="contents")
    locale = models.CharField(max_length=35)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    # E-mail.
    subject = models.CharField(max_length=255, blank=True)
    preheader = models.CharField(max_length=255, blank=True)
    html = models.TextField("HTML", blank=True)
    #: What `html` is written in.
    source_format = models.CharField(max_length=4, choices=SourceFormat.choices, default=SourceFormat.HTML)
    #: What is sent: `html` compiled and framed when the version was published. Empty: `html` as it stands.
    compiled_html = models.TextField(blank=True, editable=False)
    #: The same for `text`.
    compiled_text = models.TextField(blank=True, editable=False)
    text = models.TextField(blank=True, help_text="Left empty, it is made from the HTML when the version is published.")
    # Push.
    title = models.CharField(max_length=255, blank=True)
    body = models.TextField(max_length=2000, blank=True)
    image = models.CharField(max_length=2000, blank=True)
    link = models.CharField(max_length=2000, blank=True)
    data = models.JSONField(default=dict, blank=True)
    #: Buttons: [{"action": "track", "title": "Track it", "link": "https://…"}].
    actions = models.JSONField(default=list, blank=True)

    #: Grows with every change of these words.
    revision = models.PositiveIntegerField(default=1)
    #: The revision of the default locale's words these were written after; None where there were none.
    source_revision = models.PositiveIntegerField(null=True, blank=True)

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


class SampleSet(models.Model):
    """Values to look at a template with, such as “Very long name”. Made up: never those of a real person."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="sample_sets")
    name = models.CharField(max_length=100)
    #: Plain JSON, as a client would send it.
    variables = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["template", "name"], name="one_sample_set_per_name")]

    def __str__(self) -> str:
        return self.name


class TemplateUse(models.Model):
    """How often a client asked for a template on a day with these variables: their names, never their values."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="uses")
    client = models.CharField(max_length=200)
    #: In UTC.
    day = models.DateField()
    #: Names of the variables that were sent, sorted.
    names = models.JSONField(default=list)
    #: A fingerprint of `names`: they are longer than an index likes.
    shape = models.CharField(max_length=32)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Serves counting, and the check of a draft against its callers of the last 30 days.
            models.UniqueConstraint(fields=["template", "day", "client", "shape"], name="one_count_per_use"),
        ]
        indexes = [
            # Serves the sweeper, which forgets old days.
            models.Index(fields=["day"], name="uses_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.client} {self.day}: {self.count}"
