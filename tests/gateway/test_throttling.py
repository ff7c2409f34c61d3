"""How often a client may call: headers on every answer, 429 beyond, counted per client and mode."""

import re
from types import SimpleNamespace

import pytest
from django.test import Client

from tests.gateway.api_scene import NOTIFICATIONS, PUBLISHED, client_with_key, post, refusal, submit
from users.api_keys import note_use
from users.models import ApiKey
from users.rates import Rate
from users.throttling import Usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def limits(settings):
    """limits(submit="5/m"): changes those of the installation."""

    def change(**rates):
        settings.RATE_LIMITS = settings.RATE_LIMITS | rates

    return change


@pytest.fixture(autouse=True)
def frozen(monkeypatch):
    """No window ends during a test."""
    import django_ratelimit.core

    monkeypatch.setattr(django_ratelimit.core, "time", SimpleNamespace(time=lambda: 1_700_000_000.0))


def remaining(response):
    return int(re.search(r"r=(\d+)", response["RateLimit"])[1])


@pytest.fixture
def own(shop):
    return submit(shop)["links"]["self"]


def test_every_answer_says_the_policy_and_what_is_left(shop):
    response = post(shop, PUBLISHED)

    assert response["RateLimit-Policy"] == '"submit";q=30000;w=60'
    assert re.fullmatch(r'"submit";r=29999;t=([1-9]|[1-5]\d|60)', response["RateLimit"])
    assert remaining(post(shop, PUBLISHED)) == 29998


@pytest.mark.parametrize(
    ("method", "policy"), [("GET", "read"), ("HEAD", "read"), ("DELETE", "manage"), ("OPTIONS", "manage")]
)
def test_reading_and_other_writing_have_their_own(shop, own, method, policy):
    assert shop.generic(method, own)["RateLimit-Policy"].startswith(f'"{policy}"')


def test_refused_requests_count_and_say_so_too(shop):
    for number, body in enumerate([b"{", b"{}", b'{"user_id": "nobody"}'], start=1):
        response = post(shop, body)
        assert response.status_code == 400
        assert remaining(response) == 30000 - number


def test_who_is_not_known_is_not_counted(shop, client):
    assert "RateLimit" not in post(client, PUBLISHED)
    assert "RateLimit" not in post(shop, PUBLISHED, headers={"Accept": "text/html"})
    assert remaining(post(shop, PUBLISHED)) == 29999


def test_beyond_the_limit_it_is_429_with_the_time_to_wait(shop, limits):
    limits(submit=Rate(2, 60))
    assert [post(shop, PUBLISHED).status_code for _ in range(2)] == [202, 200]

    response = post(shop, PUBLISHED)

    assert refusal(response) == (429, "rate_limited")
    assert response["RateLimit-Policy"] == '"submit";q=2;w=60'
    assert response["RateLimit"] == f'"submit";r=0;t={response["Retry-After"]}'
    assert 1 <= int(response["Retry-After"]) <= 60


def test_other_policies_go_on(shop, own, limits):
    limits(submit=Rate(1, 60))

    assert post(shop, PUBLISHED).status_code == 429
    assert shop.get(own).status_code == 200


def test_the_next_window_begins_anew(shop, limits, monkeypatch):
    limits(submit=Rate(1, 60))
    post(shop, PUBLISHED)
    assert post(shop, PUBLISHED).status_code == 429

    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: 1_700_000_061.0))
    assert remaining(post(shop, PUBLISHED)) == 0
    assert post(shop, PUBLISHED).status_code == 429


# --- who shares a count -----------------------------------------------------------------------------------------------


def test_keys_of_one_client_share_it_and_modes_and_clients_do_not(shop):
    post(shop, PUBLISHED)

    assert remaining(post(client_with_key(), PUBLISHED)) == 29998
    assert remaining(post(client_with_key(mode="test"), PUBLISHED)) == 29999
    assert remaining(post(client_with_key(client="other"), PUBLISHED)) == 29999


def test_a_key_can_have_a_limit_of_its_own(ann, welcome):
    narrow = client_with_key(limits={"submit": Rate(1, 60)})

    assert post(narrow, PUBLISHED)["RateLimit-Policy"] == '"submit";q=1;w=60'
    assert post(narrow, PUBLISHED).status_code == 429
    assert narrow.get(NOTIFICATIONS + "x")["Content-Type"]  # answered, under `read`


def test_the_highest_limit_among_the_keys_in_use_counts(shop):
    narrow = client_with_key(limits={"submit": Rate(1, 60)})
    ApiKey.objects.update(last_used_at=None)  # the shop's own key is not in use
    assert post(narrow, PUBLISHED)["RateLimit-Policy"] == '"submit";q=1;w=60'

    post(shop, PUBLISHED)
    for key in ApiKey.objects.all():
        note_use(key)
    fresh = client_with_key(limits={"submit": Rate(2, 60)})

    response = post(fresh, PUBLISHED)
    assert response["RateLimit-Policy"] == '"submit";q=30000;w=60'
    assert remaining(response) == 29997


# --- open pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/docs", "/api/schema", "/api/docs/errors/", "/api/docs/errors/not_found"])
def test_open_pages_count_per_address(path, limits):
    limits(open=Rate(1, 60))
    here, there = Client(REMOTE_ADDR="192.0.2.1"), Client(REMOTE_ADDR="192.0.2.2")

    assert here.get(path)["RateLimit"].startswith('"open";r=0;t=')
    refused = here.get(path)
    assert refusal(refused) == (429, "rate_limited")
    assert refused["Retry-After"]
    assert there.get(path).status_code == 200


def test_people_get_a_page(limits):
    limits(open=Rate(1, 60))
    client = Client(headers={"Accept": "text/html"})
    client.get("/api/docs/errors/")

    response = client.get("/api/docs/errors/")
    assert response.status_code == 429
    assert response["Content-Type"].startswith("text/html")


def test_one_ipv6_network_is_one_address(limits):
    limits(open=Rate(1, 60))
    Client(REMOTE_ADDR="2001:db8::1").get("/api/docs/errors/")

    assert Client(REMOTE_ADDR="2001:db8::2").get("/api/docs/errors/").status_code == 429
    assert Client(REMOTE_ADDR="2001:db8:0:1::2").get("/api/docs/errors/").status_code == 200


def test_somebody_without_an_address_is_counted_too():
    assert Client(REMOTE_ADDR="").get("/api/docs/errors/").status_code == 200


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz"])
def test_health_is_not_limited(client, path):
    assert "RateLimit" not in client.get(path)


def test_a_window_that_ends_now_still_makes_wait():
    usage = Usage("submit", Rate(1, 60), count=2, seconds_left=0)

    assert usage.is_too_much
    assert usage.headers["RateLimit"] == '"submit";r=0;t=1'
