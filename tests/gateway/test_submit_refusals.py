"""`POST /api/v1/notifications/`: every refusal but that of a field's shape."""

import json

import pytest
from django.db import OperationalError
from django.test import Client
from rest_framework.throttling import BaseThrottle

from gateway import submission
from gateway.models import Notification
from gateway.views import NotificationsView
from templates_app import publishing
from templates_app.models import Template
from tests.factories import UserFactory
from tests.gateway.api_scene import (
    NOTIFICATIONS,
    PUBLISHED,
    client_with_key,
    findings,
    next_version,
    post,
    refusal,
    request_body,
    submit,
    template,
)
from users.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_stored(db):
    """A refusal leaves nothing behind."""
    yield
    assert not Notification.objects.exists()


# --- who asks ---------------------------------------------------------------------------------------------------------


def test_without_credentials():
    response = post(Client(), PUBLISHED)

    assert refusal(response) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Basic c2hvcDprZXk=", "Bearer", "ntf_live_abc"])
def test_with_something_else_than_a_bearer_token(header):
    assert refusal(post(Client(headers={"Authorization": header}), PUBLISHED)) == (401, "not_authenticated")


def test_with_a_wrong_key():
    client = Client(headers={"Authorization": f"Bearer ntf_live_{'A' * 43}"})

    assert refusal(post(client, PUBLISHED)) == (401, "invalid_api_key")


def test_with_a_revoked_key(shop):
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")

    assert refusal(post(shop, PUBLISHED)) == (401, "invalid_api_key")


def test_with_an_expired_key(shop):
    ApiKey.objects.update(expires_at="2026-01-01T00:00:00Z")

    assert refusal(post(shop, PUBLISHED)) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    "scope", ["notifications:read", "notifications:manage", "notifications:content", "users:write"]
)
def test_without_the_scope(ann, welcome, scope):
    response = post(client_with_key(scope), PUBLISHED)

    assert refusal(response) == (403, "insufficient_scope")
    assert response.json()["required_scope"] == "notifications:write"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("scope", ["notifications:write", "metrics:read"])
def test_with_another_method(method, scope):
    response = client_with_key(scope).generic(method, NOTIFICATIONS)

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, POST"


# --- the body as a whole ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        PUBLISHED[:-1],
        PUBLISHED + b"}",
        b"\xef\xbb\xbf" + PUBLISHED,
        PUBLISHED.replace(b'"priority": "high"', b'"priority": 8, "priority": 9'),
        PUBLISHED.replace(b'"John Doe"', b"NaN"),
        PUBLISHED.replace(b'"John Doe"', b"-Infinity"),
        PUBLISHED.replace(b'"John Doe"', b"1e999"),
        PUBLISHED.replace(b"John", b"J\xe4n"),
        PUBLISHED.replace(b"John", b"J\\u0000n"),
        PUBLISHED.replace(b"John", b"J\\ud800n"),
        b"[" + PUBLISHED + b"]",
        b"null",
        b'"x"',
        b"[" * 100_000,
        b"\x00",
        b"{'a': 1}",
    ],
)
def test_a_body_that_cannot_be_read(shop, body):
    assert refusal(post(shop, body)) == (400, "malformed_json")


def padded(size):
    """The published request with spaces up to `size` bytes."""
    return PUBLISHED + b" " * (size - len(PUBLISHED))


def test_a_body_that_is_too_large(shop):
    assert refusal(post(shop, padded(256 * 1024 + 1))) == (413, "payload_too_large")
    assert refusal(post(shop, padded(3 * 1024 * 1024))) == (413, "payload_too_large")


def test_a_body_that_only_claims_to_be_too_large(shop):
    assert refusal(post(shop, PUBLISHED, CONTENT_LENGTH=str(256 * 1024 + 1))) == (413, "payload_too_large")


