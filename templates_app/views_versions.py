"""The API of versions. Views check, call one use case, answer."""

from typing import Any

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from templates_app import answers, drafting, publishing, refusals, usage
from templates_app.answer_serializers import DiffSerializer, VersionAnswerSerializer, VersionListSerializer
from templates_app.comparison import compare_versions
from templates_app.models import TemplateVersion
from templates_app.serializers import (
    PublishSerializer,
    RevertSerializer,
    VersionCreateSerializer,
    VersionSerializer,
)
from templates_app.views import CONFLICTS, PUBLISH, READ, WRITE, NothingSerializer, TemplateObjectView
from users import cursor_pages
from users.authentication import caller_of
from users.etags import etag_of, refuse_stale, wanted_tags
from users.openapi import PAGE_PARAMETERS, READ_ERRORS, WRITE_ERRORS
from users.problems import FieldError, Problem

#: Larger numbers fit no column.
LARGEST_NUMBER = 2**31 - 1


def version_etag(version: TemplateVersion) -> str:
    """Changes with every saved change and with the state."""
    return etag_of([str(version.pk), version.revision, version.state])


def shown(version: TemplateVersion, *, status: int = 200) -> Response:
    """A version with its ETag; a new one with its address."""
    headers = {"ETag": version_etag(version)}
    if status == 201:
        headers["Location"] = reverse("template-version", args=[version.template.code, version.number])
    return Response(answers.version_answer(version), status=status, headers=headers)


