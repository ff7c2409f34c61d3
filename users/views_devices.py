"""The API of devices. Views check, call one use case, answer."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from users import cursor_pages, devices
from users.device_serializers import (
    CheckSerializer,
    DeviceChangeSerializer,
    DeviceListSerializer,
    DeviceRequestSerializer,
    DeviceSerializer,
    RegisteredDeviceSerializer,
    device_answer,
    read_registration,
    refused_token,
)
from users.device_tokens import TokenRefused
from users.list_filters import ListFilters, flag
from users.openapi import PAGE_PARAMETERS, READ_ERRORS, WRITE_ERRORS
from users.person_view import PersonView
from users.strict_serializers import StrictSerializer

DEVICE_FILTERS = ListFilters(queries={"active": flag("is_active")})


class DevicesView(PersonView):
    """Where a person's pushes go."""

    query_parameters = cursor_pages.PARAMETERS | DEVICE_FILTERS.names

    @extend_schema(
        operation_id="list_devices",
        summary="Where do pushes go?",
        parameters=[OpenApiParameter("active", bool, description="Those switched on, or off."), *PAGE_PARAMETERS],
        responses={200: DeviceListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Newest first, also those switched off."""
        meant = DEVICE_FILTERS.applied(self.person.devices.all(), request.query_params)
        return Response(cursor_pages.page_answer(request, meant, shown=device_answer))

    @extend_schema(
        operation_id="register_device",
        summary="Register a device",
        request=DeviceRequestSerializer,
        responses={201: RegisteredDeviceSerializer, 200: RegisteredDeviceSerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request, user_id: str) -> Response:
        """Repeatable: a token that is known is updated, switched on, and this person's from now on."""
        body = dict(request.data)
        asked = read_registration(body)
        try:
            registered = devices.register_device(user=self.person, **asked)
        except TokenRefused as refused:
            raise refused_token(body, refused) from refused
        answer = device_answer(registered.device)
        if registered.validation:
            answer["validation"] = asdict(registered.validation)
        if not registered.is_new:
            return Response(answer)
        own = reverse("device", args=[self.person.public_id, registered.device.pk])
        return Response(answer, status=201, headers={"Location": own})


class DeviceObjectView(PersonView):
    """What the routes about one device share."""

    def find(self, request: Request, **path: Any) -> None:
        """The person, and the device if it is theirs."""
        super().find(request, **path)
        self.device = get_object_or_404(self.person.devices.select_related("user"), pk=path["device_id"])


class DeviceView(DeviceObjectView):
    """One device."""

    @extend_schema(operation_id="get_device", summary="One device", responses={200: DeviceSerializer, **READ_ERRORS})
    def get(self, request: Request, user_id: str, device_id: UUID) -> Response:
        """Without its token."""
        return Response(device_answer(self.device))

    @extend_schema(
        operation_id="change_device",
        summary="Rename it, switch it off or on",
        request=DeviceChangeSerializer,
        responses={200: DeviceSerializer, **WRITE_ERRORS},
    )
    def patch(self, request: Request, user_id: str, device_id: UUID) -> Response:
        """Its token is changed by registering."""
        body = DeviceChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(device_answer(devices.change_device(self.device, changes=body.changes())))

    @extend_schema(
        operation_id="delete_device", summary="Forget it", request=None, responses={204: None, **WRITE_ERRORS}
    )
    def delete(self, request: Request, user_id: str, device_id: UUID) -> Response:
        """What was sent to it stays in the timelines."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        self.device.delete()
        return Response(status=204)


class CheckView(DeviceObjectView):
    """Is it still good?"""

    @extend_schema(
        operation_id="check_device",
        summary="Is its token still good?",
        request=None,
        responses={200: CheckSerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request, user_id: str, device_id: UUID) -> Response:
        """By its form, by its service where that can be asked (Firebase), and by its age; nothing is sent."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        found = devices.check_device(self.device, now=datetime.now(UTC))
        return Response(asdict(found))
