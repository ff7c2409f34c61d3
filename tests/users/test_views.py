"""People by HTTP: for clients with the scope, and for people about themselves."""

import uuid
from types import SimpleNamespace

import pytest
from django.test import Client

from tests.factories import DeviceFactory, UserFactory
from tests.sign_in_scene import caller, give_roles, person_with_password
from users.api_keys import create_api_key
from users.models import Device, Preference, User

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users/"


def key(*scopes):
    _, plain = create_api_key(name="shop", client="shop", scopes=scopes)
    return Client(headers={"Authorization": f"Bearer {plain}"})


@pytest.fixture
def shop():
    return key("users:write")


@pytest.fixture
def ann():
    return person_with_password(external_id="user-123")


def send(client, method, path, body):
    return client.generic(method, USERS + path, body, content_type="application/json")


def write(client, method, path="", **body):
    return getattr(client, method)(USERS + path, body, content_type="application/json")


def findings(response):
    return [(each["pointer"], each["code"]) for each in response.json()["errors"]]


@pytest.mark.parametrize("address", ["jörg@example.com", "用户@例え.jp", "ann@bücher.example"])
def test_addresses_with_letters_beyond_ascii_are_taken(shop, address):
    response = write(shop, "post", email=address)
    assert (response.status_code, response.json()["email"]) == (201, address)
    assert shop.get(USERS, {"email": address}).json()["results"][0]["email"] == address


@pytest.mark.parametrize(
    "address", ["j\u202eg@example.com", "j\u00a0g@example.com", "j\u200bg@example.com", "ö ö@b.de"]
)
def test_signs_that_nobody_sees_are_no_part_of_an_address(shop, address):
    response = write(shop, "post", email=address)
    assert findings(response) == [("/email", "invalid")]


# --- create -----------------------------------------------------------------------------------------------------------


def test_a_client_makes_somebody_known(shop):
    response = write(
        shop,
        "post",
        external_id="user-123",
        name="Ann",
        email="Ann@Example.COM",
        locale="de-at",
        timezone="Europe/Vienna",
        push_token="fcm-registration-token",
        preferences={"email": True, "push": False},
    )

    answer = response.json()
    assert response.status_code == 201
    assert response["Location"] == answer["links"]["self"] == "/api/v1/users/user-123/"
    assert (answer["email"], answer["locale"], answer["device_count"]) == ("Ann@example.com", "de-AT", 1)
    assert shop.get(answer["links"]["self"]).json() == answer
    assert Device.objects.get().token == "fcm-registration-token"
    assert list(Preference.objects.values_list("channel", "is_enabled")) == [("push", False)]


def test_an_id_or_an_address_is_enough_and_the_rest_has_defaults(shop):
    answer = write(shop, "post", email="ann@example.com").json()

    assert (answer["external_id"], answer["name"], answer["locale"], answer["timezone"]) == (None, "", "en", "UTC")
    assert answer["links"]["self"] == f"/api/v1/users/{answer['id']}/"
    assert findings(write(shop, "post", name="Ann")) == [("/external_id", "required")]


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("external_id", "me", "/external_id"),
        ("external_id", "-x", "/external_id"),
        ("external_id", 7, "/external_id"),
        ("email", "ann", "/email"),
        ("password", "password1234", "/password"),
        ("push_token", "a b c d e f", "/push_token"),
        ("preferences", {"sms": True}, "/preferences/sms"),
        ("preferences", {"email": "yes"}, "/preferences/email"),
        ("roles", ["owner"], "/roles"),
        ("is_superuser", True, "/is_superuser"),
    ],
)
def test_bad_fields_are_named(shop, field, value, found):
    response = write(shop, "post", **({"external_id": "user-1"} | {field: value}))

    assert response.status_code == 400
    assert [pointer for pointer, _ in findings(response)] == [found]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"password": "password1234", "locale": "?"}, {"/external_id", "/password", "/locale"}),
        ({"email": "ann", "password": "password1234"}, {"/email", "/password"}),  # an address was given, if a wrong one
        ({"roles": ["owner"]}, {"/external_id", "/roles"}),
    ],
)
def test_all_that_is_wrong_is_named_at_once(shop, body, found):
    assert {pointer for pointer, _ in findings(write(shop, "post", **body))} == found


def test_what_is_taken_is_said_with_whose_it_is(shop, ann):
    other = UserFactory(external_id="user-2", email="bob@example.com")
    response = write(shop, "post", external_id="user-2", email="ANN@example.com")

    assert response.json()["code"] == "conflict"
    assert {each["pointer"]: each["existing_id"] for each in response.json()["errors"]} == {
        "/external_id": str(other.pk),
        "/email": str(ann.pk),
    }


# --- read -------------------------------------------------------------------------------------------------------------


def test_people_are_found_by_either_id(shop, ann):
    UserFactory(external_id=str(ann.pk), name="Somebody called like our id of Ann")

    assert shop.get(f"{USERS}user-123/").json()["id"] == str(ann.pk)
    assert shop.get(f"{USERS}{ann.pk}/").json()["external_id"] == str(ann.pk)
    assert shop.get(f"{USERS}nobody/").status_code == 404
    assert shop.get(f"{USERS}{uuid.uuid4()}/").status_code == 404


