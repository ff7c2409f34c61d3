"""The shapes of requests and answers about devices. No writes in here."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from users.device_tokens import TokenRefused, check_token, read_subscription
from users.models import Device
from users.problems import FieldError, Problem
from users.strict_serializers import JsonBoolean, PlainText, StrictSerializer
from users.validation_findings import pointer

LONGEST_TOKEN = 4096


@extend_schema_field({"type": "object", "additionalProperties": True})
class SubscriptionField(serializers.Field[Any, Any, Any, Any]):
    """What a browser's `PushSubscription.toJSON()` gives; looked at later, together with the provider."""

    def to_internal_value(self, data: Any) -> Any:
        """As it was sent."""
        return data

    def to_representation(self, value: Any) -> Any:
        """Never shown."""
        return value


class DeviceRequestSerializer(StrictSerializer):
    """`POST …/devices/`."""

    provider = serializers.ChoiceField(choices=Device.Provider.choices, required=False, allow_null=True)
    kind = serializers.ChoiceField(choices=["token", "fid"], required=False, allow_null=True)
    platform = serializers.ChoiceField(choices=Device.Platform.choices)
    token = PlainText(required=False, allow_null=True)
    device_token = PlainText(required=False, allow_null=True, help_text="The same as `token`.")
    subscription = SubscriptionField(required=False, allow_null=True)
    app_id = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)
    name = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)


class DeviceChangeSerializer(StrictSerializer):
    """`PATCH …/devices/{device_id}/`."""

    name = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)
    app_id = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)
    active = JsonBoolean(required=False, allow_null=True)

    def changes(self) -> dict[str, Any]:
        """By the names of the columns; null counts as absent."""
        names = {"active": "is_active"}
        return {names.get(name, name): value for name, value in self.validated_data.items() if value is not None}


class DeviceSerializer(serializers.Serializer[Any]):
    """A device, without its token."""

    id = serializers.UUIDField()
    provider = serializers.CharField(help_text="fcm, onesignal or webpush.")
    kind = serializers.CharField(help_text="token, fid or subscription.")
    platform = serializers.CharField(help_text="android, ios or web.")
    app_id = serializers.CharField(allow_null=True)
    token_tail = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    active = serializers.BooleanField()
    inactive_reason = serializers.CharField(allow_null=True)
    last_success_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class DeviceListSerializer(serializers.Serializer[Any]):
    """A page of devices, newest first."""

    results = DeviceSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class CheckSerializer(serializers.Serializer[Any]):
    """What is known of a token."""

    result = serializers.CharField(help_text="valid, invalid or unknown.")
    detail = serializers.CharField()


def read_registration(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `register_device` takes. Raises `ValidationError` or `Problem`."""
    asked = dict(DeviceRequestSerializer().run_validation(body))
    provider = asked.get("provider") or Device.Provider.FCM
    is_webpush = provider == Device.Provider.WEBPUSH
    errors = _contradictions(asked, provider)
    place = "subscription" if is_webpush else "device_token" if asked.get("token") is None else "token"
    given = asked.get(place)
    if given is None:
        place = "subscription" if is_webpush else "token"
        errors.append(FieldError(f"/{place}", "required", "This field is required."))
    if errors:
        raise Problem("validation_error", errors=errors)
    return {
        "provider": provider,
        "kind": Device.Kind.SUBSCRIPTION if is_webpush else asked.get("kind") or Device.Kind.TOKEN,
        "platform": asked["platform"],
        "token": _token(provider, place, given),
        "app_id": asked.get("app_id"),
        "name": asked.get("name"),
    }


def _contradictions(asked: Mapping[str, Any], provider: str) -> list[FieldError]:
    """Fields that do not go together."""
    errors = []
    if asked.get("token") and asked.get("device_token") not in (None, asked["token"]):
        errors.append(FieldError("/device_token", "invalid", "This is another name of token; give one of them."))
    if asked.get("kind") == Device.Kind.FID and provider != Device.Provider.FCM:
        errors.append(FieldError("/kind", "invalid_choice", "Only Firebase has installation ids."))
    is_webpush = provider == Device.Provider.WEBPUSH
    unused = ("token", "device_token") if is_webpush else ("subscription",)
    words = f"{provider} takes a {'subscription' if is_webpush else 'token'}."
    return errors + [FieldError(f"/{name}", "invalid", words) for name in unused if asked.get(name) is not None]


def _token(provider: str, place: str, given: Any) -> str:
    """What is kept. Raises `Problem`."""
    try:
        if provider == Device.Provider.WEBPUSH:
            return read_subscription(given)
        check_token(provider, given)
    except TokenRefused as refused:
        where = refused.place if place == "subscription" else (place,)
        raise Problem("validation_error", errors=[FieldError(pointer(*where), "invalid", str(refused))]) from refused
    return str(given)


def device_answer(device: Device) -> dict[str, Any]:
    """As the API shows it."""
    return {
        "id": device.pk,
        "provider": device.provider,
        "kind": device.kind,
        "platform": device.platform,
        "app_id": device.app_id or None,
        "token_tail": f"…{device.tail}",
        "name": device.name or None,
        "active": device.is_active,
        "inactive_reason": None if device.is_active else device.inactive_reason or "switched_off",
        "last_success_at": device.last_success_at,
        "created_at": device.created_at,
        "updated_at": device.updated_at,
    }
