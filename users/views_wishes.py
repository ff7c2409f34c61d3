"""The API of wishes: switches and their history, quiet hours. Views check, call one use case, answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from users import cursor_pages, preferences
from users.etags import refuse_stale, wanted_tags
from users.models import Category, ConsentEvent, QuietHours
from users.openapi import PAGE_PARAMETERS, READ_ERRORS, WRITE_ERRORS, problems
from users.person_view import PersonView, origin_of
from users.problems import Problem
from users.quiet_hours_setting import clear_quiet_hours, set_quiet_hours
from users.strict_serializers import StrictSerializer
from users.wish_serializers import (
    ConsentListSerializer,
    PreferencesSerializer,
    QuietHoursRequestSerializer,
    QuietHoursSerializer,
    WishSerializer,
    consent_answer,
    preferences_answer,
    preferences_tag,
    quiet_hours_answer,
    read_wish,
)

CHANGE_ERRORS = WRITE_ERRORS | problems(412)
IF_MATCH = OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description="The ETag of what you have read.")


class PreferencesView(PersonView):
    """The switches of a person."""

    @extend_schema(
        operation_id="get_preferences",
        summary="What does a person want?",
        responses={200: PreferencesSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """What they set, and what follows from it."""
        return self._answer()

    @extend_schema(
        operation_id="replace_preferences",
        summary="Set all switches",
        parameters=[IF_MATCH],
        request=WishSerializer,
        responses={200: PreferencesSerializer, **CHANGE_ERRORS},
    )
    def put(self, request: Request, user_id: str) -> Response:
        """What is not named goes back to its default; the short form merges."""
        return self._change(request, replaces=True)

    @extend_schema(
        operation_id="change_preferences",
        summary="Set some switches",
        parameters=[IF_MATCH],
        request=WishSerializer,
        responses={200: PreferencesSerializer, **CHANGE_ERRORS},
    )
    def patch(self, request: Request, user_id: str) -> Response:
        """What is not named stays."""
        return self._change(request, replaces=False)

    def _change(self, request: Request, *, replaces: bool) -> Response:
        known = set(Category.objects.values_list("code", flat=True))
        wish = read_wish(dict(request.data), known=known, replaces=replaces)
        wanted = wanted_tags(request)
        with _as_problems():
            preferences.change_preferences(
                user=self.person,
                wish=wish,
                origin=origin_of(request, self.person),
                check=lambda wishes: refuse_stale(wanted, preferences_tag(wishes)),
            )
        return self._answer()

    def _answer(self) -> Response:
        wishes = preferences.read_wishes(self.person)
        return Response(preferences_answer(self.person, wishes), headers={"ETag": preferences_tag(wishes)})


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except preferences.CategoryLocked as locked:
        raise Problem("category_locked", f"Messages of the category {locked} are always sent.") from locked


class HistoryView(PersonView):
    """Who decided what, and when."""

    query_parameters = cursor_pages.PARAMETERS

    @extend_schema(
        operation_id="list_preference_history",
        summary="Who changed the switches?",
        parameters=PAGE_PARAMETERS,
        responses={200: ConsentListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Newest first; nothing is ever taken out."""
        events = ConsentEvent.objects.filter(user=self.person)
        return Response(cursor_pages.page_answer(request, events, shown=consent_answer))


class QuietHoursView(PersonView):
    """When a person wants silence."""

    @extend_schema(
        operation_id="get_quiet_hours",
        summary="When is silence wanted?",
        responses={200: QuietHoursSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, user_id: str) -> Response:
        """Also whether it is quiet now."""
        return self._answer(QuietHours.objects.filter(user=self.person).first())

    @extend_schema(
        operation_id="set_quiet_hours",
        summary="Set quiet hours",
        request=QuietHoursRequestSerializer,
        responses={200: QuietHoursSerializer, **WRITE_ERRORS},
    )
    def put(self, request: Request, user_id: str) -> Response:
        """What waits for silence to end is decided again."""
        body = QuietHoursRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return self._answer(set_quiet_hours(user=self.person, **body.validated_data))

    @extend_schema(
        operation_id="clear_quiet_hours", summary="No quiet hours", request=None, responses={204: None, **WRITE_ERRORS}
    )
    def delete(self, request: Request, user_id: str) -> Response:
        """What waited for them goes out."""
        StrictSerializer(data=request.data).is_valid(raise_exception=True)
        clear_quiet_hours(user=self.person)
        return Response(status=204)

    def _answer(self, hours: QuietHours | None) -> Response:
        return Response(quiet_hours_answer(self.person, hours, now=datetime.now(UTC)))