def test_the_list_is_filtered_and_paged(shop, ann, django_assert_max_num_queries, monkeypatch):
    others = [UserFactory(is_active=number > 1) for number in range(3)]
    DeviceFactory(user=others[0])
    DeviceFactory(user=others[0], is_active=False)

    def ids(query=""):
        return [each["external_id"] for each in shop.get(f"{USERS}?{query}").json()["results"]]

    assert ids() == [each.external_id for each in reversed(others)] + ["user-123"]
    assert ids("email=ANN@example.com") == ["user-123"]
    assert ids(f"email=ANN@example.com,{others[1].email},nobody@example.com") == [others[1].external_id, "user-123"]
    assert ids("email=") == ids("email=,") == []
    assert ids(f"external_id=user-123,{others[0].external_id}") == [others[0].external_id, "user-123"]
    assert ids("is_active=false") == [others[1].external_id, others[0].external_id]
    assert ids("created_after=2100-01-01T00:00:00Z") == []
    first = shop.get(f"{USERS}?page_size=3&count=true").json()
    assert first["count"] == 4
    assert [each["external_id"] for each in shop.get(first["next"]).json()["results"]] == ["user-123"]
    assert [each["device_count"] for each in first["results"]] == [0, 0, 1]
    monkeypatch.setattr("users.lately.time", SimpleNamespace(monotonic=lambda: 1.0))  # the key is known all along
    shop.get(USERS)
    with django_assert_max_num_queries(4):
        shop.get(USERS)


@pytest.mark.parametrize("query", ["is_active=yes", "created_after=soon", "name=Ann"])
def test_bad_filters_are_named(shop, query):
    assert findings(shop.get(f"{USERS}?{query}"))[0][0] == f"?{query.partition('=')[0]}"


# --- change -----------------------------------------------------------------------------------------------------------


def test_putting_makes_or_replaces_and_keeps_what_is_not_said_there(shop, ann):
    DeviceFactory(user=ann)
    made = write(shop, "put", "user-9/", name="Bob")
    replaced = write(shop, "put", "user-123/", locale="de")

    assert (made.status_code, made["Location"], made.json()["external_id"]) == (201, "/api/v1/users/user-9/", "user-9")
    assert replaced.status_code == 200
    answer = replaced.json()
    assert [answer[name] for name in ("id", "name", "email", "locale", "device_count")] == [
        str(ann.pk),
        "",
        None,
        "de",
        1,
    ]
    assert User.objects.get(pk=ann.pk).has_usable_password()


@pytest.mark.parametrize(("path", "body"), [("-x/", {}), ("user-1/", {"external_id": "user-2"})])
def test_putting_needs_the_id_of_the_path(shop, path, body):
    assert findings(write(shop, "put", path, **body)) == [("/external_id", "invalid")]


def test_patching_changes_what_it_names(shop, ann):
    answer = write(shop, "patch", "user-123/", name="Anna", is_active=False, email=None).json()

    assert (answer["name"], answer["is_active"], answer["email"]) == ("Anna", False, "ann@example.com")
    assert write(shop, "patch", "user-123/", external_id="user-5").json()["links"]["self"] == "/api/v1/users/user-5/"


def test_an_address_somebody_else_has_is_refused(shop, ann):
    bob = UserFactory(email="bob@example.com")
    response = write(shop, "patch", "user-123/", email="BOB@example.com")

    assert (response.status_code, response.json()["existing_id"]) == (409, str(bob.pk))


# --- who may ----------------------------------------------------------------------------------------------------------


def test_a_person_sees_and_changes_themselves(ann):
    own = caller(ann)

    assert {own.get(f"{USERS}{each}/").json()["id"] for each in ("me", "user-123", ann.pk)} == {str(ann.pk)}
    assert write(own, "patch", "me/", name="Anna", timezone="Europe/Rome").json()["name"] == "Anna"


@pytest.mark.parametrize("field", ["external_id", "is_active"])
def test_but_not_what_clients_decide(ann, field):
    response = write(caller(ann), "patch", "me/", **{field: False})

    assert (response.status_code, response.json()["required_scope"]) == (403, "users:write")


def test_a_person_learns_nothing_of_others(ann):
    UserFactory(external_id="user-2", email="bob@example.com")
    own = caller(ann)

    assert {own.get(f"{USERS}{each}/").status_code for each in ("user-2", "nobody")} == {404}
    assert write(own, "patch", "user-2/", name="x").status_code == 404
    assert own.get(USERS).status_code == 403
    assert write(own, "put", "user-2/", name="x").status_code == 403
    conflict = write(own, "patch", "me/", email="bob@example.com")
    assert conflict.status_code == 409
    assert "existing_id" not in conflict.json()


def test_support_looks_at_others_and_changes_only_themselves(ann):
    sam = person_with_password(external_id="sam", email="sam@example.com")
    give_roles(sam, "support")
    support = caller(sam)

    assert support.get(f"{USERS}user-123/").status_code == 200
    assert write(support, "patch", "user-123/", name="x").status_code == 403
    assert write(support, "patch", "nobody/", name="x").status_code == 403
    answer = write(support, "patch", "sam/", name="Samuel").json()
    assert (answer["name"], answer["roles"]) == ("Samuel", ["support"])


def test_me_is_nobody_for_a_key(shop):
    for method in ("get", "put", "patch", "delete"):
        assert write(shop, method, "me/", name="x").status_code == 404


def test_categories_are_for_everybody_with_credentials(ann):
    for client in (caller(ann), key("services:read")):
        answer = client.get("/api/v1/categories/").json()
        assert (answer["next"], answer["previous"]) == (None, None)
        assert [each["code"] for each in answer["results"]] == ["marketing", "security", "updates"]
        assert answer["results"][1] == {
            "code": "security",
            "name": "Security",
            "mandatory": True,
            "marketing": False,
            "ignores_quiet_hours": True,
        }
