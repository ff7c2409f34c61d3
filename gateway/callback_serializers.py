"""The shapes of requests and answers about callbacks. No writes in here."""

from collections.abc import Collection
from typing import Any

from rest_framework import serializers

from gateway.callback_models import EVERYTHING, STATUS_EVENTS, TEST_EVENT, CallbackEndpoint, CallbackTry, StatusCallback
from gateway.outbound_http import LONGEST_URL
from users.strict_serializers import JsonBoolean, MomentField, OneOf, PlainText, StrictSerializer, Wrong

LONGEST_DESCRIPTION = 1000
LONGEST_CLIENT = 200
MODES = ("live", "test")
#: What says whose an endpoint is.
WHOSE = {"client", "mode"}


class NothingSerializer(StrictSerializer):
    """A request that says nothing."""


class EndpointChangeSerializer(StrictSerializer):
    """`PATCH /api/v1/callbacks/{id}/`."""

    url = PlainText(required=False, allow_null=True, max_length=LONGEST_URL)
    events = serializers.ListField(
        child=OneOf(choices=[*STATUS_EVENTS, TEST_EVENT, EVERYTHING]),
        required=False,
        allow_null=True,
        allow_empty=False,
    )
    description = PlainText(required=False, allow_null=True, allow_blank=True, max_length=LONGEST_DESCRIPTION)
    enabled = JsonBoolean(required=False, allow_null=True)

    def given(self) -> dict[str, Any]:
        """What is to be changed; null counts as absent."""
        return {name: value for name, value in self.validated_data.items() if value is not None}


class EndpointCreateSerializer(EndpointChangeSerializer):
    """`POST /api/v1/callbacks/`. A key stands for its client; a person has to name one."""

    url = PlainText(max_length=LONGEST_URL)
    enabled = None  # type: ignore[assignment]  # DRF's way to take a field out: a new endpoint is enabled
    client = PlainText(required=False, allow_null=True, max_length=LONGEST_CLIENT, help_text="Whose: for people alone.")
    mode = OneOf(choices=MODES, required=False, allow_null=True, help_text="For people alone.")

    def __init__(self, *, is_person: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._is_person = is_person

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """Whose endpoint it is, is known of a key and not of a person."""
        named = {name for name in WHOSE if given.get(name) is not None}
        if self._is_person:
            missing = [name for name in WHOSE if name not in named and name not in refused]
            return {name: [serializers.ErrorDetail("Whose endpoint is it?", code="required")] for name in missing}
        words = "A key makes endpoints for its own client and mode."
        return {name: [serializers.ErrorDetail(words, code="unknown_field")] for name in named}


class ReplaySerializer(StrictSerializer):
    """`POST …/replay/`."""

    created_after = MomentField()
    created_before = MomentField()
    state = OneOf(
        choices=StatusCallback.State.choices, required=False, allow_null=True, default=StatusCallback.State.FAILED
    )


class EndpointSerializer(serializers.Serializer[Any]):
    """An endpoint, without its secret."""

    id = serializers.UUIDField()
    client = serializers.CharField()
    mode = serializers.ChoiceField(choices=MODES)
    url = serializers.CharField()
    description = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(choices=CallbackEndpoint.Disabled.choices, allow_null=True)
    last_success_at = serializers.DateTimeField(allow_null=True)
    last_failure_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class NewEndpointSerializer(EndpointSerializer):
    """The 201: the only time its secret is shown."""

    secret = serializers.CharField()


class SecretSerializer(serializers.Serializer[Any]):
    """After a rotation."""

    secret = serializers.CharField()
    previous_valid_until = serializers.DateTimeField()


class TrySerializer(serializers.Serializer[Any]):
    """One post of a delivery."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    status_code = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    duration_ms = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer[Any]):
    """One piece of news for one endpoint."""

    id = serializers.UUIDField()
    webhook_id = serializers.CharField()
    event_type = serializers.CharField()
    notification_id = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=StatusCallback.State.choices)
    attempt_count = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    attempts = TrySerializer(many=True)


class QueuedSerializer(serializers.Serializer[Any]):
    """How many deliveries start again."""

    queued = serializers.IntegerField()


class EndpointListSerializer(serializers.Serializer[Any]):
    """A page of endpoints, newest first."""

    results = EndpointSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class DeliveryListSerializer(serializers.Serializer[Any]):
    """A page of deliveries, newest first."""

    results = DeliverySerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


def endpoint_answer(endpoint: CallbackEndpoint) -> dict[str, Any]:
    """As the API shows it."""
    return {
        "id": endpoint.pk,
        "client": endpoint.client,
        "mode": endpoint.mode,
        "url": endpoint.url,
        "description": endpoint.description,
        "events": endpoint.events,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason or None,
        "last_success_at": endpoint.last_success_at,
        "last_failure_at": endpoint.last_failure_at,
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
    }


def delivery_answer(callback: StatusCallback) -> dict[str, Any]:
    """As the API shows it; its tries are read unless they were fetched with it."""
    is_pending = callback.state == StatusCallback.State.PENDING
    return {
        "id": callback.pk,
        "webhook_id": callback.webhook_id,
        "event_type": callback.event_type,
        "notification_id": callback.notification_id,
        "state": callback.state,
        "attempt_count": callback.try_count,
        "next_attempt_at": callback.next_attempt_at if is_pending else None,
        "created_at": callback.created_at,
        "delivered_at": callback.delivered_at,
        "attempts": [_try_answer(each) for each in callback.tries.all()],
    }


def _try_answer(each: CallbackTry) -> dict[str, Any]:
    return {
        "number": each.number,
        "at": each.at,
        "status_code": each.status_code,
        "error": each.error or None,
        "duration_ms": each.duration_ms,
    }
