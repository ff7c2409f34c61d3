"""The API of uploads: files that are to go with mails. Views check, call one use case, answer."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from gateway import attachments
from gateway.attachment_fields import UPLOADS
from gateway.attachment_models import StoredFile
from gateway.attachment_rules import LARGEST_FILE, NotAttachable, checked_name, checked_size, checked_type
from users.api_view import ApiView
from users.authentication import caller_of
from users.json_format import JSONNegotiation, media_type_of
from users.openapi import READ_ERRORS, problems
from users.problems import FieldError, Problem

WRITE = "notifications:write"
#: Types of forms, which hold a file among other things: they are not read.
FORMS = frozenset({"", "multipart/form-data", "application/x-www-form-urlencoded"})


class UploadSerializer(serializers.Serializer[Any]):
    """What is told of an upload."""

    id = serializers.UUIDField()
    url = serializers.CharField(help_text="For `attachments` of a notification; only we read it.")
    filename = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="Until then notifications may name it.")


def upload_answer(stored: StoredFile) -> dict[str, Any]:
    """As the API shows it."""
    names = ("id", "filename", "content_type", "size", "sha256", "created_at", "expires_at")
    shown = {name: getattr(stored, name) for name in names}
    return shown | {"url": f"{settings.PUBLIC_URL}{UPLOADS}{stored.pk}/"}


class FileParser(BaseParser):
    """The body as it is."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """The bytes. Raises RequestDataTooBig."""
        content: bytes = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise RequestDataTooBig
        return {"content": content}


class AnyBody(JSONNegotiation):
    """Answers are JSON as everywhere; bodies may be of any type."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The only one."""
        return next(iter(parsers), None)


class AttachmentsView(ApiView):
    """Uploads."""

    required_scopes = {"POST": WRITE}
    parser_classes = (FileParser,)
    content_negotiation_class = AnyBody
    query_parameters = frozenset({"filename"})
    max_body = LARGEST_FILE

    def check_size(self, request: Request) -> None:
        """Of a body in chunks only so much was read that other routes can tell it is too large."""
        if request.headers.get("Transfer-Encoding") and int(request.META.get("CONTENT_LENGTH") or 0) > (
            settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        ):
            raise Problem("payload_too_large", "In chunks 2 MiB are taken; a larger file needs a Content-Length.")
        super().check_size(request)

    def check_type(self, request: Request) -> None:
        """The file itself, not a form with it, and not compressed on the way."""
        if media_type_of(request.META.get("CONTENT_TYPE")) in FORMS:
            raise Problem("unsupported_media_type", "Send the file itself as the body, with its own Content-Type.")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise Problem("unsupported_media_type", "Compressed bodies are not read.")

    @extend_schema(
        operation_id="upload_attachment",
        summary="Keep a file that is to go with mails",
        description="The body is the file itself, with its own `Content-Type`.",
        parameters=[OpenApiParameter("filename", str, required=True, description="Such as invoice.pdf.")],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={
            201: OpenApiResponse(UploadSerializer, description="Kept; notifications may name it."),
            **problems(400, 401, 403, 406, 413, 415, 429, 503),
        },
    )
    def post(self, request: Request) -> Response:
        """Checked, stored, and answered after the commit."""
        content: bytes = dict(request.data).get("content", b"")
        filename = request.query_params.get("filename", "")
        content_type = media_type_of(request.META.get("CONTENT_TYPE"))
        with _found_at("?filename"):
            checked_name(filename)
        caller = caller_of(request)
        with _found_at(""):
            checked_type(content_type)
            checked_size(len(content))
            stored = attachments.upload(
                content, filename=filename, content_type=content_type, client=caller.client, mode=caller.mode
            )
        answer = upload_answer(stored)
        return Response(answer, status=201, headers={"Location": f"{UPLOADS}{stored.pk}/"})


@contextmanager
def _found_at(place: str) -> Iterator[None]:
    try:
        yield
    except NotAttachable as error:
        raise Problem("validation_error", errors=[FieldError(place, error.code, str(error))]) from error


class AttachmentView(ApiView):
    """One upload of the caller's own client and mode; no others exist."""

    required_scopes = {"GET": WRITE, "DELETE": WRITE}

    def find(self, request: Request, **path: Any) -> None:
        """One that can still be named."""
        caller = caller_of(request)
        found = attachments.uploads_of(caller.client, caller.mode).filter(pk=path["attachment_id"]).first()
        if found is None:
            raise Http404
        self.stored = found

    @extend_schema(
        operation_id="get_attachment",
        summary="What was uploaded?",
        responses={200: UploadSerializer, **READ_ERRORS},
    )
    def get(self, request: Request, attachment_id: UUID) -> Response:
        """Without its bytes."""
        return Response(upload_answer(self.stored))

    @extend_schema(
        operation_id="delete_attachment",
        summary="Let it be named no more",
        description="Notifications that have it keep it until their content is deleted.",
        request=None,
        responses={204: None, **problems(400, 401, 403, 404, 406, 429, 503)},
    )
    def delete(self, request: Request, attachment_id: UUID) -> Response:
        """At once where no notification has it."""
        attachments.delete_upload(self.stored.pk)
        return Response(status=204)
