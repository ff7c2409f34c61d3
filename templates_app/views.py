"""The API of templates. Views check, call one use case, answer."""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from templates_app import answers, refusals, template_life, trial
from templates_app.answer_serializers import PreviewAnswerSerializer, TemplateListSerializer, TemplateSerializer
from templates_app.models import Template, TemplateContent
from templates_app.serializers import (
    LARGEST_BODY,
    LoosePreviewSerializer,
    PreviewSerializer,
    TemplateChangeSerializer,
    TemplateCreateSerializer,
)
from users import cursor_pages
from users.api_view import ApiView
from users.authentication import caller_of
from users.channels import Channel
from users.etags import etag_of, refuse_stale, wanted_tags
from users.list_filters import ListFilters
from users.openapi import PAGE_PARAMETERS, READ_ERRORS, WRITE_ERRORS, problems
from users.permissions import ScopeMissing
from users.problems import FieldError, Problem
from users.strict_serializers import StrictSerializer

READ, WRITE, PUBLISH = "templates:read", "templates:write", "templates:publish"
CONFLICTS = problems(409, 412)
FILTERS = ListFilters(moments={"created_after": "created_at__gte", "created_before": "created_at__lt"})
STATUSES = {"active": False, "archived": True}
#: Filters that take several values.
TEXT_FILTERS = ("code", "category", "channel", "locale")


class NothingSerializer(StrictSerializer):
    """A request that says nothing."""


def template_etag(template: Template) -> str:
    """Changes with everything an answer shows, and with every saved change of its draft."""
    drafts = [each.revision for each in template.drafts]  # type: ignore[attr-defined]  # of `shown_templates`
    return etag_of([template.updated_at.isoformat(), template.live_version_id, drafts])


def filtered_templates(request: Request) -> QuerySet[Template]:
    """Those a list asks for. Raises `Problem`."""
    asked = request.query_params
    rows = FILTERS.applied(answers.shown_templates(), asked)
    statuses = asked.get("status", "active").split(",")
    if not set(statuses) <= STATUSES.keys():
        raise Problem("validation_error", errors=[FieldError("?status", "invalid_choice", "Use active, archived.")])
    rows = rows.filter(is_archived__in=[STATUSES[each] for each in statuses])
    given = {name: asked[name].split(",") for name in TEXT_FILTERS if name in asked}
    if not set(given.get("channel", ())) <= set(Channel.values):
        words = f"Use {', '.join(Channel.values)}."
        raise Problem("validation_error", errors=[FieldError("?channel", "invalid_choice", words)])
    if "code" in given:
        rows = rows.filter(code__in=given["code"])
    if "category" in given:
        rows = rows.filter(category__in=given["category"])
    content = {f"{name}__in": given[name] for name in ("channel", "locale") if name in given}
    if content:
        rows = rows.filter(Exists(TemplateContent.objects.filter(version=OuterRef("live_version"), **content)))
    if search := asked.get("search"):
        rows = rows.filter(Q(code__icontains=search) | Q(name__icontains=search))
    return rows


class TemplatesView(ApiView):
    """The list, and what is new in it."""

    required_scopes = {"GET": READ, "POST": WRITE}
    query_parameters = cursor_pages.PARAMETERS | FILTERS.names | {*TEXT_FILTERS, "status", "search"}
    max_body = LARGEST_BODY

    @extend_schema(
        operation_id="list_templates",
        summary="All templates",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("code", str),
            OpenApiParameter("category", str),
            OpenApiParameter("channel", str, description="Of the live version."),
            OpenApiParameter("locale", str, description="Of the live version."),
            OpenApiParameter("status", str, description="active (default), archived, or both."),
            OpenApiParameter("search", str, description="In code and name."),
            OpenApiParameter("created_after", str, description="RFC 3339, inclusive."),
            OpenApiParameter("created_before", str, description="RFC 3339, exclusive."),
        ],
        responses={200: TemplateListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request) -> Response:
        """Newest first."""
        rows = filtered_templates(request)
        return Response(cursor_pages.page_answer(request, rows, shown=answers.template_answer))

    @extend_schema(
        operation_id="create_template",
        summary="A new template, with its first words if you like, published if you like",
        request=TemplateCreateSerializer,
        responses={201: TemplateSerializer, **WRITE_ERRORS, **CONFLICTS},
    )
    def post(self, request: Request) -> Response:
        """All or nothing."""
        caller = caller_of(request)
        if dict(request.data).get("publish") is True and not caller.may(PUBLISH):
            raise ScopeMissing(PUBLISH)
        body = TemplateCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        words = {name: body.validated_data.get(name) for name in ("variables", "contents")}
        publishes = body.validated_data.get("publish") is True
        with refusals.as_problems():
            made = template_life.create_with_words(**body.columns(), **words, publishes=publishes, by=caller.client)
        return shown(made.pk, status=201, headers={"Location": reverse("template", args=[made.code])})


