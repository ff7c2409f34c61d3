"""The API of notifications. Views check, call one use case, answer."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import answers, explanation, refusals, status_cache
from gateway.correlation import correlation_id_of
from gateway.database_clock import database_now
from gateway.models import Notification
from gateway.notification_filters import FILTER_WORDS, FILTERS
from gateway.serializers import (
    AcceptedSerializer,
    AttemptListSerializer,
    EventListSerializer,
    NotificationListSerializer,
    NotificationSerializer,
    ReasonListSerializer,
    ReplayedSerializer,
    StatusSerializer,
    SubmitSerializer,
    read_submit,
)
from gateway.submission import submit_notification
from users import cursor_pages
from users.api_view import READING, ApiView
from users.authentication import caller_of
from users.cursor_pages import whole_list
from users.openapi import PAGE_PARAMETERS, READ_ERRORS, problems
from users.permissions import ANYBODY
from users.problems import Problem


class NotificationsView(ApiView):
    """Ask for a notification; find those there are."""

    required_scopes = {"GET": "notifications:read", "POST": "notifications:write"}
    open_to_people = READING
    rate_policies = {"POST": "submit"}
    query_parameters = cursor_pages.PARAMETERS | FILTERS.names | {"ordering"}

    @extend_schema(
        operation_id="list_notifications",
        summary="What was asked for, and where is it?",
        parameters=[
            *(OpenApiParameter(name, str, description=words) for name, words in FILTER_WORDS.items()),
            OpenApiParameter("ordering", str, enum=[cursor_pages.OLDEST_FIRST, cursor_pages.NEWEST_FIRST]),
            *PAGE_PARAMETERS,
        ],
        responses={200: NotificationListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Newest first; a person without a role gets those addressed to them."""
        now = database_now()
        own = Notification.objects.visible_to(caller_of(request)).select_related("template", "template_version")
        meant = FILTERS.applied(own.defer("variables"), request.query_params)
        page = cursor_pages.page_answer(request, meant, shown=partial(answers.notification_answer, now=now))
        return Response(page)

    @extend_schema(
        operation_id="submit_notification",
        summary="Notify a person",
        request=SubmitSerializer,
        parameters=[
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="Stands for `request_id`.")
        ],
        responses={
            202: AcceptedSerializer,
            200: OpenApiResponse(ReplayedSerializer, description="Known `request_id`: the first answer and `current`."),
            **problems(400, 401, 403, 406, 413, 415, 422, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Accepted means stored: the answer is given after the commit."""
        key = request.headers.get("Idempotency-Key")
        asked = read_submit(with_idempotency_key(dict(request.data), key))
        if key is not None and asked.request_id != key:
            raise Problem("idempotency_key_mismatch")
        caller = caller_of(request)
        with refusals.as_problems():
            submitted = submit_notification(
                asked,
                client=caller.client,
                mode=caller.mode,
                correlation_id=correlation_id_of(request),
            )
        notification = submitted.notification
        headers = {"Location": answers.accepted_answer(notification)["links"]["self"]}
        if submitted.was_replayed:
            answer = answers.replayed_answer(notification, now=database_now())
            return Response(answer, status=200, headers=headers | {"Idempotency-Replayed": "true"})
        return Response(answers.accepted_answer(notification), status=202, headers=headers)


def with_idempotency_key(body: dict[str, Any], key: str | None) -> dict[str, Any]:
    """The body, its `request_id` taken from the header where it has none itself."""
    return body if key is None or body.get("request_id") is not None else body | {"request_id": key}


class NotificationObjectView(ApiView):
    """What the routes about one notification share: finding it among those the caller may see."""

    required_scopes = {"GET": "notifications:read"}
    #: Fetched with it.
    related: Sequence[str] = ()

    def find(self, request: Request, **path: Any) -> None:
        """A notification the caller may see; anything else does not exist."""
        own = Notification.objects.visible_to(caller_of(request))
        # Never without names: that would join everything, and with it the person, who may be erased.
        fetched = own.select_related(*self.related) if self.related else own
        self.notification = get_object_or_404(fetched, pk=path["notification_id"])


class StatusView(NotificationObjectView):
    """Where a notification is. Asked again and again, until it has ended: then it need not be the database."""

    open_to_people = READING

    def find(self, request: Request, **path: Any) -> None:
        """As kept in the shared cache, or the row."""
        caller = caller_of(request)
        if caller.person is not None:  # what is kept, is kept for clients
            super().find(request, **path)
            return
        kept, slot = status_cache.find(path["notification_id"], client=caller.client, mode=caller.mode)
        if kept is not None:
            self.notification = kept
            return
        super().find(request, **path)
        status_cache.keep(slot, self.notification)

    @extend_schema(
        operation_id="get_notification_status",
        summary="Where is it?",
        responses={200: StatusSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, notification_id: UUID) -> Response:
        """In short. Of what has ended nothing depends on the time."""
        now = datetime.now(UTC) if status_cache.has_ended(self.notification) else database_now()
        return Response(answers.status_answer(self.notification, now=now))


class NotificationView(NotificationObjectView):
    """One notification."""

    open_to_people = READING
    related = ("template", "template_version")

    @extend_schema(
        operation_id="get_notification",
        summary="Everything about it but its content",
        responses={200: NotificationSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, notification_id: UUID) -> Response:
        """In full."""
        return Response(answers.notification_answer(self.notification, now=database_now()))


class AttemptsView(NotificationObjectView):
    """The tries of a notification."""

    @extend_schema(
        operation_id="list_notification_attempts",
        summary="Every try to hand it over",
        responses={200: AttemptListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, notification_id: UUID) -> Response:
        """Oldest first."""
        return Response(whole_list([answers.attempt_answer(each) for each in self.notification.attempts.all()]))


class EventsView(NotificationObjectView):
    """The story of a notification."""

    @extend_schema(
        operation_id="list_notification_events",
        summary="Every step so far",
        responses={200: EventListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, notification_id: UUID) -> Response:
        """Oldest first."""
        steps = explanation.timeline(self.notification)
        return Response(whole_list([answers.event_answer(number, step) for number, step in enumerate(steps, start=1)]))


class ReasonsView(ApiView):
    """Why notifications are where they are."""

    required_scopes = {"GET": ANYBODY}

    @extend_schema(
        operation_id="list_reasons",
        summary="Which reasons has each status?",
        responses={200: ReasonListSerializer, **problems(400, 401, 429, 503)},
    )
    def get(self, request: Request) -> Response:
        """In the language of `Accept-Language`; `{…}` is filled for a notification."""
        return Response(whole_list(answers.reason_answers()))
