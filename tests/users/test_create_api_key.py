import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from users.api_keys import SCOPES, usable_key
from users.models import ApiKey

pytestmark = pytest.mark.django_db


def create(capsys, *arguments):
    call_command("create_api_key", *arguments)
    return capsys.readouterr().out


def refusal(*arguments):
    with pytest.raises(CommandError) as caught:
        call_command("create_api_key", *arguments)
    assert not ApiKey.objects.exists()
    return caught.value


def test_json_is_the_key_and_nothing_else(capsys):
    shown = json.loads(create(capsys, "shop", "--scopes", "users:write,notifications:write", "--json"))

    key = ApiKey.objects.get()
    assert shown == {
        "id": str(key.pk),
        "name": "shop",
        "type": "live",
        "key": shown["key"],
        "scopes": ["notifications:write", "users:write"],
    }
    assert usable_key(shown["key"]) == key


def test_a_person_sees_the_key_whose_it_is_and_what_it_may(capsys):
    shown = create(capsys, "shop", "--client", "Corner shop")

    assert usable_key(shown.splitlines()[0]) == ApiKey.objects.get()
    assert "client “Corner shop”" in shown
    assert "It may: notifications:write." in shown


def test_without_client_the_name_is_the_client(capsys):
    create(capsys, "shop")

    assert ApiKey.objects.get().client == "shop"


def test_all_means_every_scope(capsys):
    shown = json.loads(create(capsys, "shop", "--scopes", "all", "--json"))

    assert set(shown["scopes"]) == set(SCOPES)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("90d", timedelta(days=90)),
    ],
)
def test_a_key_expires_when_asked_to(capsys, given, expected):
    create(capsys, "shop", "--expires-in", given)

    lifetime = ApiKey.objects.get().expires_at - timezone.now()
    assert expected - timedelta(seconds=30) < lifetime <= expected + timedelta(seconds=1)


@pytest.mark.parametrize("given", ["90", "d", "-1d", "0d", "1.5h", "90 d", "1w", "١d"])
def test_a_wrong_duration_is_a_usage_error(given):
    assert "is no duration" in str(refusal("shop", f"--expires-in={given}"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--type", "sandbox"], "'sandbox' is no type of key; there are live and test."),
        (["--scopes", "notifications:write,shop:sell"], "shop:sell is no scope; there are notifications:write"),
        (["--scopes", ""], "--scopes names no scope"),
        (["--scopes", " , "], "--scopes names no scope"),
        (["--client", "a\nb"], "printable"),
        (["--client", "x" * 201], "1 to 200"),
    ],
)
def test_what_cannot_be_made_is_said_and_exits_with_2(arguments, says):
    refused = refusal("shop", *arguments)

    assert says in str(refused)
    assert refused.returncode == 2


def test_a_key_may_be_one_for_tests(capsys):
    call_command("create_api_key", "shop", "--type", "test", "--json")

    assert json.loads(capsys.readouterr().out)["key"].startswith("ntf_test_")
    assert ApiKey.objects.get().mode == ApiKey.Mode.TEST


def test_limits_of_its_own(capsys):
    create(capsys, "shop", "--limit", "submit=5/m,read=100/s")

    assert ApiKey.objects.get().limits == {"submit": "5/m", "read": "100/s"}


@pytest.mark.parametrize("limit", ["fly=5/m", "submit=5", "submit=0/m", "submit"])
def test_a_wrong_limit_is_refused_with_what_was_read(limit):
    error = refusal("shop", "--limit", limit)

    assert error.returncode == 2
    assert repr(limit.partition("=")[2] or limit) in str(error) or repr(limit) in str(error)
