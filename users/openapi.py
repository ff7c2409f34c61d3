"""What the descriptions of operations share, for OpenAPI."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class ProblemSerializer(serializers.Serializer[Any]):
    """Every error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField(allow_null=True)
    fix = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField(), required=False)  # type: ignore[assignment]  # the contract's name; hides a member nobody reads here


PROBLEM = OpenApiResponse(ProblemSerializer, description="A problem (RFC 9457); `code` says which.")


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """What an operation may refuse, for its description."""
    return {(status, "application/problem+json"): PROBLEM for status in statuses}


READ_ERRORS = problems(400, 401, 403, 404, 429, 503)
WRITE_ERRORS = problems(400, 401, 403, 404, 406, 413, 415, 422, 429, 503)
#: Of every list.
PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="From `next` or `previous`."),
    OpenApiParameter("page_size", int, description="1 to 200, default 50."),
    OpenApiParameter("count", bool, description="Adds `count`, exact up to 10,000."),
]
