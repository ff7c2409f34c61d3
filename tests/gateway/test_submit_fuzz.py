"""Whatever is sent, the answer is ours: accepted, replayed or refused with a problem document, never a 5xx."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.models import Notification
from tests.gateway.api_scene import post, request_body
from users.problem_catalogue import PROBLEMS
from users.validation_findings import FIELD_CODES

pytestmark = pytest.mark.django_db

EXAMPLES = settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
#: Texts that trouble parsers, databases and template engines.
NASTY = [
    "",
    " ",
    "\x00",
    "\ud800",
    "\u2028",
    "{{ name }}",
    "{% now %}",
    "' OR 1=1 --",
    "%s %(x)s {}",
    "../../etc",
    "💥" * 200,
]
FIELDS = [
    *("notification_type", "user_id", "template_code", "variables", "request_id", "priority", "template_version"),
    *("locale", "send_at", "expires_at", "metadata", "name", "verification_link", "non_field_errors", ""),
]
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=20), st.sampled_from(FIELDS))
#: Far beyond what columns hold.
numbers = st.one_of(st.integers(-(10**30), 10**30), st.floats(), st.sampled_from([2**31, 2**63, -(2**63) - 1, 1e308]))
moments = st.sampled_from(["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "2026-13-01"])
plain = st.one_of(st.none(), st.booleans(), numbers, texts, moments)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def must_be_ours(response):
    """Accepted or replayed; or a problem of the catalogue, its findings with codes of the contract."""
    assert response.status_code < 500, response.content
    body = response.json()
    if response.status_code in (200, 202):
        assert Notification.objects.filter(pk=body["id"]).exists()
        return
    assert response["Content-Type"] == "application/problem+json"
    assert PROBLEMS[body["code"]].status == body["status"] == response.status_code
    for error in body.get("errors", []):
        assert error["code"] in FIELD_CODES
        assert error["pointer"].startswith(("/", "?"))


@EXAMPLES
@given(body=st.dictionaries(st.one_of(st.sampled_from(FIELDS), texts), values, max_size=12))
def test_any_object(shop, body):
    must_be_ours(post(shop, json.dumps(body).encode()))


@EXAMPLES
@given(changes=st.dictionaries(st.sampled_from(FIELDS), values, min_size=1, max_size=3))
def test_the_published_request_with_anything_in_some_of_its_fields(shop, changes):
    must_be_ours(post(shop, json.dumps(request_body(**changes)).encode()))


@EXAMPLES
@given(
    variables=st.dictionaries(st.sampled_from(["name", "verification_link", "x"]), values),
    metadata=st.dictionaries(texts, texts, max_size=3),
)
def test_the_published_request_with_any_values(shop, variables, metadata):
    must_be_ours(post(shop, request_body(request_id=None, variables=variables, metadata=metadata)))


@EXAMPLES
@given(body=st.binary(max_size=200))
def test_any_bytes(shop, body):
    must_be_ours(post(shop, body))


@EXAMPLES
@given(
    header=st.sampled_from(["Accept", "Content-Type", "Idempotency-Key", "X-Request-ID", "Content-Encoding"]),
    value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40),
)
def test_any_header(shop, header, value):
    must_be_ours(post(shop, request_body(request_id=None), headers={header: value}))


@EXAMPLES
@given(token=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60))
def test_any_credentials(client, token):
    response = post(client, request_body(), headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 401
    must_be_ours(response)
