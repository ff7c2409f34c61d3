"""Switches, their history and quiet hours by HTTP: the client with the scope, the person, the stranger."""

import pytest
from django.test import Client

from tests.factories import UserFactory
from tests.sign_in_scene import caller, give_roles, person_with_password
from users.api_keys import create_api_key
from users.models import Category, QuietHours

pytestmark = pytest.mark.django_db

ON = {"email": True, "push": True}


def key(*scopes):
    _, plain = create_api_key(name="Shop front", client="shop", scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {plain}"})


@pytest.fixture
def shop():
    return key("users:write")


@pytest.fixture
def ann():
    return person_with_password(external_id="user-123", timezone="Europe/Vienna")


def url(path, user="user-123"):
    return f"/api/v1/users/{user}/{path}/"


def send(client, method, path, body=None, user="user-123", **headers):
    return getattr(client, method)(url(path, user), body or {}, content_type="application/json", headers=headers)


def findings(response):
    assert response.status_code == 400, response.json()
    return {(each["pointer"], each["code"]) for each in response.json()["errors"]}


# --- switches ---------------------------------------------------------------------------------------------------------


def test_somebody_new_wants_everything(shop, ann):
    response = shop.get(url("preferences"))

    answer = response.json()
    assert response.status_code == 200
    assert response["ETag"]
    assert answer["channels"] == ON
    assert answer["categories"] == {}
    assert answer["effective"]["security"] == ON | {"locked": True}
    assert answer["effective"]["marketing"] == ON | {"locked": False}
    assert answer["updated_at"].endswith("Z")


def test_patch_merges_and_put_replaces(shop, ann):
    send(shop, "patch", "preferences", {"categories": {"marketing": {"email": False}}})
    merged = send(
        shop, "patch", "preferences", {"channels": {"push": False}, "categories": {"updates": {"email": True}}}
    )

    assert merged.json()["channels"] == {"email": True, "push": False}
    assert merged.json()["categories"] == {
        "marketing": {"email": False, "push": None},
        "updates": {"email": True, "push": None},
    }
    assert merged.json()["effective"]["marketing"] == {"email": False, "push": False, "locked": False}

    replaced = send(shop, "put", "preferences", {"categories": {"updates": {"push": False}}})

    assert replaced.json()["channels"] == ON
    assert replaced.json()["categories"] == {"updates": {"email": None, "push": False}}


def test_the_short_form_merges_even_with_put(shop, ann):
    send(shop, "patch", "preferences", {"categories": {"marketing": {"email": False}}})

    answer = send(shop, "put", "preferences", {"email": False}).json()

    assert answer["channels"] == {"email": False, "push": True}
    assert "marketing" in answer["categories"]


def test_null_in_a_category_follows_the_channel_again(shop, ann):
    send(shop, "patch", "preferences", {"categories": {"marketing": {"email": False}}})

    assert send(shop, "patch", "preferences", {"categories": {"marketing": {"email": None}}}).json()["categories"] == {}


def test_everything_that_is_wrong_is_named(shop, ann):
    body = {
        "channels": {"sms": True, "email": "yes"},
        "categories": {"gossip": {"email": False}, "updates": {"fax": True, "push": 1}, "marketing": False},
        "effective": {},
    }

    assert findings(send(shop, "patch", "preferences", body)) == {
        ("/channels/sms", "unknown_field"),
        ("/channels/email", "invalid"),
        ("/categories/gossip", "invalid_choice"),
        ("/categories/updates/fax", "unknown_field"),
        ("/categories/updates/push", "invalid"),
        ("/categories/marketing", "invalid"),
        ("/effective", "unknown_field"),
    }
    mixed = {"email": False, "channels": {"push": False}}
    assert findings(send(shop, "put", "preferences", mixed)) == {("/email", "invalid")}


def test_a_mandatory_category_is_locked(shop, ann):
    response = send(shop, "patch", "preferences", {"categories": {"security": {"email": False}}})

    assert (response.status_code, response.json()["code"]) == (422, "category_locked")


def test_a_stale_if_match_changes_nothing(shop, ann):
    read = shop.get(url("preferences"))["ETag"]
    first = send(shop, "patch", "preferences", {"email": False}, **{"If-Match": read})
    second = send(shop, "patch", "preferences", {"push": False}, **{"If-Match": read})

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    assert second["ETag"] == first["ETag"] != read
    assert shop.get(url("preferences")).json()["channels"] == {"email": False, "push": True}
    assert send(shop, "patch", "preferences", {"push": False}, **{"If-Match": "*"}).status_code == 200


def test_the_history_says_who_decided(shop, ann):
    staff = person_with_password(email="bea@example.com", name="Bea")
    give_roles(staff, "owner")
    send(shop, "patch", "preferences", {"email": False})
    send(caller(ann), "patch", "preferences", {"email": True}, user="me")
    send(caller(staff), "patch", "preferences", {"categories": {"marketing": {"push": False}}})

    page = shop.get(url("preferences/history") + "?page_size=2&count=true").json()

    assert [(each["by"], each["category"], each["from"], each["to"]) for each in page["results"]] == [
        ("staff", "marketing", None, False),
        ("self", None, False, True),
    ]
    assert page["count"] == 3
    assert [each["by"] for each in shop.get(page["next"]).json()["results"]] == ["client:shop"]


# --- who may ----------------------------------------------------------------------------------------------------------


def test_people_decide_for_themselves_alone(ann):
    UserFactory(external_id="stranger")
    mine = caller(ann)

    assert mine.get(url("preferences", "me")).status_code == 200
    assert mine.get(url("quiet-hours", "user-123")).status_code == 200
    assert mine.get(url("preferences", "stranger")).status_code == 404
    assert send(mine, "put", "quiet-hours", {"start": "1:00"}, user="stranger").status_code == 404


def test_keys_need_the_scope(ann):
    reader = key("users:read")

    assert reader.get(url("preferences")).status_code == 200
    refused = send(reader, "patch", "preferences", {"email": False})
    assert (refused.status_code, refused.json()["required_scope"]) == (403, "users:write")
    assert key("notifications:write").get(url("preferences/history")).status_code == 403
    assert reader.get(url("preferences", "me")).status_code == 404
    assert reader.get(url("preferences", "nobody")).status_code == 404
    assert Client().get(url("preferences")).status_code == 401


# --- quiet hours ------------------------------------------------------------------------------------------------------


def test_without_any_they_are_off(shop, ann):
    assert shop.get(url("quiet-hours")).json() == {
        "enabled": False,
        "start": None,
        "end": None,
        "timezone": "Europe/Vienna",
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "channels": ["email", "push"],
        "quiet_now": False,
        "quiet_until": None,
    }


def test_they_are_set_with_their_defaults_and_follow_the_person(shop, ann):
    answer = send(shop, "put", "quiet-hours", {"start": "22:00", "end": "07:00"}).json()

    assert (answer["enabled"], answer["start"], answer["end"]) == (True, "22:00", "07:00")
    assert (answer["timezone"], len(answer["days"]), answer["channels"]) == ("Europe/Vienna", 7, ["email", "push"])
    assert QuietHours.objects.get().timezone == ""


def test_is_it_quiet_now(shop, ann):
    answer = send(shop, "put", "quiet-hours", {"start": "00:00", "end": "23:59", "timezone": "UTC"}).json()

    assert answer["quiet_now"]
    assert answer["quiet_until"].endswith("T23:59:00.000Z")
    other = send(shop, "put", "quiet-hours", {"start": "00:00", "end": "23:59", "enabled": False}).json()
    assert (other["quiet_now"], other["quiet_until"]) == (False, None)


def test_days_and_channels_are_kept(shop, ann):
    body = {
        "start": "22:00",
        "end": "07:00",
        "days": ["sun", "fri", "sun"],
        "channels": ["push"],
        "timezone": "Asia/Tokyo",
    }

    answer = send(shop, "put", "quiet-hours", body).json()

    assert (answer["days"], answer["channels"], answer["timezone"]) == (["fri", "sun"], ["push"], "Asia/Tokyo")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {("/start", "required"), ("/end", "required")}),
        ({"start": "22:00", "end": "22:00"}, {("/end", "invalid")}),
        ({"start": "9:00", "end": "24:00"}, {("/start", "invalid"), ("/end", "invalid")}),
        ({"start": "22:00:00", "end": 7}, {("/start", "invalid"), ("/end", "invalid")}),
        ({"start": "22:00", "end": "07:00", "quiet_now": True}, {("/quiet_now", "unknown_field")}),
        ({"start": "22:00", "end": "07:00", "enabled": "yes"}, {("/enabled", "invalid")}),
        ({"start": "22:00", "end": "07:00", "timezone": "Mars/Base"}, {("/timezone", "invalid")}),
        ({"start": "22:00", "end": "07:00", "days": ["mo"]}, {("/days/0", "invalid_choice")}),
        ({"start": "22:00", "end": "07:00", "channels": []}, {("/channels", "too_short")}),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(shop, ann, body, expected):
    assert findings(send(shop, "put", "quiet-hours", body)) == expected


def test_deleting_them_is_repeatable(shop, ann):
    send(shop, "put", "quiet-hours", {"start": "22:00", "end": "07:00"})

    assert [send(shop, "delete", "quiet-hours").status_code for _ in range(2)] == [204, 204]
    assert not shop.get(url("quiet-hours")).json()["enabled"]


def test_a_new_category_shows_up_in_effect(shop, ann):
    Category.objects.create(code="news", name="News")

    assert shop.get(url("preferences")).json()["effective"]["news"] == ON | {"locked": False}


def test_a_silence_without_a_length_is_told_beside_everything_else(shop, ann):
    asked = {"start": "22:00", "end": "22:00", "timezone": "Vienna", "days": ["friday"], "colour": "red"}
    response = send(shop, "put", "quiet-hours", asked)

    assert findings(response) == {
        *(("/end", "invalid"), ("/timezone", "invalid")),
        *(("/days/0", "invalid_choice"), ("/colour", "unknown_field")),
    }
