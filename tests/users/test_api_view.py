"""The order of checks, and what a view needs not check any more."""

import pytest
from django.http import Http404
from django.test import Client, override_settings
from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from users.api_keys import create_api_key
from users.api_view import ApiView

LIMIT = 100  # bytes


class Things(ApiView):
    required_scopes = {"GET": "users:read", "POST": "users:write", "DELETE": "users:write"}
    query_parameters = frozenset({"page_size"})
    max_body = LIMIT

    def find(self, request, **path):
        if path["name"] == "missing":
            raise Http404

    def get(self, request, name):
        return Response({"name": name, "query": dict(request.query_params)})

    def post(self, request, name):
        return Response(request.data)

    def delete(self, request, name):
        return Response(status=204)  # never looks at the body


class Open(ApiView):
    permission_classes = (AllowAny,)

    def get(self, request):
        return Response({})


class Never(BaseThrottle):
    def allow_request(self, request, view):
        return False

    def wait(self):
        return 3


class Throttled(Things):
    throttle_classes = (Never,)


urlpatterns = [
    path("api/v1/things/<str:name>/", Things.as_view()),
    path("api/v1/open/", Open.as_view()),
    path("api/v1/throttled/<str:name>/", Throttled.as_view()),
]
handler404 = "gateway.problems.handler404"

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

JSON = "application/json"
TOO_LARGE = b'{"a": "' + b"x" * LIMIT + b'"}'


def bearer(*scopes):
    _, plain = create_api_key(name="shop", client="shop", scopes=scopes)
    return {"Authorization": f"Bearer {plain}"}


@pytest.fixture
def writer():
    return Client(headers=bearer("users:write"))


@pytest.fixture
def reader():
    return Client(headers=bearer("users:read"))


def outcome(response):
    return response.status_code, response.json()["code"]


def post(client, body=b"{}", content_type=JSON, name="a", query="", **extra):
    return client.generic("POST", f"/api/v1/things/{name}/{query}", body, content_type=content_type, **extra)


# --- each check -------------------------------------------------------------------------------------------------------


def test_a_good_request_reaches_the_handler(writer):
    response = post(writer, b'{"a": [1]}')

    assert response.status_code == 200
    assert response["Content-Type"] == JSON
    assert response.json() == {"a": [1]}


def test_every_answer_forbids_caching(writer):
    assert post(writer)["Cache-Control"] == "no-store"
    assert post(writer, b"x")["Cache-Control"] == "no-store"
    assert Client().get("/api/v1/things/a/")["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "status"), [("text/html", 406), ("application/*", 200), ("application/problem+json", 200)]
)
def test_only_json_is_produced(reader, accept, status):
    assert reader.get("/api/v1/things/a/?", headers={"Accept": accept}).status_code == status


def test_there_is_no_format_parameter(reader):
    response = reader.get("/api/v1/things/a/?format=json")

    assert outcome(response) == (400, "validation_error")
    assert response.json()["errors"][0]["pointer"] == "?format"


def test_credentials_are_needed(writer):
    assert outcome(Client().get("/api/v1/things/a/")) == (401, "not_authenticated")


@pytest.mark.parametrize("path", ["/api/v1/things/a/", "/api/v1/open/"])
def test_wrong_credentials_are_refused_even_where_none_are_needed(path):
    response = Client().get(path, headers={"Authorization": "Bearer ntf_live_wrong"})

    assert outcome(response) == (401, "invalid_api_key")


def test_an_open_view_needs_none():
    assert Client().get("/api/v1/open/").status_code == 200


def test_a_missing_scope_is_refused(reader):
    response = post(reader)

    assert outcome(response) == (403, "insufficient_scope")
    assert response.json()["required_scope"] == "users:write"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_are_not_allowed(reader, method):
    response = reader.generic(method, "/api/v1/things/a/")

    assert outcome(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD, POST, DELETE"


def test_head_works_where_get_works(reader):
    response = reader.head("/api/v1/things/a/")

    assert response.status_code == 200
    assert response.content == b""


def test_a_body_of_the_limit_passes_and_one_byte_more_does_not(writer):
    exact = b'{"a": "' + b"x" * (LIMIT - 9) + b'"}'
    assert len(exact) == LIMIT

    assert post(writer, exact).status_code == 200
    assert outcome(post(writer, exact + b" ")) == (413, "payload_too_large")


def test_a_body_that_is_announced_too_large_is_not_read(writer):
    assert outcome(post(writer, b"{}", CONTENT_LENGTH=str(LIMIT + 1))) == (413, "payload_too_large")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=LIMIT - 50)
def test_the_limit_of_the_whole_server_is_a_413_too(writer):
    assert outcome(post(writer, b'{"a": "' + b"x" * 60 + b'"}')) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "*/*", "application/jsonx"],
)
def test_a_body_that_is_not_declared_as_json_is_refused(writer, content_type):
    assert outcome(post(writer, content_type=content_type)) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_be_spelt_in_any_case_and_with_parameters(writer, content_type):
    assert post(writer, content_type=content_type).status_code == 200


