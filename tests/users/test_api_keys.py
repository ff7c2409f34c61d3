"""Keys of clients: shown once, kept as a hash, bound to a client, a mode and scopes."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from users import lately
from users.api_keys import (
    SCOPES,
    UnknownScope,
    create_api_key,
    granted,
    key_hash,
    limits_lately,
    note_use,
    revoke_api_key,
    usable_key,
    usable_key_lately,
)
from users.models import ApiKey
from users.rates import Rate

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def make(**changes):
    return create_api_key(**{"name": "shop", "client": "shop", "scopes": ["notifications:write"]} | changes)


@pytest.mark.parametrize("mode", ["live", "test"])
def test_a_key_says_its_mode_and_has_43_random_characters(mode):
    key, plain = make(mode=ApiKey.Mode(mode))

    assert re.fullmatch(rf"ntf_{mode}_[A-Za-z0-9_-]{{43}}", plain)
    assert key.mode == mode


def test_two_keys_are_never_alike():
    assert make()[1] != make()[1]


def test_the_key_itself_is_not_stored():
    _, plain = make()

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM users_apikey")
        stored = str(cursor.fetchall())
    assert plain not in stored
    assert plain[14:] not in stored
    assert key_hash(plain) in stored


def test_people_recognise_a_key_by_its_beginning():
    key, plain = make()

    assert plain.startswith(key.prefix)
    assert len(key.prefix) == len("ntf_live_AbCd")
    assert str(key) == f"shop ({key.prefix}…)"


def test_scopes_are_kept_once_and_in_order():
    key, _ = make(scopes=["users:write", "notifications:write", "users:write"])

    assert key.scopes == ["notifications:write", "users:write"]


def test_a_scope_that_does_not_exist_is_refused_by_name():
    with pytest.raises(UnknownScope, match="notifications:delete"):
        make(scopes=["notifications:write", "notifications:delete"])
    assert not ApiKey.objects.exists()


# --- which key may still be used --------------------------------------------------------------------------------------


def test_a_fresh_key_is_usable():
    key, plain = make()

    assert usable_key(plain) == key


@pytest.mark.parametrize("wrong", ["", "ntf_live_", "ntf_live_" + "A" * 43, "\x00", "Ünïcode", "x" * 10_000])
def test_any_other_text_is_no_key(wrong):
    make()

    assert usable_key(wrong) is None


def test_a_key_is_read_to_its_last_character():
    _, plain = make()

    assert usable_key(plain[:-1]) is None
    assert usable_key(plain + "A") is None
    assert usable_key(plain.swapcase()) is None


def test_a_revoked_key_is_not_usable():
    key, plain = make()
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=Now())

    assert usable_key(plain) is None


def test_a_key_can_end_by_itself():
    _, plain = make(valid_for=HOUR)
    _, old = make(valid_for=-HOUR)

    assert usable_key(plain) is not None
    assert usable_key(old) is None


def test_whoever_makes_a_key_learns_when_it_ends():
    key, _ = make(valid_for=HOUR)

    assert key.expires_at - key.created_at == pytest.approx(HOUR, abs=timedelta(seconds=5))
    assert make()[0].expires_at is None


# --- scopes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "includes"),
    [
        ("notifications:write", {"notifications:manage", "notifications:read"}),
        ("notifications:manage", {"notifications:read"}),
        ("notifications:content", {"notifications:read"}),
        ("notifications:read", set()),
        ("users:write", {"users:read"}),
        ("templates:write", {"templates:read"}),
        ("templates:publish", {"templates:write", "templates:read"}),
        ("callbacks:write", {"callbacks:read"}),
        ("services:read", set()),
        ("metrics:read", set()),
    ],
)
def test_a_scope_includes_what_the_contract_says(scope, includes):
    assert granted([scope]) == {scope} | includes


def test_what_is_included_includes_no_more():
    """One look into the table is enough."""
    assert all(granted(granted([scope])) == granted([scope]) for scope in SCOPES)


def test_writing_notifications_does_not_show_their_content():
    assert "notifications:content" not in granted(["notifications:write"])


def test_a_scope_we_no_longer_know_includes_nothing():
    assert granted(["pigeons:fly"]) == {"pigeons:fly"}
    assert granted([]) == frozenset()


# --- when it was last used --------------------------------------------------------------------------------------------


def test_a_use_is_noted():
    key, _ = make()
    assert key.last_used_at is None

    note_use(key)

    key.refresh_from_db()
    assert key.last_used_at is not None


def test_a_use_is_noted_once_a_minute():
    key, _ = make()
    recent, stale = Now() - timedelta(seconds=30), Now() - timedelta(seconds=90)
    for moment, is_noted in [(recent, False), (stale, True)]:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=moment)
        before = ApiKey.objects.get(pk=key.pk).last_used_at
        note_use(key)
        assert (ApiKey.objects.get(pk=key.pk).last_used_at > before) is is_noted


# --- limits of their own ----------------------------------------------------------------------------------------------


def test_a_key_without_limits_of_its_own_has_those_of_the_installation():
    assert limits_lately(make()[0]) == {}


def test_limits_are_kept_as_people_write_them():
    key, _ = make(limits={"submit": Rate(5, 60)})

    assert ApiKey.objects.get().limits == {"submit": "5/m"}
    assert limits_lately(key) == {"submit": Rate(5, 60)}


def test_of_the_keys_in_use_the_highest_limit_counts():
    low, _ = make(limits={"submit": Rate(5, 60), "read": Rate(1, 1)})
    high, _ = make(limits={"submit": Rate(7, 60), "read": Rate(59, 60)})
    assert limits_lately(low)["submit"] == Rate(5, 60)  # the other is not in use

    note_use(high)
    lately.forget()

    assert limits_lately(low) == {"submit": Rate(7, 60), "read": Rate(1, 1)}


def test_a_key_without_a_limit_lends_that_of_the_installation():
    low, _ = make(limits={"submit": Rate(5, 60)})
    note_use(make()[0])
    lately.forget()

    assert limits_lately(low) == {"submit": Rate(30_000, 60)}


def test_revoked_keys_and_other_clients_lend_nothing():
    low, _ = make(limits={"submit": Rate(5, 60)})
    revoked, _ = make()
    other, _ = make(client="other")
    test, _ = make(mode=ApiKey.Mode.TEST)
    for key in (revoked, other, test):
        note_use(key)
    revoke_api_key(revoked.pk)

    assert limits_lately(low) == {"submit": Rate(5, 60)}


def test_a_key_revoked_by_this_process_is_refused_at_once():
    key, plain = make()
    assert usable_key_lately(plain) == key

    assert revoke_api_key(key.pk)
    assert usable_key_lately(plain) is None
    assert not revoke_api_key(key.pk)
