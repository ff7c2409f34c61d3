"""The API of callbacks. Views check, call one use case, answer."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import callback_endpoints, refusals
from gateway.callback_models import STATUS_EVENTS, TEST_EVENT, CallbackEndpoint, StatusCallback
from gateway.callback_serializers import (
    DeliveryListSerializer,
    DeliverySerializer,
    EndpointChangeSerializer,
    EndpointCreateSerializer,
    EndpointListSerializer,
    EndpointSerializer,
    NewEndpointSerializer,
    NothingSerializer,
    QueuedSerializer,
    ReplaySerializer,
    SecretSerializer,
    delivery_answer,
    endpoint_answer,
)
from users import cursor_pages
from users.api_view import ApiView
from users.authentication import caller_of
from users.list_filters import ListFilters
from users.openapi import PAGE_PARAMETERS, READ_ERRORS, WRITE_ERRORS

READ, WRITE = "callbacks:read", "callbacks:write"
DELIVERY_FILTERS = ListFilters(
    choices={"state": tuple(StatusCallback.State.values), "event_type": (*STATUS_EVENTS, TEST_EVENT)},
    ids=("notification_id",),
    moments={"created_after": "created_at__gte", "created_before": "created_at__lt"},
)


def visible_endpoints(request: Request) -> QuerySet[CallbackEndpoint]:
    """Those of a key's own client and mode, no others exist; people with the scope look after all of them."""
    caller = caller_of(request)
    if caller.person is not None:
        return CallbackEndpoint.objects.all()
    return CallbackEndpoint.objects.filter(client=caller.client, mode=caller.mode)


class CallbacksView(ApiView):
    """Endpoints: of a client for its keys, of all clients for people."""

    required_scopes = {"GET": READ, "POST": WRITE}
    query_parameters = cursor_pages.PARAMETERS

    @extend_schema(
        operation_id="list_callbacks",
        summary="Where is news sent?",
        parameters=PAGE_PARAMETERS,
        responses={200: EndpointListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        return Response(cursor_pages.page_answer(request, visible_endpoints(request), shown=endpoint_answer))

    @extend_schema(
        operation_id="create_callback",
        summary="Be told of what becomes of notifications",
        request=EndpointCreateSerializer,
        responses={201: NewEndpointSerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request) -> Response:
        """The secret is shown in this answer alone."""
        caller = caller_of(request)
        body = EndpointCreateSerializer(data=request.data, is_person=caller.person is not None)
        body.is_valid(raise_exception=True)
        with refusals.as_problems():
            endpoint, secret = callback_endpoints.create_endpoint(
                **{"client": caller.client, "mode": caller.mode} | body.given()
            )
        answer = endpoint_answer(endpoint) | {"secret": secret}
        return Response(answer, status=201, headers={"Location": reverse("callback", args=[endpoint.pk])})


class EndpointObjectView(ApiView):
    """What the routes about one endpoint share."""

    def find(self, request: Request, **path: Any) -> None:
        """The endpoint, and the delivery where the path names one."""
        self.endpoint = get_object_or_404(visible_endpoints(request), pk=path["callback_id"])
        if "delivery_id" in path:
            self.delivery = get_object_or_404(self.endpoint.deliveries, pk=path["delivery_id"])


class CallbackView(EndpointObjectView):
    """One endpoint."""

    required_scopes = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}

    @extend_schema(
        operation_id="get_callback", summary="One endpoint", responses={200: EndpointSerializer, **READ_ERRORS}
    )
    def get(self, request: Request, callback_id: UUID) -> Response:
        """Without its secret."""
        return Response(endpoint_answer(self.endpoint))

    @extend_schema(
        operation_id="change_callback",
        summary="Another address, other events, off and on again",
        request=EndpointChangeSerializer,
        responses={200: EndpointSerializer, **WRITE_ERRORS},
    )
    def patch(self, request: Request, callback_id: UUID) -> Response:
        """`enabled` true starts it again, and with it what it is still owed."""
        body = EndpointChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals.as_problems():
            changed = callback_endpoints.change_endpoint(self.endpoint, body.given())
        return Response(endpoint_answer(changed))

    @extend_schema(
        operation_id="delete_callback", summary="Be told no more", request=None, responses={204: None, **WRITE_ERRORS}
    )
    def delete(self, request: Request, callback_id: UUID) -> Response:
        """With all its deliveries."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        callback_endpoints.delete_endpoint(self.endpoint)
        return Response(status=204)


class RotateSecretView(EndpointObjectView):
    """A new secret."""

    required_scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="rotate_callback_secret",
        summary="Change the secret",
        request=None,
        responses={200: SecretSerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request, callback_id: UUID) -> Response:
        """For a day both secrets sign."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        secret, until = callback_endpoints.rotate_secret(self.endpoint)
        return Response({"secret": secret, "previous_valid_until": until})


class TestCallbackView(EndpointObjectView):
    """A try-out."""

    required_scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="test_callback",
        summary="Send a test",
        request=None,
        responses={202: DeliverySerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request, callback_id: UUID) -> Response:
        """A delivery of type `callback.test`."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        return Response(delivery_answer(callback_endpoints.owe_test(self.endpoint)), status=202)


class DeliveriesView(EndpointObjectView):
    """What an endpoint was sent, and is owed."""

    required_scopes = {"GET": READ}
    query_parameters = cursor_pages.PARAMETERS | DELIVERY_FILTERS.names

    @extend_schema(
        operation_id="list_callback_deliveries",
        summary="What was sent there?",
        parameters=[
            *PAGE_PARAMETERS,
            *(OpenApiParameter(name, str, description="One or more, by commas.") for name in DELIVERY_FILTERS.several),
            *(OpenApiParameter(name, str, description="RFC 3339.") for name in DELIVERY_FILTERS.moments),
        ],
        responses={200: DeliveryListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, callback_id: UUID) -> Response:
        """Newest first."""
        meant = DELIVERY_FILTERS.applied(self.endpoint.deliveries.prefetch_related("tries"), request.query_params)
        return Response(cursor_pages.page_answer(request, meant, shown=delivery_answer))


class DeliveryView(EndpointObjectView):
    """One delivery."""

    required_scopes = {"GET": READ}

    @extend_schema(
        operation_id="get_callback_delivery",
        summary="One delivery with all its tries",
        responses={200: DeliverySerializer, **READ_ERRORS},
    )
    def get(self, request: Request, callback_id: UUID, delivery_id: UUID) -> Response:
        """In full."""
        return Response(delivery_answer(self.delivery))


class ResendView(EndpointObjectView):
    """Once more."""

    required_scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="resend_callback_delivery",
        summary="Send it again",
        request=None,
        responses={202: DeliverySerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request, callback_id: UUID, delivery_id: UUID) -> Response:
        """Under the same `webhook_id`, with a new schedule."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        callback_endpoints.resend_these([self.delivery.pk])
        self.delivery.refresh_from_db()
        return Response(delivery_answer(self.delivery), status=202)


class ReplayView(EndpointObjectView):
    """Many once more."""

    required_scopes = {"POST": WRITE}

    @extend_schema(
        operation_id="replay_callback_deliveries",
        summary="Send a range of time again",
        request=ReplaySerializer,
        responses={202: QueuedSerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request, callback_id: UUID) -> Response:
        """At most 10,000, the oldest first."""
        body = ReplaySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = dict(body.validated_data)
        asked["state"] = asked["state"] or StatusCallback.State.FAILED
        return Response({"queued": callback_endpoints.replay(self.endpoint, **asked)}, status=202)
