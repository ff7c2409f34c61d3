"""The API of people. Views check, call one use case, answer."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from users import answers, cursor_pages, people, refusals
from users.api_view import ApiView
from users.authentication import caller_of
from users.cursor_pages import whole_list
from users.list_filters import ListFilters, flag, text
from users.models import Category, User
from users.openapi import PAGE_PARAMETERS, READ_ERRORS, WRITE_ERRORS, problems
from users.permissions import ANYBODY, ScopeMissing
from users.person_view import READ, WRITE, PersonView, origin_of
from users.privacy import erase_recipient
from users.problems import FieldError, Problem
from users.serializers import (
    CategoryListSerializer,
    PersonChangeSerializer,
    PersonCreateSerializer,
    PersonListSerializer,
    PersonReplaceSerializer,
    PersonSerializer,
    read_external_id,
    without_null,
)

PEOPLE_FILTERS = ListFilters(
    queries={"external_id": text("external_id"), "is_active": flag("is_active")},
    moments={"created_after": "created_at__gte", "created_before": "created_at__lt"},
)
#: What a person needs the scope for, even on themselves.
NEEDS_SCOPE = frozenset({"external_id", "is_active"})


def shown(person: User) -> dict[str, Any]:
    """The present state of a person."""
    return answers.person_answer(answers.shown_people(User.objects.all()).get(pk=person.pk))


class PeopleView(ApiView):
    """All people of the installation."""

    required_scopes = {"GET": READ, "POST": WRITE}

    query_parameters = cursor_pages.PARAMETERS | PEOPLE_FILTERS.names | {"email"}

    @extend_schema(
        operation_id="list_users",
        summary="Who can be reached?",
        parameters=[
            OpenApiParameter("external_id", str, description="One or several, separated by commas."),
            OpenApiParameter("email", str, description="The exact address; one or several, separated by commas."),
            OpenApiParameter("is_active", bool),
            OpenApiParameter("created_after", str, description="RFC 3339, inclusive."),
            OpenApiParameter("created_before", str, description="RFC 3339, exclusive."),
            *PAGE_PARAMETERS,
        ],
        responses={200: PersonListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        email = request.query_params.get("email")
        rows = User.objects.all() if email is None else User.objects.with_email(*email.split(","))
        meant = answers.shown_people(PEOPLE_FILTERS.applied(rows, request.query_params))
        return Response(cursor_pages.page_answer(request, meant, shown=answers.person_answer))

    @extend_schema(
        operation_id="create_user",
        summary="Make somebody known",
        request=PersonCreateSerializer,
        responses={201: PersonSerializer, **WRITE_ERRORS, **problems(409)},
    )
    def post(self, request: Request) -> Response:
        """With a password they can sign in."""
        asked = PersonCreateSerializer().run_validation(request.data)
        more = {name: asked.pop(name, None) for name in ("password", "push_token", "preferences")}
        with refusals.as_problems(may_see_others=True):
            person = people.create_person(fields=asked, origin=origin_of(request, None), **more)
        answer = shown(person)
        return Response(answer, status=201, headers={"Location": answer["links"]["self"]})


class PersonObjectView(PersonView):
    """One person."""

    open_to_people = frozenset({"GET", "HEAD", "PATCH", "DELETE"})

    def find(self, request: Request, **path: Any) -> None:
        """`PUT` also makes who is not there yet; nobody is called `me`."""
        if request.method != "PUT":
            super().find(request, **path)
        elif path["user_id"] == "me":
            raise Http404

    @extend_schema(operation_id="get_user", summary="Who is this?", responses={200: PersonSerializer, **READ_ERRORS})
    def get(self, request: Request, user_id: str) -> Response:
        """In full."""
        return Response(shown(self.person))

    @extend_schema(
        operation_id="put_user",
        summary="Create or replace",
        request=PersonReplaceSerializer,
        responses={200: PersonSerializer, 201: PersonSerializer, **WRITE_ERRORS, **problems(409)},
    )
    def put(self, request: Request, user_id: str) -> Response:
        """What is left out returns to its default; password, wishes and devices stay."""
        external_id = read_external_id(user_id)
        asked = PersonReplaceSerializer().run_validation(request.data)
        if asked.pop("external_id", external_id) != external_id:
            words = "Leave it out, or repeat the id of the path."
            raise Problem("validation_error", errors=[FieldError("/external_id", "invalid", words)])
        with refusals.as_problems(may_see_others=True):
            person, is_new = people.replace_person(external_id=external_id, fields=asked)
        answer = shown(person)
        headers = {"Location": answer["links"]["self"]} if is_new else {}
        return Response(answer, status=201 if is_new else 200, headers=headers)

    @extend_schema(
        operation_id="change_user",
        summary="Change some fields",
        request=PersonChangeSerializer,
        responses={200: PersonSerializer, **WRITE_ERRORS, **problems(409)},
    )
    def patch(self, request: Request, user_id: str) -> Response:
        """People change their own name, address, language and time zone."""
        may_write = caller_of(request).may(WRITE)
        if not may_write and NEEDS_SCOPE & without_null(dict(request.data)).keys():
            raise ScopeMissing(WRITE)
        asked = PersonChangeSerializer().run_validation(request.data)
        with refusals.as_problems(may_see_others=may_write):
            people.change_person(self.person, fields=asked)
        return Response(shown(self.person))

    @extend_schema(operation_id="erase_user", summary="Erase", responses={204: None, **READ_ERRORS})
    def delete(self, request: Request, user_id: str) -> Response:
        """Personal data, devices and wishes go, what waits is cancelled; old notifications keep only the id."""
        caller = caller_of(request)
        who = caller.person or f"API key {caller.name} of {caller.client}"
        erase_recipient(self.person.pk, who=who, why="asked by API", address=request.META.get("REMOTE_ADDR", ""))
        return Response(status=204)


class CategoriesView(ApiView):
    """What a person can turn off."""

    required_scopes = {"GET": ANYBODY}

    @extend_schema(
        operation_id="list_categories",
        summary="What can people turn off?",
        responses={200: CategoryListSerializer, **problems(400, 401, 429, 503)},
    )
    def get(self, request: Request) -> Response:
        """All of them."""
        return Response(whole_list([answers.category_answer(each) for each in Category.objects.order_by("code")]))
