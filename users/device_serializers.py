"""The shapes of requests and answers about devices. No writes in here."""

from collections.abc import Collection, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from users.device_tokens import TokenRefused, check_token, read_subscription
from users.models import Device
from users.problems import FieldError, Problem
from users.strict_serializers import JsonBoolean, OneOf, PlainText, StrictSerializer, Wrong
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

    provider = OneOf(choices=Device.Provider.choices, required=False, allow_null=True)
    kind = OneOf(choices=["token", "fid"], required=False, allow_null=True)
    platform = OneOf(choices=Device.Platform.choices)
    token = PlainText(required=False, allow_null=True)
    device_token = PlainText(required=False, allow_null=True, help_text="The same as `token`.")
    subscription = SubscriptionField(required=False, allow_null=True)
    app_id = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)
    name = PlainText(required=False, allow_null=True, allow_blank=True, max_length=200)
    validate = JsonBoolean(  # type: ignore[assignment]  # a field by this name leaves the method as it is
        required=False,
        allow_null=True,
        help_text="Ask the device's service first whether it knows the token; nothing is sent.",
    )

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """Fields that do not go together. What is kept of the token is added to `given`, as `kept`."""
        if "provider" in refused:
            return {}
        provider = given.get("provider") or Device.Provider.FCM
        found = _contradictions(given, provider)
        is_webpush = provider == Device.Provider.WEBPUSH
        place = "subscription" if is_webpush else "device_token" if given.get("token") is None else "token"
        if given.get(place) is not None:
            try:
                given["kept"] = _kept(provider, given[place])
            except TokenRefused as trouble:
                found |= _nested(trouble, place)
        elif not {place, "token"} & set(refused):
            found["subscription" if is_webpush else "token"] = _finding("required", "This field is required.")
        return found


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


class RegisteredDeviceSerializer(DeviceSerializer):
    """A device that has just been registered."""

    validation = CheckSerializer(required=False, help_text="With `validate`: what its service said.")


def read_registration(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `register_device` takes. Raises `ValidationError`."""
    asked = DeviceRequestSerializer().run_validation(body)
    provider = asked.get("provider") or Device.Provider.FCM
    is_webpush = provider == Device.Provider.WEBPUSH
    return {
        "provider": provider,
        "kind": Device.Kind.SUBSCRIPTION if is_webpush else asked.get("kind") or Device.Kind.TOKEN,
        "platform": asked["platform"],
        "token": asked["kept"],
        "app_id": asked.get("app_id"),
        "name": asked.get("name"),
        "validate": bool(asked.get("validate")),
    }


def refused_token(body: Mapping[str, Any], refused: TokenRefused) -> Problem:
    """As an answer, which names the field the token came in."""
    place = "token" if body.get("device_token") is None else "device_token"
    return Problem("validation_error", errors=[FieldError(pointer(place), "invalid", str(refused))])


def _contradictions(asked: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """Fields that do not go together."""
    found = {}
    if asked.get("token") and asked.get("device_token") not in (None, asked["token"]):
        found["device_token"] = _finding("invalid", "This is another name of token; give one of them.")
    if asked.get("kind") == Device.Kind.FID and provider != Device.Provider.FCM:
        found["kind"] = _finding("invalid_choice", "Only Firebase has installation ids.")
    is_webpush = provider == Device.Provider.WEBPUSH
    unused = ("token", "device_token") if is_webpush else ("subscription",)
    words = f"{provider} takes a {'subscription' if is_webpush else 'token'}."
    return found | {name: _finding("invalid", words) for name in unused if asked.get(name) is not None}


def _kept(provider: str, given: Any) -> str:
    """What is kept of a token or a subscription. Raises `TokenRefused`."""
    if provider == Device.Provider.WEBPUSH:
        return read_subscription(given)
    check_token(provider, given)
    return str(given)


def _finding(code: str, words: str) -> list[serializers.ErrorDetail]:
    return [serializers.ErrorDetail(words, code=code)]


def _nested(refused: TokenRefused, place: str) -> dict[str, Any]:
    """As DRF nests it: `{"subscription": {"keys": {"auth": …}}}`."""
    steps = refused.place if place == "subscription" else (place,)
    found: Any = _finding("invalid", str(refused))
    for step in reversed(steps):
        found = {step: found}
    return dict(found)


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
