"""The attachments of a request: their shape, and each finding with its place."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gateway.attachment_rules import (
    LONGEST_NAME,
    MOST_PER_MAIL,
    NotAttachable,
    checked_content_id,
    checked_name,
    checked_size,
    checked_type,
    needs_image,
)
from gateway.request import AttachmentRequest

#: Where uploads answer, behind PUBLIC_URL.
UPLOADS = "/api/v1/attachments/"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SOURCES = ("content", "url", "id")
_NAMES = frozenset({"filename", "content_type", "content_id", *_SOURCES})
#: Raised as findings, by the name of the member; an empty name for the whole entry.
Findings = dict[str, list[serializers.ErrorDetail]]


@extend_schema_field(
    {
        "type": "array",
        "maxItems": MOST_PER_MAIL,
        "items": {
            "type": "object",
            "additionalProperties": False,
            "description": "Exactly one of `content` (with `filename` and `content_type`), `url` and `id`.",
            "properties": {
                "filename": {"type": "string", "maxLength": LONGEST_NAME},
                "content_type": {"type": "string", "description": "Such as application/pdf; with `content` only."},
                "content": {"type": "string", "format": "byte", "description": "Base64."},
                "url": {"type": "string", "description": "Of an upload here; no other address is fetched."},
                "id": {"type": "string", "format": "uuid", "description": "Of an upload."},
                "content_id": {"type": "string", "description": "For an image inside the mail: the X of `cid:X`."},
            },
        },
    }
)
class AttachmentsField(serializers.Field[tuple[AttachmentRequest, ...], Any, Any, Any]):
    """Up to ten files, for e-mail."""

    def to_internal_value(self, data: Any) -> tuple[AttachmentRequest, ...]:
        """As values."""
        if not isinstance(data, list):
            raise serializers.ValidationError("Use a list.", code="invalid")
        if len(data) > MOST_PER_MAIL:
            raise serializers.ValidationError(f"A mail has at most {MOST_PER_MAIL} attachments.", code="too_many")
        findings: dict[str, Any] = {}
        read: list[AttachmentRequest] = []
        for position, each in enumerate(data):
            found, wrong = _read(each)
            if wrong:
                findings[str(position)] = wrong.get("", wrong)
            elif found.content_id and found.content_id in {other.content_id for other in read}:
                twice = "Another attachment has this content_id."
                findings[str(position)] = {"content_id": [serializers.ErrorDetail(twice, code="not_unique")]}
            read.append(found)
        if findings:
            raise serializers.ValidationError(findings)
        return tuple(read)

    def to_representation(self, value: Any) -> Any:
        """Requests are not shown."""
        return value


def _read(given: Any) -> tuple[AttachmentRequest, Findings]:
    nothing = AttachmentRequest(filename="")
    if not isinstance(given, Mapping):
        return nothing, {"": [_finding("Use an object.")]}
    given = {name: value for name, value in given.items() if value is not None}
    findings: Findings = {
        name: [_finding("There is no such field.", "unknown_field")] for name in given.keys() - _NAMES
    }
    findings |= {name: [_finding("Use a text.")] for name in given.keys() & _NAMES if not isinstance(given[name], str)}
    sources = [name for name in _SOURCES if name in given]
    if len(sources) != 1:
        findings[""] = [_finding("Use exactly one of content, url and id.")]
    if findings:
        return nothing, findings
    return _checked(given, sources[0])


def _checked(given: Mapping[str, str], source: str) -> tuple[AttachmentRequest, Findings]:
    is_new = source == "content"
    checks: dict[str, Callable[[str], Any]] = {
        "filename": checked_name,
        "content_type": checked_type if is_new else _refused_type,
        "content_id": checked_content_id,
        source: {"content": _decoded, "url": _file_of, "id": _file_id}[source],
    }
    values: dict[str, Any] = {}
    findings: Findings = {}
    for name, check in checks.items():
        if name not in given:
            if is_new and name in ("filename", "content_type"):
                findings[name] = [_finding("This field is required beside content.", "required")]
            continue
        try:
            values["file_id" if name in ("url", "id") else name] = check(given[name])
        except NotAttachable as error:
            findings[name] = [_finding(str(error), error.code)]
    if not findings and is_new:
        try:
            needs_image(values.get("content_id", ""), values["content_type"])
        except NotAttachable as error:
            findings["content_id"] = [_finding(str(error), error.code)]
    return (AttachmentRequest(filename=""), findings) if findings else (AttachmentRequest(**values), {})


def _decoded(text: str) -> bytes:
    try:
        content = base64.b64decode("".join(text.split()), validate=True)  # many tools break it into lines
    except (binascii.Error, ValueError):
        raise NotAttachable("This is not base64.") from None
    checked_size(len(content))
    return content


def _file_id(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise NotAttachable(f"This is no id of an upload, such as POST {UPLOADS} answers with.")
    return UUID(text)


def _file_of(text: str) -> UUID:
    """Of an address of ours, with or without the slash at its end."""
    path = text.removeprefix(settings.PUBLIC_URL).removeprefix(UPLOADS).removesuffix("/")
    if not _UUID.fullmatch(path):
        raise NotAttachable(
            f"Only files uploaded here are attached, none of other addresses: {settings.PUBLIC_URL}{UPLOADS}…/. "
            "Upload it, or send it as content."
        )
    return UUID(path)


def _refused_type(text: str) -> str:
    raise NotAttachable("An upload has its type already; leave this out.")


def _finding(detail: str, code: str = "invalid") -> serializers.ErrorDetail:
    return serializers.ErrorDetail(detail, code=code)
