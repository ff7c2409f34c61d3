"""Keys are listed, rotated and revoked from the command line."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from users.api_keys import create_api_key, note_use, usable_key
from users.audit_models import AuditEntry
from users.models import ApiKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return create_api_key(name="shop, Vienna", client="shop", scopes=["users:read"])


def run(*args):
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_the_list_says_whose_they_are_and_when_they_were_used(shop):
    create_api_key(name="other", client="other", scopes=["users:read"])
    note_use(shop[0], address="192.0.2.7")

    text = run("list_api_keys", "--client", "shop")
    assert str(shop[0].pk) in text
    assert shop[1] not in text
    assert "192.0.2.7" in text
    assert "other" not in text
    [row] = json.loads(run("list_api_keys", "--client", "shop", "--json"))
    assert (row["state"], row["scopes"], row["prefix"]) == ("usable", ["users:read"], shop[1][:13])


def test_ended_ones_are_listed_when_asked_for(shop):
    run("revoke_api_key", str(shop[0].pk), "--yes")

    assert "create_api_key" in run("list_api_keys")
    assert "revoked" in run("list_api_keys", "--all")


def test_a_new_key_takes_the_place_of_one_and_both_work_for_a_while(shop):
    made = json.loads(run("rotate_api_key", str(shop[0].pk), "--overlap", "2h", "--json"))

    assert made["scopes"] == ["users:read"]
    assert usable_key(made["key"]).client == "shop"
    assert usable_key(shop[1]) == shop[0]
    old = ApiKey.objects.get(pk=shop[0].pk)
    assert abs((old.expires_at - ApiKey.objects.get(pk=made["id"]).created_at).total_seconds() - 7200) < 60
    assert "24" in run("rotate_api_key", made["id"]) or "day" in run("rotate_api_key", made["id"])


def test_a_key_that_ends_sooner_still_does(shop):
    from datetime import timedelta

    soon, _ = create_api_key(name="soon", client="shop", scopes=["users:read"], valid_for=timedelta(minutes=5))
    run("rotate_api_key", str(soon.pk))

    assert ApiKey.objects.get(pk=soon.pk).expires_at == soon.expires_at


def test_revoking_asks_nobody_only_when_told_so(shop):
    with pytest.raises(CommandError, match="--yes"):
        run("revoke_api_key", str(shop[0].pk))
    assert usable_key(shop[1])

    assert "is revoked" in run("revoke_api_key", str(shop[0].pk), "--yes")
    assert "was revoked before" in run("revoke_api_key", str(shop[0].pk))
    assert usable_key(shop[1]) is None
    assert AuditEntry.objects.get(what="api_key.revoked").who == "manage.py revoke_api_key"


@pytest.mark.parametrize("command", ["rotate_api_key", "revoke_api_key"])
def test_unknown_keys_are_said_to_be(command):
    with pytest.raises(CommandError, match="list_api_keys"):
        run(command, "019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44")
    with pytest.raises(CommandError, match="no id"):
        run(command, "shop")


def test_an_ended_key_is_not_rotated(shop):
    run("revoke_api_key", str(shop[0].pk), "--yes")

    with pytest.raises(CommandError, match="revoked"):
        run("rotate_api_key", str(shop[0].pk))


def test_no_key_has_the_client_of_a_person():
    with pytest.raises(CommandError, match="person:"):
        run("create_api_key", "x", "--client", "person:019a2b7e")
