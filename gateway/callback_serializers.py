"""The shapes of requests and answers about callbacks. No writes in here."""

from typing import Any

from rest_framework import serializers

from gateway.callback_models import EVERYTHING, STATUS_EVENTS, TEST_EVENT, CallbackEndpoint, CallbackTry, StatusCallback
from gateway.outbound_http import LONGEST_URL
from users.strict_serializers import MomentField, OneOf, PlainText, StrictSerializer

LONGEST_DESCRIPTION = 1000
MODES = ("live", "test")


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
    enabled = serializers.BooleanField(required=False, allow_null=True)

    def given(self) -> dict[str, Any]:
        """What is to be changed; null counts as absent."""
        return {name: value for name, value in self.validated_data.items() if value is not None}


class EndpointCreateSerializer(EndpointChangeSerializer):
    """`POST /api/v1/callbacks/`."""

    url = PlainText(max_length=LONGEST_URL)
    enabled = None  # type: ignore[assignment]  # DRF's way to take a field out: a new endpoint is enabled


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
