"""What all routes of the API have in common: slashes, methods, headers, unknown things."""

import uuid

import pytest
from django.test import Client

from tests.gateway.api_scene import NOTIFICATIONS, PUBLISHED, findings, post, refusal, row, submit

pytestmark = pytest.mark.django_db

#: Every route about one notification.
PARTS = ["", "status/", "attempts/", "events/"]


@pytest.fixture
def accepted(shop):
    return submit(shop)


@pytest.fixture
def own(accepted):
    return accepted["links"]["self"]


@pytest.mark.parametrize("part", PARTS)
def test_paths_answer_with_and_without_the_slash(shop, own, part):
    with_slash = shop.get(own + part)
    without = shop.get((own + part).removesuffix("/"))

    assert with_slash.status_code == without.status_code == 200
    assert with_slash.json() == without.json()


def test_the_published_path_of_the_status(shop, accepted):
    assert shop.get(f"/api/v1/notifications/{accepted['id']}/status").json()["status"] == "accepted"


def test_posting_needs_no_slash_either(shop):
    assert post(shop, PUBLISHED, path=NOTIFICATIONS.removesuffix("/")).status_code == 202


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("part", PARTS)
def test_other_methods_are_not_allowed(shop, own, part, method, slash):
    response = shop.generic(method, (own + part).removesuffix("/") + slash)

    assert refusal(response) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("part", PARTS)
def test_head_works_where_get_works(shop, own, part, slash):
    response = shop.head((own + part).removesuffix("/") + slash)

    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize(
    "path", ["/api/v1/", "/api/v1/nothing/", f"{NOTIFICATIONS}x/y/z", "/api/v2/notifications/", "/api"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_route_is_not_found(client, path, method):
    """With or without credentials."""
    assert refusal(client.generic(method, path)) == (404, "not_found")


@pytest.mark.parametrize("part", PARTS)
def test_unknown_query_parameters_are_refused(shop, own, part):
    assert findings(shop.get(f"{own}{part}?page=2")) == [("?page", "unknown_field")]


def every_kind_of_answer(shop, own):
    yield shop.get(own)
    yield shop.get(f"{own}events/")
    yield post(shop, PUBLISHED)
    yield post(shop, b"{")
    yield post(shop, {})
    yield shop.get(f"{NOTIFICATIONS}{uuid.uuid4()}/")
    yield shop.get("/api/v1/nothing/")
    yield shop.delete(own)
    yield Client().get(own)
    yield shop.get(own, headers={"Accept": "text/html"})


def test_every_answer_names_the_exchange_and_its_story(shop, own):
    for answer in every_kind_of_answer(shop, own):
        assert str(uuid.UUID(answer["X-Request-ID"])) == answer["X-Request-ID"]
        assert answer["X-Correlation-ID"] == answer["X-Request-ID"]


def test_no_answer_is_kept_in_a_cache(shop, own):
    for answer in every_kind_of_answer(shop, own):
        assert answer["Cache-Control"] == "no-store"


def test_the_callers_own_ids_are_kept(shop):
    headers = {"X-Request-ID": "exchange-1", "X-Correlation-ID": "story.1"}

    response = post(shop, PUBLISHED, headers=headers)

    assert (response["X-Request-ID"], response["X-Correlation-ID"]) == ("exchange-1", "story.1")
    assert row(response.json()).correlation_id == "story.1"


def test_the_story_begins_with_the_exchange(shop):
    response = post(shop, PUBLISHED, headers={"X-Request-ID": "exchange-1"})

    assert row(response.json()).correlation_id == "exchange-1"
