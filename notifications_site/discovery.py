"""/api/v1/services/: which processes are alive, where, and in which state; for people, and for Prometheus."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from consumers import service_registry
from consumers.models import ServiceInstance
from consumers.service_roles import ROLES
from users import cursor_pages
from users.api_view import ApiView
from users.authentication import AccessTokenAuthentication, ApiKeyOrMetricsToken
from users.openapi import PAGE_PARAMETERS, problems
from users.problems import FieldError, Problem

#: More are not told to Prometheus: only a process that dies at every start leaves so many rows within a day.
MOST = 1000
STATES = (*ServiceInstance.State.values, service_registry.STALE)
#: What may be asked for, and its words.
FILTERS = {"role": tuple(role.name for role in ROLES), "state": STATES}


class ServiceSerializer(serializers.Serializer[Any]):
    """One process."""

    id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=FILTERS["role"])
    host = serializers.CharField()
    port = serializers.IntegerField(allow_null=True)
    pid = serializers.IntegerField()
    version = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    started_at = serializers.DateTimeField()
    heartbeat_at = serializers.DateTimeField()
    health_url = serializers.URLField(allow_null=True)


class ServiceListSerializer(serializers.Serializer[Any]):
    """The processes, the newest first."""

    results = ServiceSerializer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)


class ServicesView(ApiView):
    """The processes of this installation."""

    required_scopes = {"GET": "services:read"}
    query_parameters = cursor_pages.PARAMETERS | FILTERS.keys()

    @extend_schema(
        operation_id="list_services",
        summary="Which processes are alive?",
        parameters=[
            OpenApiParameter("role", str, description="One or several, separated by commas."),
            OpenApiParameter("state", str, description="The same. Default: all but stopped."),
            *PAGE_PARAMETERS,
        ],
        responses={200: ServiceListSerializer, **problems(400, 401, 403, 503)},
    )
    def get(self, request: Request) -> Response:
        """Every process renews its entry every ten seconds; after thirty of silence it is stale."""
        roles = asked_for(request, "role") or FILTERS["role"]
        states = asked_for(request, "state") or [state for state in STATES if state != ServiceInstance.State.STOPPED]
        rows = service_registry.listed(roles=roles, states=states)
        return Response(cursor_pages.page_answer(request, rows, shown=service_answer))


class TargetSerializer(serializers.Serializer[Any]):
    """A process as Prometheus' HTTP service discovery wants it."""

    targets = serializers.ListField(child=serializers.CharField())
    labels = serializers.DictField(child=serializers.CharField())


class TargetsView(ApiView):
    """What Prometheus is to scrape."""

    authentication_classes = (ApiKeyOrMetricsToken, AccessTokenAuthentication)
    required_scopes = {"GET": "metrics:read"}
    throttle_classes = ()  # metrics are not limited

    @extend_schema(
        operation_id="list_metrics_targets",
        summary="Which processes answer /metrics? (HTTP service discovery of Prometheus)",
        responses={200: TargetSerializer(many=True), **problems(400, 401, 403, 503)},
    )
    def get(self, request: Request) -> Response:
        """Those that run or drain and answer at a port."""
        alive = (ServiceInstance.State.RUNNING, ServiceInstance.State.DRAINING)
        rows = service_registry.listed(roles=FILTERS["role"], states=alive).filter(port__isnull=False)
        return Response(
            [
                {"targets": [f"{row.host}:{row.port}"], "labels": {"role": row.role, "version": row.version}}
                for row in rows[:MOST]
            ]
        )


def asked_for(request: Request, name: str) -> list[str]:
    """The words of a filter; none when it is not used. Raises `Problem` for what there is not."""
    words = [word.strip() for word in request.query_params.get(name, "").split(",") if word.strip()]
    if unknown := [word for word in words if word not in FILTERS[name]]:
        detail = f"There is no {name} {unknown[0]!r}; there are {', '.join(FILTERS[name])}."
        raise Problem("validation_error", errors=[FieldError(f"?{name}", "invalid_choice", detail)])
    return words


def service_answer(row: ServiceInstance) -> dict[str, Any]:
    """A process as the API shows it. `row` comes from `listed`."""
    return {
        "id": row.pk,
        "role": row.role,
        "host": row.host,
        "port": row.port,
        "pid": row.pid,
        "version": row.version,
        "state": row.shown_state,  # type: ignore[attr-defined]  # annotated by listed()
        "started_at": row.started_at,
        "heartbeat_at": row.heartbeat_at,
        "health_url": f"http://{row.host}:{row.port}/health" if row.port else None,
    }
