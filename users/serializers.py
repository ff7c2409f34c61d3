"""The shapes of requests and answers about sign-in and people. No writes in here."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import serializers

from users.contact_fields import (
    LONGEST_PASSWORD,
    AddressField,
    ExternalIdField,
    LocaleField,
    NewPasswordField,
    TimezoneField,
    password_problems,
)
from users.models import User
from users.staff_roles import Role
from users.strict_serializers import JsonBoolean, PlainText, StrictSerializer, Wrong

FCM_TOKEN = re.compile(r"[A-Za-z0-9_:.\-]+", re.ASCII)
#: No token of ours is longer.
LONGEST_TOKEN = 2000


class RegisterSerializer(StrictSerializer):
    """`POST /api/v1/auth/register/`."""

    email = AddressField()
    password = NewPasswordField()
    name = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)
    locale = LocaleField(required=False, allow_null=True)
    timezone = TimezoneField(required=False, allow_null=True)

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """The password must not be easy to guess."""
        return guessable(given, "password", person=User(name=given.get("name") or "", email=given.get("email")))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Null counts as absent."""
        return without_null(attrs)


class LoginSerializer(StrictSerializer):
    """`POST /api/v1/auth/login/`."""

    email = PlainText(max_length=254)
    password = PlainText(max_length=LONGEST_PASSWORD)


class RefreshSerializer(StrictSerializer):
    """`POST /api/v1/auth/refresh/` and `…/logout/`."""

    refresh = PlainText(max_length=LONGEST_TOKEN)


class PasswordSerializer(StrictSerializer):
    """`POST /api/v1/auth/password/`."""

    current_password = PlainText(max_length=LONGEST_PASSWORD)
    new_password = NewPasswordField()

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """The new one must not be easy to guess."""
        return guessable(given, "new_password", person=self.context["person"])


class TokensSerializer(serializers.Serializer[Any]):
    """What a refresh answers."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    token_type = serializers.ChoiceField(choices=["Bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds the access token lives.")


class SuppressionSerializer(serializers.Serializer[Any]):
    """Why nothing is sent to an address."""

    reason = serializers.ChoiceField(choices=["hard_bounce", "complaint", "manual"])
    since = serializers.DateTimeField()


class PersonLinksSerializer(serializers.Serializer[Any]):
    """Where to look next."""

    self = serializers.CharField()
    preferences = serializers.CharField()
    quiet_hours = serializers.CharField()
    devices = serializers.CharField()


class PersonSerializer(serializers.Serializer[Any]):
    """`GET /api/v1/users/{user_id}/`."""

    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    email_suppressed = SuppressionSerializer(allow_null=True)
    locale = serializers.CharField()
    timezone = serializers.CharField()
    is_active = serializers.BooleanField()
    roles = serializers.ListField(child=serializers.ChoiceField(choices=[role.value for role in Role]))
    device_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    links = PersonLinksSerializer()


class SignedInSerializer(TokensSerializer):
    """What registering and signing in answer."""

    user = PersonSerializer()


class PersonListSerializer(serializers.Serializer[Any]):
    """A page of people."""

    results = PersonSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)


class SwitchesSerializer(StrictSerializer):
    """The switch of each channel."""

    email = JsonBoolean(required=False, allow_null=True)
    push = JsonBoolean(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Null counts as absent."""
        return without_null(attrs)


class PersonReplaceSerializer(StrictSerializer):
    """`PUT /api/v1/users/{external_id}/`."""

    external_id = ExternalIdField(required=False, allow_null=True)
    name = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)
    email = AddressField(required=False, allow_null=True)
    locale = LocaleField(required=False, allow_null=True)
    timezone = TimezoneField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Null counts as absent."""
        return without_null(attrs)


class PersonChangeSerializer(PersonReplaceSerializer):
    """`PATCH /api/v1/users/{user_id}/`."""

    is_active = JsonBoolean(required=False, allow_null=True)


class PersonCreateSerializer(PersonReplaceSerializer):
    """`POST /api/v1/users/`."""

    password = NewPasswordField(required=False, allow_null=True)
    push_token = PlainText(required=False, allow_null=True, min_length=8, max_length=4096)
    preferences = SwitchesSerializer(required=False, allow_null=True)

    def validate_push_token(self, value: str | None) -> str | None:
        """As Firebase makes them."""
        if value is not None and not FCM_TOKEN.fullmatch(value):
            raise serializers.ValidationError("Use letters, digits and _ : . - only.", code="invalid")
        return value

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """By one of the two a person must be found again; the password must not be easy to guess."""
        found = guessable(given, "password", person=User(name=given.get("name") or "", email=given.get("email")))
        if {"external_id", "email"} & (without_null(given).keys() | set(refused)):
            return found
        words = serializers.ErrorDetail("Give external_id, email or both.", code="required")
        return {"external_id": [words], **found}


class CategorySerializer(serializers.Serializer[Any]):
    """What a person can turn off."""

    code = serializers.CharField()
    name = serializers.CharField()
    mandatory = serializers.BooleanField()
    marketing = serializers.BooleanField()
    ignores_quiet_hours = serializers.BooleanField()


class CategoryListSerializer(serializers.Serializer[Any]):
    """All of them."""

    results = CategorySerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def read_external_id(text: str) -> str:
    """The id of a path. Raises DRF's ValidationError when no client can call a person so."""
    try:
        return str(ExternalIdField().run_validation(text))
    except serializers.ValidationError as error:
        raise serializers.ValidationError({"external_id": error.detail}) from error


def guessable(given: Mapping[str, Any], name: str, *, person: User) -> Wrong:
    """What is wrong with a chosen password, by the name of its field."""
    problems = password_problems(given[name], person=person) if given.get(name) else []
    return {name: problems} if problems else {}


def without_null(given: dict[str, Any]) -> dict[str, Any]:
    """Null counts as absent."""
    return {name: value for name, value in given.items() if value is not None}
