"""People, how they can be reached, what they wish, and the clients that may call us."""

import json
import zoneinfo
from collections.abc import Collection
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from uuid_utils.compat import uuid7

from users import kept_people, lately

# Beside this file, so that each stays short enough to be read; here, so that Django finds them.
from users.audit_models import AuditEntry
from users.changed_wishes import note_changed
from users.channels import Channel
from users.encrypted_fields import BlindIndexField, EncryptedEmailField, EncryptedTextField
from users.encryption import blind_index, fingerprint
from users.querysets import ApiKeyQuerySet, DeviceQuerySet, UserManager
from users.wish_models import ChangedWishes, ConsentEvent, Suppression

EXTERNAL_ID = RegexValidator(
    r"^(?!me$)[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}\Z",
    "Use 1 to 128 letters, digits and . _ : @ -, beginning with a letter or digit, and not the word “me”.",
)


def validate_timezone(name: str) -> None:
    """Refuse what is no IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError("“%(name)s” is not a time zone. Use a name such as Europe/Vienna.", params={"name": name})


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can be reached; some of them may also sign in, some to the admin."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    #: What the client calls this person, such as user-123.
    external_id = models.CharField(max_length=128, unique=True, null=True, blank=True, validators=[EXTERNAL_ID])
    name = models.CharField(max_length=200, blank=True)
    email = EncryptedEmailField(max_length=254, null=True, blank=True)
    #: Serves sign-in and registration: one address, one account, however its letters are written.
    email_index = BlindIndexField(of="email", unique=True)
    #: When they got another address; None as long as they have their first. What went out before went elsewhere.
    address_changed_at = models.DateTimeField(null=True, editable=False)
    #: BCP 47, such as pt-BR.
    locale = models.CharField(max_length=35, default="en")
    #: IANA name, such as Europe/Vienna.
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    is_active = models.BooleanField(
        "active", default=True, help_text="An inactive person receives nothing and cannot sign in."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May sign in to these pages.")
    #: Stands in every token of this person; counted up, it ends them all.
    token_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[UserManager] = UserManager()

    #: The external id as it lies in the database; whether they are active there, their zone, and their address.
    _was_called: str | None = None
    _had_index: str | None = None
    _was_active: bool = False
    _had_zone: str | None = None
    #: Django's own: a password that was set and not yet saved.
    _password: str | None

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        permissions = [
            ("view_pii", "Can see addresses unmasked"),
            ("export_person", "Can export all that is kept about a person"),
            ("erase_person", "Can erase a person"),
            ("import_people", "Can import and export people and suppressions as files"),
            ("manage_staff", "Can give and take roles, and change the accounts of staff"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(external_id__isnull=False) | Q(email__isnull=False), name="person_has_external_id_or_email"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id or str(self.id)

    @property
    def public_id(self) -> str:
        """How the API names this person: the client's own id if there is one, else ours."""
        return self.external_id or str(self.id)

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        """Remembers what the person was called, whether they were active, their zone and address."""
        person = super().from_db(db, field_names, values, **options)
        person._was_called = person.__dict__.get("external_id")
        person._was_active = person.__dict__.get("is_active", False)
        person._had_zone = person.__dict__.get("timezone")
        person._had_index = person.__dict__.get("email_index")
        return person

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """Says kindly what the index of the address would refuse."""
        super().validate_unique(exclude)
        others = User.objects.with_email(self.email or "").exclude(pk=self.pk)
        if self.email and "email" not in (exclude or ()) and others.exists():
            raise ValidationError({"email": ValidationError("This address belongs to another person.", "unique")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Whoever keeps them in mind learns of it. Another password, or switching them off, ends their tokens.

        In another zone their silence is another.
        """
        also = {"email_index"} if "email" in (kwargs.get("update_fields") or ()) else set()
        if not self._state.adding and self._has_another_address():
            self.address_changed_at = timezone.now()
            also.add("address_changed_at")
        if self._password is not None or (self._was_active and not self.is_active):
            self.token_version += 1
            also.add("token_version")
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], *also}
        super().save(*args, **kwargs)
        self._was_active = self.is_active
        self._had_index = self.__dict__.get("email_index")
        self.has_changed()
        zone = self.__dict__.get("timezone")
        if None not in (self._had_zone, zone) and self._had_zone != zone:
            note_changed(self.pk)
        self._had_zone = zone

    def _has_another_address(self) -> bool:
        email = self.__dict__.get("email")
        return "email_index" in self.__dict__ and (blind_index(email) if email else None) != self._had_index

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """The same."""
        self.has_changed()
        return super().delete(*args, **kwargs)

    def has_changed(self) -> None:
        """To be said by every use case that changes a person, or what they wish, by another way than `save`."""
        kept_people.changed(self.pk, self.external_id, self._was_called)
        self._was_called = self.external_id


class SignIn(models.Model):
    """One sign-in of a person: what all tokens that descend from it have in common."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_ins")
    #: The one refresh token that may be used next; any other of this sign-in was used before.
    refresh_id = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    #: When the newest refresh token ends; after it the row is of no use.
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    #: It ended because a refresh token came twice.
    was_reused = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"sign-in of {self.user_id}"


class AboutPerson(models.Model):
    """What belongs to a person and is read together with them."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The person has changed by it."""
        super().save(*args, **kwargs)
        self.user.has_changed()  # type: ignore[attr-defined]  # each has one

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """The same."""
        self.user.has_changed()  # type: ignore[attr-defined]
        return super().delete(*args, **kwargs)


class Category(models.Model):
    """What a person can turn off, such as marketing; mandatory ones cannot be."""

    code = models.SlugField(max_length=50, primary_key=True)
    name = models.CharField(max_length=100)
    is_mandatory = models.BooleanField(default=False, help_text="Cannot be switched off by the person.")
    is_marketing = models.BooleanField(default=False, help_text="Mails carry one-click unsubscribe.")
    ignores_quiet_hours = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """What was remembered of it is forgotten."""
        super().save(*args, **kwargs)
        lately.forget()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """The same; those who switched it off have one switch less."""
        lately.forget()
        return super().delete(*args, **kwargs)


class Preference(AboutPerson):
    """One switch of one person: a whole channel, or one category on one channel. No row means: on."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="preferences")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    #: None: the switch of the whole channel.
    category = models.ForeignKey(Category, on_delete=models.CASCADE, null=True, blank=True)
    is_enabled = models.BooleanField("wanted", default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            # Serve delivery, which reads all switches of a batch of people.
            models.UniqueConstraint(
                fields=["user", "channel", "category"],
                condition=Q(category__isnull=False),
                name="one_switch_per_category",
            ),
            models.UniqueConstraint(
                fields=["user", "channel"], condition=Q(category__isnull=True), name="one_switch_per_channel"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.category_id or 'all'}: {'on' if self.is_enabled else 'off'}"


class QuietHours(AboutPerson):
    """When a person wants silence. Wall-clock times in the person's zone; `end` before `start` runs over midnight."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="quiet_hours")
    is_enabled = models.BooleanField("enabled", default=True)
    start = models.TimeField()
    end = models.TimeField()
    #: Empty: the person's own zone.
    timezone = models.CharField(max_length=64, blank=True, validators=[validate_timezone])
    #: Monday is 0; a window over midnight belongs to the day it starts on.
    days = models.JSONField(
        default=list, blank=True, help_text="Weekdays as numbers, Monday is 0; empty means every day."
    )
    channels = models.JSONField(default=list, blank=True, help_text="Empty means every channel.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "quiet hours"
        constraints = [models.CheckConstraint(condition=~Q(start=models.F("end")), name="quiet_hours_have_a_length")]

    def __str__(self) -> str:
        return f"{self.start:%H:%M}–{self.end:%H:%M}"


def token_hash(provider: str, token: str) -> str:
    """The fingerprint by which an encrypted device token is found; of a Web Push subscription its endpoint counts."""
    if provider == Device.Provider.WEBPUSH and token.startswith("{"):
        token = json.loads(token)["endpoint"]
    return fingerprint(f"{provider}:{token}", purpose="device token")


class Device(AboutPerson):
    """Where a person's pushes go: an app installation or a browser."""

    class Platform(models.TextChoices):
        ANDROID = "android", "Android"
        IOS = "ios", "iOS"
        WEB = "web", "Web"

    class Provider(models.TextChoices):
        FCM = "fcm", "Firebase Cloud Messaging"
        ONESIGNAL = "onesignal", "OneSignal"
        WEBPUSH = "webpush", "Web Push"

    class Kind(models.TextChoices):
        TOKEN = "token", "Registration token"
        FID = "fid", "Firebase installation id"
        SUBSCRIPTION = "subscription", "Subscription"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    provider = models.CharField(max_length=20, choices=Provider.choices, default=Provider.FCM)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.TOKEN)
    platform = models.CharField(max_length=10, choices=Platform.choices)
    app_id = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200, blank=True)
    #: A token, or the JSON of a Web Push subscription. Never shown in full.
    token = EncryptedTextField(max_length=4096)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    is_active = models.BooleanField("active", default=True)
    inactive_reason = models.CharField(max_length=30, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    #: When the app or browser last registered it: one that is used does so now and then.
    last_seen_at = models.DateTimeField(db_default=Now(), editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        indexes = [
            # Serves delivery: the active devices of a batch of people.
            models.Index(fields=["user"], condition=Q(is_active=True), name="active_devices_of_person"),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_platform_display()} …{self.tail}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keeps the fingerprint in step with the token."""
        self.token_hash = token_hash(self.provider, self.token)
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "token_hash"}
        super().save(*args, **kwargs)

    @property
    def tail(self) -> str:
        """The last characters of the token, by which people recognise it; of a subscription those of its endpoint."""
        is_subscription = self.kind == Device.Kind.SUBSCRIPTION and self.token.startswith("{")
        return str(json.loads(self.token)["endpoint"] if is_subscription else self.token)[-4:]


class ApiKey(models.Model):
    """The credential of a client. Only its hash is stored; the key itself is shown once."""

    class Mode(models.TextChoices):
        LIVE = "live", "Live: sends to anyone"
        TEST = "test", "Test: pretends to send"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=200)
    #: Keys of one client and mode share request ids and notifications.
    client = models.CharField(max_length=200)
    mode = models.CharField(max_length=4, choices=Mode.choices, default=Mode.LIVE)
    #: The first characters, so that people recognise a key: ntf_live_AbCd.
    prefix = models.CharField(max_length=20)
    #: Serves authentication: SHA-256 of the whole key, in hexadecimal.
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    #: Rates of its own, such as {"submit": "5/m"}; the other policies have the installation's.
    limits = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    #: From where; noted together with the time.
    last_used_from = models.GenericIPAddressField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def state(self) -> str:
        """`usable`, `revoked` or `expired`."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= timezone.now() else "usable"


__all__ = [
    "ApiKey",
    "AuditEntry",
    "Category",
    "ChangedWishes",
    "ConsentEvent",
    "Device",
    "Preference",
    "QuietHours",
    "Suppression",
    "User",
    "token_hash",
    "validate_timezone",
]
