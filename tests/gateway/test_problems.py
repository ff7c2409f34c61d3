"""Every error is a problem document, whoever makes it."""

import threading

import pytest
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client
from django.urls import path
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView
from structlog.testing import capture_logs

from gateway.problems import body_of, exception_handler
from users.permissions import ScopeMissing
from users.problem_catalogue import PROBLEMS
from users.problems import FieldError, Problem


class Item(serializers.Serializer):
    count = serializers.IntegerField(min_value=1)


class Order(serializers.Serializer):
    name = serializers.CharField(max_length=3)
    colour = serializers.ChoiceField(["red"], required=False)
    email = serializers.EmailField(required=False)
    tags = serializers.ListField(child=serializers.CharField(max_length=2), required=False)
    items = Item(many=True, required=False)
    extra = serializers.DictField(child=serializers.IntegerField(), required=False)

    def validate(self, attrs):
        raise serializers.ValidationError("Never good as a whole.")


#: What a view may meet; the request names one of them.
THROWN = {
    "problem": Problem("not_cancellable", "It was sent.", headers={"X-Hint": "late"}, status_now="sent"),
    "invalid": drf.ValidationError({"a": [drf.ErrorDetail("Missing.", "required")]}),
    "malformed": drf.ParseError("Bad comma.", code="malformed_json"),
    "parse": drf.ParseError(),
    "anonymous": drf.NotAuthenticated(),
    "bad_key": drf.AuthenticationFailed("This API key is unknown.", code="invalid_api_key"),
    "old_token": drf.AuthenticationFailed({"detail": "x", "code": "token_not_valid"}),
    "scope": ScopeMissing("users:write"),
    "forbidden": DjangoPermissionDenied("internal words"),
    "missing": Http404("No Secret matches the given query."),
    "gone": drf.NotFound("This version was deleted."),
    "method": drf.MethodNotAllowed("PATCH"),
    "accept": drf.NotAcceptable(),
    "type": drf.UnsupportedMediaType("text/plain"),
    "throttled": drf.Throttled(wait=6.2),
    "throttled_somehow": drf.Throttled(),
    "large": RequestDataTooBig("internal words"),
    "database": OperationalError("connection to 10.0.0.1 refused"),
    "connection": InterfaceError("closed"),
    "odd": drf.APIException("internal words"),
    "bug": RuntimeError("the secret is 42"),
}


class Thrower(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    http_method_names = ("get", "post")

    def get(self, request, kind):
        raise THROWN[kind]

    def post(self, request, kind):
        Order(data=request.data).is_valid(raise_exception=True)
        return Response({})


def page_that_fails(request, kind):
    raise THROWN[kind]


def suspicious(request):
    raise SuspiciousOperation("internal words")


def form(request):
    return HttpResponse(get_token(request))


urlpatterns = [
    path("api/v1/throw/<str:kind>/", Thrower.as_view()),
    path("pages/<str:kind>/", page_that_fails),
    path("suspicious/", suspicious),
    path("form/", form),
]
handler400 = "gateway.problems.handler400"
handler403 = "gateway.problems.handler403"
handler404 = "gateway.problems.handler404"
handler500 = "gateway.problems.handler500"

pytestmark = pytest.mark.urls(__name__)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def thrown(client, kind):
    return client.get(f"/api/v1/throw/{kind}/")


# --- the form ---------------------------------------------------------------------------------------------------------


def test_a_problem_has_its_members_in_the_promised_order(client, settings):
    settings.PUBLIC_URL = "https://notify.example"
    response = client.get("/api/v1/throw/problem/", headers={"X-Request-ID": "req-1"})

    assert response.status_code == 409
    assert response["Content-Type"] == "application/problem+json"
    assert response["X-Hint"] == "late"
    assert list(response.json().items()) == [
        ("type", "https://notify.example/api/docs/errors/not_cancellable"),
        ("title", "It cannot be cancelled any more"),
        ("status", 409),
        ("detail", "It was sent."),
        ("instance", "/api/v1/throw/problem/"),
        ("code", "not_cancellable"),
        ("request_id", "req-1"),
        ("fix", str(PROBLEMS["not_cancellable"].fix)),
        ("status_now", "sent"),
    ]


def test_errors_stand_before_further_members_and_carry_what_is_theirs():
    error = FieldError("/email", "not_unique", "Taken.", {"existing_id": "u-1"})
    body = body_of(Problem("conflict", errors=[error], existing_id="u-1"), instance="/x", request_id=None)

    assert list(body)[-2:] == ["errors", "existing_id"]
    assert body["errors"] == [{"pointer": "/email", "code": "not_unique", "detail": "Taken.", "existing_id": "u-1"}]
    assert body["detail"] == PROBLEMS["conflict"].meaning


# --- what views raise -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("problem", 409, "not_cancellable"),
        ("invalid", 400, "validation_error"),
        ("malformed", 400, "malformed_json"),
        ("parse", 400, "malformed_json"),
        ("anonymous", 401, "not_authenticated"),
        ("bad_key", 401, "invalid_api_key"),
        ("old_token", 401, "invalid_token"),
        ("scope", 403, "insufficient_scope"),
        ("forbidden", 403, "insufficient_scope"),
        ("missing", 404, "not_found"),
        ("gone", 404, "not_found"),
        ("method", 405, "method_not_allowed"),
        ("accept", 406, "not_acceptable"),
        ("type", 415, "unsupported_media_type"),
        ("throttled", 429, "rate_limited"),
        ("throttled_somehow", 429, "rate_limited"),
        ("large", 413, "payload_too_large"),
        ("database", 503, "unavailable"),
        ("connection", 503, "unavailable"),
        ("odd", 500, "internal_error"),
        ("bug", 500, "internal_error"),
    ],
)
def test_every_exception_becomes_its_problem(client, kind, status, code):
    response = thrown(client, kind)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"] == response["X-Request-ID"]


