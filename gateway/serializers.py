"""The shapes of requests and answers about notifications. No writes in here."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.settings import api_settings

from gateway import priorities
from gateway.attachment_fields import AttachmentsField
from gateway.request import NotificationRequest
from templates_app.variables import VariableFinding, check_shape
from users.channels import Channel
from users.locales import is_locale, normalise_locale
from users.strict_serializers import CONTROL_CHARACTERS, MomentField, OneOf, PlainText, StrictSerializer

#: Section "Idempotency" of the API document: printable ASCII without spaces.
REQUEST_ID = re.compile(r"[!-~]{1,255}\Z")
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 20, 40, 500


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": priorities.LEAST, "maximum": priorities.MOST},
            {"type": "string", "enum": list(priorities.NAMES)},
        ]
    }
)
class PriorityField(serializers.Field[int, Any, int, Any]):
    """0 to 10, or a word."""

    default_error_messages = {
        "invalid": "Use a whole number from 0 to 10, or low, normal, high, critical.",
        "out_of_range": "Use a whole number from 0 to 10, or low, normal, high, critical.",
    }

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if isinstance(data, str) and data.lower() in priorities.NAMES:
            return priorities.NAMES[data.lower()]
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        if not priorities.LEAST <= data <= priorities.MOST:
            self.fail("out_of_range")
        return data

    def to_representation(self, value: int) -> int:
        """The number."""
        return value


@extend_schema_field({"type": "integer", "minimum": 1})
class VersionField(serializers.Field[int, Any, int, Any]):
    """A version's number: a JSON integer from 1."""

    default_error_messages = {"invalid": "Use a whole number from 1."}

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if not isinstance(data, int) or isinstance(data, bool) or not 1 <= data <= 2_147_483_647:
            self.fail("invalid")
        return data

    def to_representation(self, value: int) -> int:
        """The number."""
        return value


@extend_schema_field({"type": "object", "additionalProperties": True})
class VariablesField(serializers.Field[dict[str, Any], Any, dict[str, Any], Any]):
    """A JSON object within the limits of the API document."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object as it was sent."""
        if findings := check_shape(data):
            raise serializers.ValidationError(_nested(findings))
        return dict(data)

    def to_representation(self, value: dict[str, Any]) -> dict[str, Any]:
        """As it is."""
        return value


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_LENGTH},
        "maxProperties": METADATA_KEYS,
    }
)
class MetadataField(serializers.Field[dict[str, str], Any, dict[str, str], Any]):
    """Up to 20 short texts the client wants back with every answer."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """The object as it was sent."""
        if not isinstance(data, dict):
            raise serializers.ValidationError("Use an object with text values.", code="invalid")
        if len(data) > METADATA_KEYS:
            raise serializers.ValidationError(f"Use at most {METADATA_KEYS} names.", code="too_many")
        problems = {name: problem for name, value in data.items() if (problem := _metadata_problem(name, value))}
        if problems:
            raise serializers.ValidationError(problems)
        return data

    def to_representation(self, value: dict[str, str]) -> dict[str, str]:
        """As it is."""
        return value


def _metadata_problem(name: str, value: Any) -> list[serializers.ErrorDetail]:
    if not isinstance(value, str) or CONTROL_CHARACTERS.search(value) or CONTROL_CHARACTERS.search(name):
        return [serializers.ErrorDetail("Use a text without control characters.", code="invalid")]
    if len(name) > METADATA_KEY_LENGTH:
        return [serializers.ErrorDetail(f"A name has at most {METADATA_KEY_LENGTH} characters.", code="too_long")]
    if len(value) > METADATA_VALUE_LENGTH:
        return [serializers.ErrorDetail(f"A value has at most {METADATA_VALUE_LENGTH} characters.", code="too_long")]
    return []


class SubmitSerializer(StrictSerializer):
    """`POST /api/v1/notifications/`."""

    notification_type = OneOf(choices=Channel.choices)
    user_id = PlainText(max_length=128)
    template_code = PlainText(max_length=100)
    variables = VariablesField(required=False, allow_null=True)
    request_id = PlainText(required=False, allow_null=True, allow_blank=True, max_length=255)
    priority = PriorityField(required=False, allow_null=True)
    template_version = VersionField(required=False, allow_null=True)
    locale = PlainText(required=False, allow_null=True, max_length=35)
    send_at = MomentField(required=False, allow_null=True)
    expires_at = MomentField(required=False, allow_null=True)
    metadata = MetadataField(required=False, allow_null=True)
    attachments = AttachmentsField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only mails have attachments."""
        if attrs.get("attachments") and attrs["notification_type"] != Channel.EMAIL:
            raise serializers.ValidationError({"attachments": ["Only e-mails have attachments."]})
        return attrs

    def validate_request_id(self, value: str | None) -> str | None:
        """1 to 255 printable ASCII characters without spaces."""
        if value is not None and not REQUEST_ID.match(value):
            raise serializers.ValidationError("Use 1 to 255 printable ASCII characters without spaces.", code="invalid")
        return value

    def validate_locale(self, value: str | None) -> str | None:
        """A BCP 47 tag, in its usual letters."""
        if value is None:
            return None
        if not is_locale(value):
            raise serializers.ValidationError("Use a language tag such as de or pt-BR.", code="invalid")
        return normalise_locale(value)


