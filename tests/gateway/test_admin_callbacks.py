"""Callbacks: what developers see of them, and what they may send again."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME

from gateway import callback_endpoints, callback_posts
from gateway.callback_posts import TryResult
from gateway.models import StatusCallback
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.callback_scene import endpoint

pytestmark = pytest.mark.django_db

ENDPOINTS = "/admin/gateway/callbackendpoint/"
DELIVERIES = "/admin/gateway/statuscallback/"
URL = "http://127.0.0.1:21790/hooks?token=s3cret"


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def made():
    return endpoint(URL)[0]


def tried(made, status_code=500):
    told = callback_endpoints.owe_test(made)
    [claimed] = callback_posts.claim(made.pk, limit=1)
    callback_posts.record(claimed, TryResult(status_code=status_code, duration_ms=120))
    return told


def test_empty_lists_say_what_would_be_there(client):
    assert "Nobody wants to be told yet" in page(client, ENDPOINTS)
    assert "No callbacks yet" in page(client, DELIVERIES)


def test_an_endpoint_is_shown_without_its_secrets(client, made):
    for text in (page(client, ENDPOINTS), page(client, f"{ENDPOINTS}{made.pk}/change/")):
        assert "http://127.0.0.1:21790/hooks?…" in text
        assert "shop (live)" in text
        assert "everything" in text
        assert "s3cret" not in text
        assert made.secret not in text
        assert "whsec_" not in text


def test_it_is_said_why_an_endpoint_is_told_nothing(client, made):
    tried(made, 410)

    text = page(client, ENDPOINTS)

    assert "Stopped" in text
    assert "It answered 410: gone" in text
    assert "when its endpoint is on again" in page(client, DELIVERIES)


def test_a_delivery_is_shown_with_its_tries(client, made):
    told = tried(made)

    for text in (page(client, DELIVERIES), page(client, f"{DELIVERIES}{told.pk}/change/")):
        assert "callback.test" in text
        assert "Pending" in text
        assert "500" in text
        assert "s3cret" not in text
    assert told.webhook_id in page(client, f"{DELIVERIES}{told.pk}/change/")
    assert "120 ms" in page(client, f"{DELIVERIES}{told.pk}/change/")


def test_the_deliveries_of_one_endpoint(client, made):
    tried(made)
    other, _ = endpoint(URL)

    assert "callback.test" in page(client, f"{DELIVERIES}?endpoint__id__exact={made.pk}")
    assert "callback.test" not in page(client, f"{DELIVERIES}?endpoint__id__exact={other.pk}")


def resend(client, told):
    return client.post(DELIVERIES, {"action": "resend_selected", ACTION_CHECKBOX_NAME: [str(told.pk)]}, follow=True)


def test_it_can_be_sent_again(client, made):
    told = tried(made, 200)
    assert StatusCallback.objects.get().state == "delivered"

    answer = resend(client, told)

    assert "1 callback is sent again." in answer.content.decode()
    assert [each.pk for each in callback_posts.claim(made.pk, limit=10)] == [told.pk]


def test_only_by_those_who_may(made):
    told = tried(made, 200)

    resend(signed_in(staff("gateway.view_statuscallback")), told)

    assert StatusCallback.objects.get().state == "delivered"


def test_nothing_is_added_changed_or_deleted_by_hand(client, made):
    told = tried(made)

    for address in (
        f"{ENDPOINTS}add/",
        f"{DELIVERIES}add/",
        f"{ENDPOINTS}{made.pk}/delete/",
        f"{DELIVERIES}{told.pk}/delete/",
    ):
        assert client.get(address).status_code == 403
    assert client.post(f"{ENDPOINTS}{made.pk}/change/", {"url": "https://evil.test/"}).status_code == 403


def test_the_pages_ask_the_database_a_fixed_number_of_times(client, made):
    for _ in range(5):
        tried(made, 200)

    for address in (ENDPOINTS, DELIVERIES):
        queries = queries_of(client, address)
        assert len(queries) <= MOST_QUERIES
        assert not any("COUNT(" in sql for sql in queries)