@pytest.mark.parametrize("kind", ["forbidden", "missing", "large", "database", "connection", "odd", "bug"])
def test_nothing_internal_is_told(client, kind):
    body = thrown(client, kind).json()

    assert body["detail"] == PROBLEMS[body["code"]].meaning


@pytest.mark.parametrize("kind", ["parse", "anonymous", "old_token", "method", "accept", "type", "throttled"])
def test_the_standard_sentences_of_the_framework_give_way_to_ours(client, kind):
    body = thrown(client, kind).json()

    assert body["detail"] == PROBLEMS[body["code"]].meaning


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("malformed", "Bad comma."),
        ("bad_key", "This API key is unknown."),
        ("gone", "This version was deleted."),
    ],
)
def test_words_of_ours_are_kept(client, kind, detail):
    assert thrown(client, kind).json()["detail"] == detail


@pytest.mark.parametrize("kind", ["anonymous", "bad_key", "old_token"])
def test_every_401_says_how_to_authenticate(client, kind):
    assert thrown(client, kind)["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("kind", "seconds"), [("throttled", "7"), ("throttled_somehow", "5"), ("database", "5"), ("connection", "5")]
)
def test_every_429_and_503_says_when_to_come_back(client, kind, seconds):
    assert thrown(client, kind)["Retry-After"] == seconds


def test_a_missing_scope_is_named(client):
    assert thrown(client, "scope").json()["required_scope"] == "users:write"


def test_a_405_lists_what_is_allowed(client):
    response = client.delete("/api/v1/throw/problem/")

    assert response.status_code == 405
    assert response["Allow"] == "GET, POST"


def test_a_database_that_is_away_is_logged_in_one_line_each_time(client):
    with capture_logs() as lines:
        thrown(client, "database")

    (line,) = [line for line in lines if line.get("action") == "answer_problem"]
    assert line["detail"] == "OperationalError: connection to 10.0.0.1 refused"
    assert "exc_info" not in line


def test_a_mistake_of_ours_is_logged_with_its_traceback(client, caplog):
    thrown(client, "bug")

    assert "RuntimeError: the secret is 42" in caplog.text


def test_what_nobody_foresaw_is_left_to_django():
    assert exception_handler(RuntimeError(), {"request": None, "view": None}) is None


# --- findings of serializers ------------------------------------------------------------------------------------------


