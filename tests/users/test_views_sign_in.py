"""Register, sign in, refresh, sign out, change the password: by HTTP."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.sign_in_scene import EMAIL, PASSWORD, caller, person_with_password, post
from users.api_keys import create_api_key
from users.models import SignIn, User
from users.rates import Rate

pytestmark = pytest.mark.django_db
REGISTRATION = {"email": "new@Example.com", "password": PASSWORD, "name": "Ann", "timezone": "Europe/Vienna"}


@pytest.fixture
def ann():
    return person_with_password()


def login(client, email=EMAIL, password=PASSWORD):
    return post(client, "auth/login/", {"email": email, "password": password})


@pytest.fixture
def signed_in(client, ann):
    return login(client).json()


def bearer(answer):
    return Client(headers={"Authorization": f"Bearer {answer['access']}"})


def refresh(answer):
    return post(Client(), "auth/refresh/", {"refresh": answer["refresh"]})


def logout(answer, other=None):
    return post(bearer(answer), "auth/logout/", {"refresh": (other or answer)["refresh"]})


def change_password(client, current=PASSWORD, new="another horse battery"):
    return post(client, "auth/password/", {"current_password": current, "new_password": new})


def code(response):
    return response.status_code, response.json()["code"]


def still_counts(answer):
    """Whether an access token is taken: the list of services needs a scope nobody here has."""
    return code(bearer(answer).get("/api/v1/services/")) == (403, "insufficient_scope")


# --- register ---------------------------------------------------------------------------------------------------------


def test_whoever_registers_is_signed_in(client, settings):
    settings.SELF_REGISTRATION = True
    response = post(client, "auth/register/", REGISTRATION)

    answer = response.json()
    assert response.status_code == 201
    assert response["Location"] == answer["user"]["links"]["self"]
    assert answer["user"] | {"id": 0, "created_at": 0, "updated_at": 0, "links": 0} == {
        "id": 0,
        "external_id": None,
        "name": "Ann",
        "email": "new@example.com",
        "email_suppressed": None,
        "locale": "en",
        "timezone": "Europe/Vienna",
        "is_active": True,
        "roles": [],
        "device_count": 0,
        "created_at": 0,
        "updated_at": 0,
        "links": 0,
    }
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    assert still_counts(answer)
    assert login(client, "NEW@example.com").status_code == 200


def test_where_registration_is_closed_nobody_registers(client, settings):
    settings.SELF_REGISTRATION = False

    assert code(post(client, "auth/register/", {})) == (403, "registration_closed")


def test_a_password_that_is_easy_to_guess_is_named_beside_the_rest(client, settings):
    settings.SELF_REGISTRATION = True
    response = post(client, "auth/register/", REGISTRATION | {"password": "password1234", "email": "ann"})

    assert {each["pointer"] for each in response.json()["errors"]} == {"/password", "/email"}


def test_an_address_is_registered_once_however_it_is_written(client, settings, ann):
    settings.SELF_REGISTRATION = True
    response = post(client, "auth/register/", REGISTRATION | {"email": "ANN@example.com"})

    assert code(response) == (409, "conflict")
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/email", "not_unique")
    assert "existing_id" not in error
    assert "existing_id" not in response.json()


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("password", "short", "too_short"),
        ("password", "x" * 129, "too_long"),
        ("password", "password1234", "invalid"),
        ("password", "new@example.com", "invalid"),
        ("password", None, "null"),
        ("email", "new@localhost", "invalid"),
        ("email", "Ann <new@example.com>", "invalid"),
        ("email", "a%b@example.com", "invalid"),
        ("email", "a!b@example.com", "invalid"),
        ("email", "a@[127.0.0.1]", "invalid"),
        ("email", "a\n@example.com", "invalid"),
        ("email", f"{'a' * 250}@example.com", "too_long"),
        ("locale", "deutsch!", "invalid"),
        ("timezone", "Mars/Olympus", "invalid"),
        ("is_staff", True, "unknown_field"),
    ],
)
def test_bad_data_is_named(client, settings, field, value, found):
    settings.SELF_REGISTRATION = True
    response = post(client, "auth/register/", REGISTRATION | {field: value})

    assert code(response) == (400, "validation_error")
    assert [(each["pointer"], each["code"]) for each in response.json()["errors"]] == [(f"/{field}", found)]
    assert not User.objects.exists()


# --- sign in ----------------------------------------------------------------------------------------------------------


def test_unknown_wrong_inactive_and_without_password_are_answered_alike(client, ann):
    person_with_password(email="off@example.com", is_active=False)
    User.objects.create_user(email="never@example.com")

    answers = [
        login(client, "nobody@example.com"),
        login(client, password="wrong horse battery"),
        login(client, "off@example.com"),
        login(client, "never@example.com"),
    ]

    assert {code(each) for each in answers} == {(401, "invalid_credentials")}
    assert len({each.json()["detail"] for each in answers}) == 1
    assert answers[0]["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("email", ["nobody@example.com", EMAIL])
def test_known_and_unknown_cost_one_look_at_a_password(client, ann, email, monkeypatch):
    from django.contrib.auth.hashers import MD5PasswordHasher

    worked = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *all: worked.append(1) or encode(*all))

    login(client, email, "wrong horse battery")

    assert len(worked) == 1


def test_signing_in_clears_what_is_left_of_old_sign_ins(client, ann):
    with time_machine.travel("2026-01-01T00:00:00Z"):
        login(client)
    SignIn.objects.update(expires_at="2026-01-15T00:00:00Z")
    login(client)

    assert SignIn.objects.count() == 1


def test_tries_at_one_account_are_counted_wherever_they_come_from(settings, ann):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login_account": Rate(2, 3600)}
    clients = [Client(REMOTE_ADDR=f"192.0.2.{number}") for number in range(4)]

    statuses = [login(client, "Ann@example.com", "wrong horse battery").status_code for client in clients[:3]]
    refused = login(clients[3])

    assert statuses == [401, 401, 429]
    assert code(refused) == (429, "rate_limited")
    assert refused["RateLimit-Policy"] == '"login_account";q=2;w=3600'
    assert int(refused["Retry-After"]) > 0
    assert login(clients[3], "other@example.com").status_code == 401


def test_unknown_accounts_are_counted_too(settings, client):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login_account": Rate(1, 3600)}

    assert [login(client, "nobody@example.com").status_code for _ in range(2)] == [401, 429]


def test_an_address_that_tries_many_accounts_is_stopped(settings, client):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login": Rate(2, 3600)}

    assert [login(client, f"{number}@example.com").status_code for number in range(3)] == [401, 401, 429]


def test_whoever_hammers_an_account_does_not_reach_the_owner_who_is_signed_in(settings, signed_in):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login_account": Rate(2, 3600)}
    for number in range(4):
        login(Client(REMOTE_ADDR=f"192.0.2.{number}"), password="wrong horse battery")

    assert still_counts(signed_in)
    assert refresh(signed_in).status_code == 200
    assert change_password(bearer(signed_in)).status_code in (204, 401)


# --- refresh ----------------------------------------------------------------------------------------------------------


def test_a_refresh_token_is_good_once_and_both_tokens_are_new(signed_in):
    newer = refresh(signed_in).json()

    assert set(newer) == {"access", "refresh", "token_type", "expires_in"}
    assert newer["refresh"] != signed_in["refresh"]
    assert still_counts(newer)
    assert still_counts(signed_in)


def test_a_token_used_twice_ends_everything_that_descends_from_the_sign_in(client, signed_in):
    other = login(client).json()
    newer = refresh(signed_in).json()

    assert code(refresh(signed_in)) == (401, "token_reused")
    assert code(refresh(newer)) == (401, "invalid_token")
    assert code(refresh(signed_in)) == (401, "token_reused")
    assert not still_counts(newer)
    assert not still_counts(signed_in)
    assert still_counts(other)
    assert refresh(other).status_code == 200


def test_an_access_token_does_not_refresh(signed_in):
    assert code(refresh(signed_in | {"refresh": signed_in["access"]})) == (401, "invalid_token")


def test_a_refresh_token_does_not_call(signed_in):
    assert code(bearer(signed_in | {"access": signed_in["refresh"]}).get("/api/v1/services/")) == (401, "invalid_token")


def test_tokens_get_old(client, ann):
    with time_machine.travel("2026-11-01T10:00:00Z", tick=False):
        signed_in = login(client).json()
    with time_machine.travel("2026-11-01T10:11:00Z", tick=False):
        assert code(bearer(signed_in).get("/api/v1/services/")) == (401, "token_expired")
        assert refresh(signed_in).status_code == 200
    with time_machine.travel("2026-11-16T10:00:00Z", tick=False):
        assert code(refresh(signed_in)) == (401, "token_expired")


# --- sign out ---------------------------------------------------------------------------------------------------------


def test_signing_out_ends_all_tokens_of_that_sign_in_and_no_other(client, signed_in):
    other = login(client).json()

    assert logout(signed_in).status_code == 204
    assert not still_counts(signed_in)
    assert code(refresh(signed_in)) == (401, "invalid_token")
    assert still_counts(other)


def test_it_can_be_repeated(signed_in):
    assert [logout(signed_in).status_code for _ in range(2)] == [204, 204]


def test_nobody_signs_somebody_else_out(client, signed_in):
    person_with_password(email="bob@example.com")
    bob = login(client, "bob@example.com").json()

    assert code(logout(bob, signed_in)) == (401, "invalid_token")
    assert still_counts(signed_in)


@pytest.mark.parametrize("path", ["auth/logout/", "auth/password/"])
def test_a_key_of_a_client_is_no_person(path):
    _, plain = create_api_key(name="shop", client="shop", scopes=["users:write"])

    response = post(Client(headers={"Authorization": f"Bearer {plain}"}), path, {})
    assert code(response) == (403, "insufficient_scope")


# --- the password -----------------------------------------------------------------------------------------------------


def test_another_password_ends_every_token_at_once(client, signed_in):
    other = login(client).json()

    assert change_password(bearer(signed_in)).status_code == 204
    for answer in (signed_in, other):
        assert code(bearer(answer).get("/api/v1/services/")) == (401, "invalid_token")
        assert code(refresh(answer)) == (401, "invalid_token")
    assert login(client).status_code == 401
    assert login(client, password="another horse battery").status_code == 200


def test_it_needs_the_present_one(signed_in):
    assert code(change_password(bearer(signed_in), current="wrong horse battery")) == (401, "invalid_credentials")
    assert still_counts(signed_in)


def test_and_the_new_one_must_not_be_easy_to_guess(signed_in):
    response = change_password(bearer(signed_in), new="password1234")

    assert code(response) == (400, "validation_error")
    assert response.json()["errors"][0]["pointer"] == "/new_password"


def test_tries_at_it_are_counted(settings, signed_in):
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"login_account": Rate(1, 3600)}
    tries = [change_password(bearer(signed_in), current="wrong horse battery").status_code for _ in range(2)]

    assert tries == [401, 429]


def test_a_password_set_by_staff_ends_every_token_too(ann, signed_in):
    ann = User.objects.get(pk=ann.pk)
    ann.set_password("set by staff, long")
    ann.save(update_fields=["password"])

    assert not still_counts(signed_in)


def test_a_better_hash_of_the_same_password_ends_none(settings, ann, client, signed_in):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]

    newer = login(client).json()
    assert User.objects.get(pk=ann.pk).password.startswith("scrypt")
    assert still_counts(signed_in)
    assert still_counts(newer)


def test_somebody_switched_off_is_out_at_once_and_stays_out_with_old_tokens(ann, signed_in):
    person = User.objects.get(pk=ann.pk)
    person.is_active = False
    person.save()
    assert not still_counts(signed_in)
    assert code(refresh(signed_in)) == (401, "invalid_token")

    person.is_active = True
    person.save()
    assert not still_counts(signed_in)


def test_a_request_of_a_person_asks_for_them_and_their_roles_and_no_more(ann):
    client = caller(ann)

    with CaptureQueriesContext(connection) as asked:
        client.get("/api/v1/services/")

    about_people = [each["sql"] for each in asked.captured_queries if "rate" not in each["sql"]]
    assert len([sql for sql in about_people if sql.startswith("SELECT")]) <= 2


@pytest.mark.django_db(transaction=True)
def test_of_two_refreshes_at_the_same_moment_one_gets_through(ann):
    signed_in = login(Client()).json()

    def once(_):
        try:
            return refresh(signed_in).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(once, range(4))) == [200, 401, 401, 401]
