"""Keys of clients: shown once, kept as a hash, bound to a client, a mode and scopes."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now

from users.api_keys import SCOPES, UnknownScope, create_api_key, granted, key_hash, note_use, usable_key
from users.models import ApiKey

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