def test_a_compressed_body_is_refused(writer):
    assert outcome(post(writer, headers={"Content-Encoding": "gzip"})) == (415, "unsupported_media_type")
    assert post(writer, headers={"Content-Encoding": "identity"}).status_code == 200


@pytest.mark.parametrize("content_type", [JSON, "", "text/plain"])
def test_no_body_counts_as_an_empty_object(writer, content_type):
    response = post(writer, b"", content_type=content_type)

    assert (response.status_code, response.json()) == (200, {})


def test_what_a_get_carries_as_a_body_is_ignored(reader):
    response = reader.generic("GET", "/api/v1/things/a/", TOO_LARGE, content_type="text/plain")

    assert response.status_code == 200


def test_a_broken_body_is_refused_even_where_the_handler_reads_none(writer):
    response = writer.generic("DELETE", "/api/v1/things/a/", b"{", content_type=JSON)

    assert outcome(response) == (400, "malformed_json")


def test_all_unknown_query_parameters_are_named(reader):
    response = reader.get("/api/v1/things/a/?page_size=5&colour=red&size=1")

    assert outcome(response) == (400, "validation_error")
    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [
        ("?colour", "unknown_field"),
        ("?size", "unknown_field"),
    ]


def test_known_query_parameters_pass(reader):
    assert reader.get("/api/v1/things/a/?page_size=5").json()["query"] == {"page_size": ["5"]}


def test_nul_in_a_query_parameter_is_refused(reader):
    response = reader.get("/api/v1/things/a/?page_size=%00")

    assert [(error["pointer"], error["code"]) for error in response.json()["errors"]] == [("?page_size", "invalid")]


# --- their order ------------------------------------------------------------------------------------------------------

HTML = {"Accept": "text/html"}


def everything_wrong(client, *, method="POST", prefix="things", **headers):
    """Too large, of the wrong type, for a missing object, with an unknown parameter and no JSON in it."""
    return client.generic(
        method, f"/api/v1/{prefix}/missing/?colour=red", TOO_LARGE[:-1], content_type="text/plain", headers=headers
    )


def test_406_comes_first(client):
    assert outcome(everything_wrong(client, method="PUT", prefix="throttled", **HTML)) == (406, "not_acceptable")


def test_then_401(client):
    assert outcome(everything_wrong(client, method="PUT", prefix="throttled")) == (401, "not_authenticated")


def test_then_429(reader):
    response = everything_wrong(reader, method="PUT", prefix="throttled")

    assert outcome(response) == (429, "rate_limited")
    assert response["Retry-After"] == "3"


def test_then_405_whatever_the_scope(reader):
    assert outcome(everything_wrong(reader, method="PUT")) == (405, "method_not_allowed")
    assert outcome(everything_wrong(Client(headers=bearer("metrics:read")), method="PUT"))[0] == 405


def test_then_403(reader):
    assert outcome(everything_wrong(reader)) == (403, "insufficient_scope")


def test_then_413(writer):
    assert outcome(everything_wrong(writer)) == (413, "payload_too_large")


def test_then_415(writer):
    assert outcome(post(writer, b"{", "text/plain", name="missing", query="?colour=red")) == (
        415,
        "unsupported_media_type",
    )


def test_then_404(writer):
    assert outcome(post(writer, b"{", name="missing", query="?colour=red")) == (404, "not_found")


def test_then_400(writer):
    assert outcome(post(writer, b"{", query="?colour=red")) == (400, "validation_error")
    assert outcome(post(writer, b"{")) == (400, "malformed_json")


def test_an_unknown_route_is_404_for_everyone(client):
    assert outcome(client.post("/api/v1/nowhere/", headers=HTML)) == (404, "not_found")