def test_all_findings_are_named_with_pointers_and_our_codes(client):
    body = {
        "name": "too long",
        "colour": "green",
        "email": "x",
        "tags": ["ok", "long"],
        "items": [{"count": 1}, {"count": 0}, {}],
        "extra": {"a/b": "x", "c~d": 1},
    }
    response = client.post("/api/v1/throw/any/", body, content_type="application/json")

    assert response.status_code == 400
    answer = response.json()
    assert answer["detail"] == "7 findings, see errors."
    assert [(error["pointer"], error["code"]) for error in answer["errors"]] == [
        ("/name", "too_long"),
        ("/colour", "invalid_choice"),
        ("/email", "invalid"),
        ("/tags/1", "too_long"),
        ("/items/1/count", "out_of_range"),
        ("/items/2/count", "required"),
        ("/extra/a~1b", "invalid"),
    ]
    assert all(error["detail"] for error in answer["errors"])


def test_a_single_finding_is_the_detail(client):
    response = client.post("/api/v1/throw/any/", {}, content_type="application/json")

    assert response.json()["detail"] == "/name: This field is required."


def test_a_finding_about_the_whole_points_to_the_whole(client):
    response = client.post("/api/v1/throw/any/", {"name": "abc"}, content_type="application/json")

    assert response.json()["errors"] == [{"pointer": "", "code": "invalid", "detail": "Never good as a whole."}]
    assert response.json()["detail"].startswith("The body: ")


# --- Django's own errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", BROWSER])
def test_an_unknown_api_route_is_a_problem_for_everyone(client, accept):
    response = client.get("/api/v1/nowhere/", headers={"Accept": accept})

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert response.json()["code"] == "not_found"


def test_elsewhere_people_get_a_page_and_programs_a_problem(client):
    page = client.get("/nowhere/", headers={"Accept": BROWSER, "X-Request-ID": "req-1"})
    problem = client.get("/nowhere/", headers={"Accept": "*/*"})

    assert page["Content-Type"].startswith("text/html")
    assert "Nothing here" in page.content.decode()
    assert "req-1" in page.content.decode()
    assert problem["Content-Type"] == "application/problem+json"
    assert page.status_code == problem.status_code == 404


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere/", "This page does not exist"),
        ("/pages/forbidden/", "Your account may not open this page"),
        ("/pages/bug/", "Something went wrong on our side"),
        ("/pages/database/", "The database does not answer at the moment"),
        ("/suspicious/", str(PROBLEMS["malformed_json"].meaning)),
    ],
)
def test_pages_speak_to_people(client, path, said):
    page = client.get(path, headers={"Accept": BROWSER}).content.decode()

    assert said in page
    assert "internal words" not in page
    assert "the secret" not in page


def test_documentation_is_for_people(client):
    response = client.get("/api/docs/nowhere", headers={"Accept": BROWSER})

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/pages/forbidden/", 403, "insufficient_scope"),
        ("/pages/large/", 413, "payload_too_large"),
        ("/pages/database/", 503, "unavailable"),
        ("/pages/bug/", 500, "internal_error"),
        ("/suspicious/", 400, "malformed_json"),
    ],
)
def test_plain_views_answer_with_problems_too(client, path, status, code):
    response = client.get(path)

    assert response.status_code == status
    assert response.json()["code"] == code
    assert "internal words" not in response.content.decode()
    assert "42" not in response.json()["detail"]


@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_a_broken_page_does_not_ask_the_database_to_say_so(client, accept):
    # No mark for the database: any query would fail this test.
    response = client.get("/pages/database/", headers={"Accept": accept, "Cookie": "sessionid=x"})

    assert response.status_code == 503


def test_an_unknown_host_name_is_refused(client):
    response = client.get("/api/v1/nowhere/", headers={"Host": "elsewhere.example"})

    assert response.status_code == 400
    assert response.json()["code"] == "invalid_host"


def test_a_forged_form_is_refused():
    response = Client(enforce_csrf_checks=True).post("/form/", {"a": "b"})

    assert response.status_code == 403
    assert response.json()["code"] == "csrf_failed"


def test_problems_are_not_mixed_up_between_threads(client):
    answers = {}

    def ask(kind):
        answers[kind] = thrown(Client(raise_request_exception=False), kind).json()["code"]

    threads = [threading.Thread(target=ask, args=[kind]) for kind in ("problem", "missing", "scope")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {"problem": "not_cancellable", "missing": "not_found", "scope": "insufficient_scope"}
