"""Adjectives for people, their devices and the keys of clients."""

from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import Group
from django.core.exceptions import FieldError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from users.encryption import blind_index

if TYPE_CHECKING:
    from users.models import ApiKey, Device, Suppression, User  # noqa: F401  named in quotes below


class UserQuerySet(models.QuerySet["User"]):
    def with_email(self, *addresses: str) -> Self:
        """People with these e-mail addresses, without regard to case, at most one each. The only way to find them."""
        indexes = [blind_index(address) for address in addresses if address]
        return self.filter(email_index__in=indexes) if indexes else self.none()

    def update(self, **values: Any) -> int:
        """Keeps the index of an address in step."""
        if "email" in values:
            address = values["email"]
            if not isinstance(address, str | None):
                raise FieldError("The index of an address can be kept in step with a text only; save each person.")
            values["email_index"] = blind_index(address) if address else None
        return super().update(**values)

    def others_than(self, person: "User") -> Self:
        """Everybody but this person."""
        return self.exclude(pk=person.pk)


class UserManager(BaseUserManager["User"]):
    """Makes accounts the way Django's own commands expect it (`createsuperuser`)."""

    def get_queryset(self) -> UserQuerySet:
        """People, with their adjectives."""
        return UserQuerySet(self.model, using=self._db)

    def with_email(self, *addresses: str) -> UserQuerySet:
        """The same of all people."""
        return self.get_queryset().with_email(*addresses)

    def get_by_natural_key(self, username: str | None) -> "User":
        """The account of an e-mail address, without regard to case."""
        return self.with_email(username or "").get()

    def create_user(self, email: str | None = None, password: str | None = None, **fields: Any) -> "User":
        """A person; without a password nobody can sign in as them."""
        user = self.model(email=normalise_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A staff account that may do everything; it has the role of an owner, too, where people look for owners."""
        user = self.create_user(email, password, is_staff=True, is_superuser=True, **fields)
        user.groups.add(Group.objects.get_or_create(name="Owner")[0])
        return user


def normalise_email(email: str | None) -> str | None:
    """The address as we store it: None when empty, its domain in lower case (RFC 5321, section 2.4)."""
    if not email or not email.strip():
        return None
    local, at, domain = email.strip().rpartition("@")
    return f"{local}{at}{domain.lower()}"


class DeviceQuerySet(models.QuerySet["Device"]):
    def active(self) -> Self:
        """Devices that may still get pushes."""
        return self.filter(is_active=True)


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self) -> Self:
        """Not lifted: the address must not be used."""
        return self.filter(lifted_at__isnull=True)

    def of_address(self, address: str) -> Self:
        """Of this e-mail address, without regard to case; none for no address."""
        return self.filter(address_index=blind_index(address)) if address else self.none()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> Self:
        """Keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=Now()), revoked_at=None)