@cache
def _submit() -> SubmitSerializer:
    """One for all requests: its fields cost as much to make as to ask. Checking keeps no state."""
    return SubmitSerializer()


def read_submit(body: Mapping[str, Any]) -> NotificationRequest:
    """The checked request as a value; null counts as absent. Raises DRF's ValidationError."""
    given = {name: value for name, value in _submit().run_validation(body).items() if value is not None}
    given["channel"] = given.pop("notification_type")
    return NotificationRequest(**given)


class LinksSerializer(serializers.Serializer[Any]):
    """Where to look next."""

    self = serializers.CharField()
    status = serializers.CharField()


class AcceptedSerializer(serializers.Serializer[Any]):
    """The 202."""

    id = serializers.UUIDField()
    request_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=["accepted", "suppressed"])
    reason = serializers.CharField()
    available_at = serializers.DateTimeField()
    simulated = serializers.BooleanField()
    warnings = serializers.ListField(child=serializers.DictField(child=serializers.CharField()))
    links = LinksSerializer()
    #: Why it does not go out at once, and when by the person's clock; absent where it does.
    detail = serializers.CharField(required=False)


class CurrentSerializer(serializers.Serializer[Any]):
    """Where a replayed notification is by now."""

    status = serializers.CharField()
    reason = serializers.CharField()
    final = serializers.BooleanField()
    available_at = serializers.DateTimeField()


class ReplayedSerializer(AcceptedSerializer):
    """The 200: the 202 of the first time, word for word, and `current`."""

    current = CurrentSerializer()


class StatusSerializer(serializers.Serializer[Any]):
    """`GET …/status`."""

    id = serializers.UUIDField()
    request_id = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    reason = serializers.CharField()
    detail = serializers.CharField()
    final = serializers.BooleanField()
    attempt_count = serializers.IntegerField()
    available_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NotificationSerializer(StatusSerializer):
    """`GET /api/v1/notifications/{id}/`."""

    batch_id = serializers.UUIDField(allow_null=True)
    resend_of = serializers.UUIDField(allow_null=True)
    correlation_id = serializers.CharField()
    client = serializers.CharField()
    notification_type = serializers.ChoiceField(choices=Channel.choices)
    user_id = serializers.CharField()
    user = serializers.UUIDField()
    template_code = serializers.CharField()
    template_version = serializers.IntegerField()
    locale = serializers.CharField()
    priority = serializers.IntegerField()
    priority_name = serializers.CharField()
    category = serializers.CharField()
    simulated = serializers.BooleanField()
    provider = serializers.CharField(allow_null=True)
    complained = serializers.BooleanField()
    possible_duplicate = serializers.BooleanField()
    send_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField())
    links = serializers.DictField(child=serializers.CharField())


class NotificationListSerializer(serializers.Serializer[Any]):
    """A page of notifications."""

    results = NotificationSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)


class AttemptSerializer(serializers.Serializer[Any]):
    """One try, in `GET …/attempts/`."""

    number = serializers.IntegerField()
    provider = serializers.CharField()
    device_id = serializers.UUIDField(allow_null=True)
    outcome = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)
    provider_code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_null=True)
    retry_after = serializers.IntegerField(allow_null=True, help_text="Seconds.")
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    provider_message_id = serializers.CharField(allow_null=True)


class EventSerializer(serializers.Serializer[Any]):
    """One step, in `GET …/events/`."""

    sequence = serializers.IntegerField()
    type = serializers.CharField()
    at = serializers.DateTimeField()
    detail = serializers.CharField()
    data = serializers.DictField()  # type: ignore[assignment]  # the contract's name; hides a member nobody reads here


class AttemptListSerializer(serializers.Serializer[Any]):
    """All tries, oldest first."""

    results = AttemptSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class EventListSerializer(serializers.Serializer[Any]):
    """All steps, oldest first."""

    results = EventSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why a notification can be in a status."""

    code = serializers.CharField()
    status = serializers.CharField()
    word = serializers.CharField()
    sentence = serializers.CharField()
    action = serializers.CharField(allow_null=True)


class ReasonListSerializer(serializers.Serializer[Any]):
    """All reasons."""

    results = ReasonSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def _nested(findings: Iterable[VariableFinding]) -> dict[str, Any]:
    """Findings with pointers under /variables as the nested form serializers speak."""
    nested: dict[str, Any] = {}
    for finding in findings:
        place = nested
        for step in finding.pointer.split("/")[2:]:
            place = place.setdefault(step.replace("~1", "/").replace("~0", "~"), {})
        message = serializers.ErrorDetail(finding.detail, code=finding.code)
        place.setdefault(api_settings.NON_FIELD_ERRORS_KEY, []).append(message)
    return nested