class VersionsView(TemplateObjectView):
    """The versions of a template."""

    required_scopes = {"GET": READ, "POST": WRITE}
    query_parameters = cursor_pages.PARAMETERS

    @extend_schema(
        operation_id="list_template_versions",
        summary="All versions, without their words",
        parameters=PAGE_PARAMETERS,
        responses={200: VersionListSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, template: str) -> Response:
        """Newest first."""
        rows = TemplateVersion.objects.filter(template=self.template)
        return Response(cursor_pages.page_answer(request, rows, shown=answers.version_line))

    @extend_schema(
        operation_id="create_template_version",
        summary="A new draft: of given words, of an older version, or of the live one",
        request=VersionCreateSerializer,
        responses={201: VersionAnswerSerializer, **WRITE_ERRORS, **CONFLICTS},
    )
    def post(self, request: Request, template: str) -> Response:
        """One at a time."""
        body = VersionCreateSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = {name: value for name, value in body.validated_data.items() if value is not None}
        with refusals.as_problems():
            draft = drafting.new_draft_with_words(self.template, by=caller_of(request).client, **given)
        return shown(draft, status=201)


class VersionObjectView(TemplateObjectView):
    """What the routes about one version share."""

    def find(self, request: Request, **path: Any) -> None:
        """By its number."""
        super().find(request, **path)
        found = self.version_by(path["number"])
        if found is None:
            raise Http404
        self.version = found

    def version_by(self, number: int) -> TemplateVersion | None:
        """Another version of the same template."""
        rows = TemplateVersion.objects.select_related("template__live_version", "template__category")
        return rows.filter(template=self.template, number=number).first() if number <= LARGEST_NUMBER else None

    def refuse_stale(self, request: Request) -> None:
        """Raises the problem of a stale `If-Match`."""
        refuse_stale(wanted_tags(request), version_etag(self.version))


class VersionView(VersionObjectView):
    """One version."""

    required_scopes = {"GET": READ, "PUT": WRITE, "PATCH": WRITE, "DELETE": WRITE}

    @extend_schema(
        operation_id="get_template_version",
        summary="One version, with its words and what the checks find",
        responses={200: VersionAnswerSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, template: str, number: int) -> Response:
        """In full, and what this process knows of its use."""
        usage.write_uses()
        self.version.refresh_from_db(fields=["sent_count"])
        return shown(self.version)

    @extend_schema(
        operation_id="replace_template_draft",
        summary="Write a draft anew",
        request=VersionSerializer,
        responses={200: VersionAnswerSerializer, **WRITE_ERRORS, **CONFLICTS},
    )
    def put(self, request: Request, template: str, number: int) -> Response:
        """What is not given is gone."""
        empty: dict[str, Any] = {"variables": [], "contents": {}, "note": ""}
        return self._save(request, empty, replace=True)

    @extend_schema(
        operation_id="change_template_draft",
        summary="Write in a draft; words are merged by locale and channel",
        request=VersionSerializer,
        responses={200: VersionAnswerSerializer, **WRITE_ERRORS, **CONFLICTS},
    )
    def patch(self, request: Request, template: str, number: int) -> Response:
        """What is not given stays."""
        return self._save(request, {}, replace=False)

    def _save(self, request: Request, empty: dict[str, Any], *, replace: bool) -> Response:
        body = VersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given = {name: value for name, value in body.validated_data.items() if value is not None}
        self.refuse_stale(request)
        # Whoever names no state means the present one, whichever that is.
        expected = self.version.revision if wanted_tags(request) is not None else None
        with refusals.as_problems():
            drafting.save_draft(
                self.version,
                by=caller_of(request).client,
                expected_revision=expected,
                replace=replace,
                keep_fields=not replace,
                **(empty | given),
            )
        return shown(self.version)

    @extend_schema(
        operation_id="delete_template_draft",
        summary="Throw a draft away",
        request=None,
        responses={204: None, **WRITE_ERRORS, **CONFLICTS},
    )
    def delete(self, request: Request, template: str, number: int) -> Response:
        """Published versions stay."""
        NothingSerializer(data=request.data).is_valid(raise_exception=True)
        self.refuse_stale(request)
        with refusals.as_problems():
            drafting.delete_draft(self.version, by=caller_of(request).client)
        return Response(status=204)


class PublishView(VersionObjectView):
    """From a draft to what people get."""

    required_scopes = {"POST": PUBLISH}

    @extend_schema(
        operation_id="publish_template_version",
        summary="Make it live",
        request=PublishSerializer,
        responses={200: VersionAnswerSerializer, **WRITE_ERRORS, **CONFLICTS},
    )
    def post(self, request: Request, template: str, number: int) -> Response:
        """Again without effect."""
        body = PublishSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        self.refuse_stale(request)
        with refusals.as_problems():
            publishing.publish(
                self.version,
                by=caller_of(request).client,
                note=body.validated_data.get("note") or "",
                acknowledge_breaking=body.validated_data.get("acknowledge_breaking") is True,
            )
        return shown(self.version)


class RevertView(VersionObjectView):
    """Back to older words."""

    required_scopes = {"POST": PUBLISH}

    @extend_schema(
        operation_id="revert_template",
        summary="Make a copy of this version live",
        request=RevertSerializer,
        responses={201: VersionAnswerSerializer, **WRITE_ERRORS, **CONFLICTS},
    )
    def post(self, request: Request, template: str, number: int) -> Response:
        """History is never rewritten."""
        body = RevertSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with refusals.as_problems():
            copy = publishing.revert(
                self.version, by=caller_of(request).client, note=body.validated_data.get("note") or ""
            )
        return shown(copy, status=201)


class DiffView(VersionObjectView):
    """What differs."""

    required_scopes = {"GET": READ}
    query_parameters = frozenset({"against"})

    @extend_schema(
        operation_id="compare_template_versions",
        summary="What this version has other than another",
        parameters=[OpenApiParameter("against", int, required=True, description="Number of the other version.")],
        responses={200: DiffSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, template: str, number: int) -> Response:
        """From the other to this one."""
        asked = request.query_params.get("against", "")
        if not asked:
            words = "Name the other version: ?against=3."
            raise Problem("validation_error", errors=[FieldError("?against", "required", words)])
        other = self.version_by(int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
        if other is None:
            words = "This template has no such version."
            raise Problem("validation_error", errors=[FieldError("?against", "invalid", words)])
        compared = compare_versions(other, self.version)
        return Response(answers.comparison_answer(compared, before=other.number, after=self.version.number))