def shown(pk: UUID, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A template as it is now, with its ETag."""
    template = answers.shown_templates().get(pk=pk)
    given = {"ETag": template_etag(template)} | (headers or {})
    return Response(answers.template_answer(template), status=status, headers=given)


class TemplateObjectView(ApiView):
    """What the routes about one template share: finding it by its code or its id."""

    max_body = LARGEST_BODY

    def find(self, request: Request, **path: Any) -> None:
        """Ids first: they cannot be chosen."""
        named = str(path["template"])
        rows = answers.shown_templates()
        template = None
        try:
            template = rows.filter(pk=UUID(named)).first() if len(named) == 36 else None
        except ValueError:
            template = None
        template = template or rows.filter(code=named).first()
        if template is None:
            raise Http404
        self.template = template

    def refuse_stale(self, request: Request) -> None:
        """Raises the problem of a stale `If-Match`."""
        refuse_stale(wanted_tags(request), template_etag(self.template))


class TemplateView(TemplateObjectView):
    """One template."""

    required_scopes = {"GET": READ, "PATCH": WRITE, "DELETE": WRITE}

    @extend_schema(
        operation_id="get_template", summary="One template", responses={200: TemplateSerializer, **READ_ERRORS}
    )
    def get(self, request: Request, template: str) -> Response:
        """By its code or its id."""
        return shown(self.template.pk)

    @extend_schema(
        operation_id="change_template",
        summary="Everything but its words",
        request=TemplateChangeSerializer,
        responses={200: TemplateSerializer, **WRITE_ERRORS, **CONFLICTS},
    )
    def patch(self, request: Request, template: str) -> Response:
        """The code only as long as nothing was sent."""
        body = TemplateChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.refuse_stale(request)
        with refusals.as_problems():
            template_life.change_template(self.template, by=caller_of(request).client, **body.columns())
        return shown(self.template.pk)

    @extend_schema(
        operation_id="archive_template",
        summary="Take it out of use",
        request=None,
        responses={204: None, **WRITE_ERRORS, **CONFLICTS},
    )
    def delete(self, request: Request, template: str) -> Response:
        """The code stays taken, history stays readable."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        self.refuse_stale(request)
        template_life.archive_template(self.template, by=caller_of(request).client)
        return Response(status=204)


def trial_answer(found: trial.Trial) -> dict[str, Any]:
    """What a preview answers."""
    return {
        "template_code": found.template_code,
        "version": found.version,
        "locale": found.locale,
        "notification_type": found.channel,
        "rendered": answers.rendered_answer(found.rendered),
        "findings": answers.findings_answer(found.findings),
    }


def try_stored(template: Template, asked: dict[str, Any]) -> Response:
    """Answer the preview of a stored template."""
    with refusals.as_problems():
        found = trial.try_template(
            template,
            version=asked.get("version") or trial.LIVE,
            locale=asked.get("locale"),
            channel=asked.get("notification_type"),
            variables=asked.get("variables") or {},
        )
    return Response(trial_answer(found))


class PreviewView(TemplateObjectView):
    """A stored version with values."""

    required_scopes = {"POST": READ}

    @extend_schema(
        operation_id="preview_template",
        summary="How it would look",
        request=PreviewSerializer,
        responses={200: PreviewAnswerSerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request, template: str) -> Response:
        """Creates nothing."""
        body = PreviewSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return try_stored(self.template, body.validated_data)


class LoosePreviewView(ApiView):
    """A stored version with values, or words that are stored nowhere."""

    required_scopes = {"POST": READ}
    max_body = LARGEST_BODY

    @extend_schema(
        operation_id="preview_words",
        summary="How a template, or words of any kind, would look",
        request=LoosePreviewSerializer,
        responses={200: PreviewAnswerSerializer, **WRITE_ERRORS},
    )
    def post(self, request: Request) -> Response:
        """Creates nothing."""
        body = LoosePreviewSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        with refusals.as_problems():
            if asked.get("content") is None:
                return try_stored(trial.template_by_code(asked["template_code"]), asked)
            found = trial.try_words(
                asked["content"],
                channel=asked["notification_type"],
                locale=asked.get("locale"),
                variables=asked.get("variables") or {},
            )
        return Response(trial_answer(found))
