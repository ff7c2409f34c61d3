"""An API key shown as a bearer token makes a caller."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import RequestFactory
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from users.api_keys import create_api_key
from users.authentication import ApiKeyAuthentication, Caller
from users.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def plain():
    return create_api_key(name="shop, Vienna", client="shop", scopes=["notifications:write"])[1]


def authenticate(header=None):
    headers = {} if header is None else {"Authorization": header}
    return ApiKeyAuthentication().authenticate(Request(RequestFactory().get("/", headers=headers)))


def test_a_key_names_client_mode_and_scopes(plain):
    caller, key = authenticate(f"Bearer {plain}")

    assert caller == Caller(
        client="shop",
        mode="live",
        scopes=frozenset({"notifications:write", "notifications:manage", "notifications:read"}),
        name="shop, Vienna",
    )
    assert key == ApiKey.objects.get()


def test_a_test_key_makes_a_caller_in_test_mode():
    _, plain = create_api_key(name="t", client="shop", scopes=["users:read"], mode=ApiKey.Mode.TEST)

    assert authenticate(f"Bearer {plain}")[0].mode == "test"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(plain, scheme):
    assert authenticate(f"{scheme} {plain}") is not None


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz", "Bearer a b", "Token abc"])
def test_what_is_no_bearer_token_is_no_credential(header):
    assert authenticate(header) is None


def test_a_key_without_its_scheme_is_no_credential(plain):
    assert authenticate(plain) is None


def refused(header):
    with pytest.raises(AuthenticationFailed) as caught:
        authenticate(header)
    return caught.value.get_codes()


@pytest.mark.parametrize("token", ["ntf_live_nothing", "abc", "Ã¼", "\x7f"])
def test_an_unknown_key_is_refused(token):
    assert refused(f"Bearer {token}") == "invalid_api_key"


def test_unknown_revoked_and_expired_keys_are_refused_alike(plain):
    _, expired = create_api_key(name="old", client="shop", scopes=[], valid_for=timedelta(seconds=-1))
    ApiKey.objects.filter(name="shop, Vienna").update(revoked_at=Now())

    assert {refused(f"Bearer {each}") for each in (plain, expired, "ntf_live_unknown")} == {"invalid_api_key"}


def test_a_use_is_written_down(plain):
    authenticate(f"Bearer {plain}")

    assert ApiKey.objects.get().last_used_at is not None


def test_the_next_use_within_a_second_asks_the_database_nothing(plain, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr("users.lately.time.monotonic", lambda: 1000.2)
    authenticate(f"Bearer {plain}")

    with django_assert_num_queries(0):
        authenticate(f"Bearer {plain}")


def test_the_next_use_within_a_minute_writes_nothing(plain, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr("users.lately.time.monotonic", lambda: 1000.2)
    authenticate(f"Bearer {plain}")

    monkeypatch.setattr("users.lately.time.monotonic", lambda: 1001.2)
    with django_assert_num_queries(1):
        authenticate(f"Bearer {plain}")


def test_a_revoked_key_is_refused_within_a_second(plain, monkeypatch):
    monkeypatch.setattr("users.lately.time.monotonic", lambda: 1000.2)
    authenticate(f"Bearer {plain}")
    ApiKey.objects.update(revoked_at=Now())

    monkeypatch.setattr("users.lately.time.monotonic", lambda: 1001.2)
    assert refused(f"Bearer {plain}") == "invalid_api_key"


def test_a_401_says_how_to_authenticate():
    assert ApiKeyAuthentication().authenticate_header(Request(RequestFactory().get("/"))) == "Bearer"


def test_a_caller_may_what_its_scopes_say():
    caller = Caller(client="shop", mode="live", scopes=frozenset({"users:read"}))

    assert caller.may("users:read")
    assert not caller.may("users:write")
    assert caller.is_authenticated