def test_a_body_that_claims_to_be_shorter_than_it_is(shop):
    assert refusal(post(shop, PUBLISHED, CONTENT_LENGTH="20")) == (400, "malformed_json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""])
def test_a_body_of_another_type(shop, content_type):
    assert refusal(post(shop, PUBLISHED, content_type=content_type)) == (415, "unsupported_media_type")


def test_a_compressed_body(shop):
    assert refusal(post(shop, PUBLISHED, headers={"Content-Encoding": "gzip"})) == (415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0"])
def test_a_client_that_takes_no_json(shop, accept):
    assert refusal(post(shop, PUBLISHED, headers={"Accept": accept})) == (406, "not_acceptable")


def test_unknown_query_parameters(shop):
    response = post(shop, PUBLISHED, path=f"{NOTIFICATIONS}?dry_run=true&format=json")

    assert findings(response) == [("?dry_run", "unknown_field"), ("?format", "unknown_field")]


# --- understood, but it cannot be done --------------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", ["nobody", "USER-123", "019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44", " user-123", "üser"])
def test_an_unknown_person(shop, user_id):
    response = post(shop, request_body(user_id=user_id))

    assert refusal(response) == (422, "user_not_found")
    assert user_id in response.json()["detail"]


@pytest.mark.parametrize("code", ["nothing", "Welcome_email", "welcome_email "])
def test_an_unknown_template(shop, code):
    response = post(shop, request_body(template_code=code))

    assert refusal(response) == (422, "template_not_found")
    assert code in response.json()["detail"]


def test_an_archived_template(shop, welcome):
    Template.objects.update(is_archived=True)

    assert refusal(post(shop, PUBLISHED)) == (422, "template_archived")
    assert refusal(post(shop, request_body(template_version=1))) == (422, "template_archived")


def test_a_template_that_was_never_published(shop):
    template("draft", published=False)

    assert refusal(post(shop, request_body(template_code="draft"))) == (422, "template_not_published")


@pytest.mark.parametrize("version", [2, 3, 2_147_483_647])
def test_a_version_that_is_missing_or_a_draft(shop, welcome, version):
    publishing.new_draft(welcome)  # version 2

    response = post(shop, request_body(template_version=version))

    assert refusal(response) == (422, "template_version_not_found")
    assert f"version {version}" in response.json()["detail"]


def test_a_template_without_words_for_the_channel(shop):
    assert refusal(post(shop, request_body(notification_type="push"))) == (422, "channel_not_in_template")


def test_missing_variables_are_named(shop, welcome):
    next_version(welcome)

    response = post(shop, request_body(variables={"name": "Ann"}))

    assert findings(response, 422, "variables_invalid") == [("/variables/verification_link", "variable_missing")]
    assert response.json()["detail"] == "The template welcome_email version 2 needs verification_link."


@pytest.mark.parametrize("variables", [{}, None, ..., {"name": None, "verification_link": None}])
def test_null_and_absent_variables_are_missing(shop, variables):
    response = post(shop, request_body(variables=variables))

    assert findings(response, 422, "variables_invalid") == [
        ("/variables/name", "variable_missing"),
        ("/variables/verification_link", "variable_missing"),
    ]


def test_missing_and_wrongly_typed_variables_are_named_at_once(shop):
    declared = [
        {"name": "name", "type": "string", "required": True},
        {"name": "count", "type": "integer", "required": True},
        {"name": "link", "type": "url"},
        {"name": "at", "type": "datetime"},
        {"name": "items", "type": "list", "fields": ["title"]},
    ]
    words = {
        "subject": "{{ name }} {{ count }} {{ link }} {{ at }}",
        "html": "{% for i in items %}{{ i.title }}{% endfor %}",
    }
    template("typed", variables=declared, contents={("en", "email"): words})
    variables = {
        "count": "5",
        "link": "javascript:alert(1)",
        "at": "noon",
        "items": [{"title": "a"}, {"titel": "b"}, "c"],
    }

    response = post(shop, request_body(template_code="typed", variables=variables))

    assert findings(response, 422, "variables_invalid") == [
        ("/variables/at", "variable_type"),
        ("/variables/count", "variable_type"),
        ("/variables/items/1/title", "variable_missing"),
        ("/variables/items/2", "variable_type"),
        ("/variables/link", "variable_type"),
        ("/variables/name", "variable_missing"),
    ]


def test_the_first_of_several_refusals_is_answered(shop, welcome):
    """400 before 422; then the person, the template, its version, the channel, the variables."""
    wrong = {
        "user_id": "nobody",
        "template_code": "nothing",
        "template_version": 9,
        "notification_type": "push",
        "variables": {},
        "priority": 99,
    }
    mended = []
    for field, status_and_code in [
        ("priority", (400, "validation_error")),
        ("user_id", (422, "user_not_found")),
        ("template_code", (422, "template_not_found")),
        ("template_version", (422, "template_version_not_found")),
        ("notification_type", (422, "channel_not_in_template")),
        ("variables", (422, "variables_invalid")),
    ]:
        body = request_body(**{name: value for name, value in wrong.items() if name not in mended})
        assert refusal(post(shop, body)) == status_and_code
        mended.append(field)


# --- not now ----------------------------------------------------------------------------------------------------------


def test_a_database_that_does_not_answer(shop, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection to 10.0.0.1 refused")

    monkeypatch.setattr(submission, "decide_request", away)

    response = post(shop, PUBLISHED)

    assert refusal(response) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0
    assert "10.0.0.1" not in response.content.decode()


def test_too_many_requests(shop, monkeypatch):
    class Never(BaseThrottle):
        def allow_request(self, request, view):
            return False

        def wait(self):
            return 3

    monkeypatch.setattr(NotificationsView, "throttle_classes", [Never])

    response = post(shop, PUBLISHED)

    assert refusal(response) == (429, "rate_limited")
    assert response["Retry-After"] == "3"


# --- what every refusal looks like ------------------------------------------------------------------------------------


def test_a_refusal_is_a_whole_problem_document(shop):
    response = post(shop, request_body(user_id="nobody"), headers={"X-Request-ID": "exchange-1"})

    problem = response.json()
    assert problem == {
        "type": "http://127.0.0.1:3000/api/docs/errors/user_not_found",
        "title": "No such user",
        "status": 422,
        "detail": "There is no person with the id nobody.",
        "instance": NOTIFICATIONS,
        "code": "user_not_found",
        "request_id": "exchange-1",
        "fix": problem["fix"],
    }
    assert response["Cache-Control"] == "no-store"


def test_a_refusal_does_not_repeat_variables(shop):
    """They may be secret."""
    variables = {"name": "Ann", "verification_link": "not-a-link-s3cr3t"}

    assert b"s3cr3t" not in post(shop, request_body(variables=variables)).content


def test_a_refused_request_id_may_be_used_again(shop, ann):
    assert refusal(post(shop, request_body(user_id="nobody"))) == (422, "user_not_found")

    assert submit(shop)["request_id"] == "req-123456"
    Notification.objects.all().delete()


def test_a_long_list_of_findings_stays_an_answer(shop):
    body = request_body(**{f"x{number}": 1 for number in range(5_000)})

    assert len(findings(post(shop, json.dumps(body).encode()))) == 5_000


def test_people_of_the_installation_are_shared(ann, welcome):
    """Users belong to the installation; another client may write to them."""
    UserFactory(external_id="user-2")

    assert submit(client_with_key(client="other"), user_id="user-2")["status"] == "accepted"
    Notification.objects.all().delete()
