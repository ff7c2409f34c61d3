"""Devices by HTTP, and what may be registered as one."""

import base64
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connections
from django.test import Client

from tests.factories import DeviceFactory, UserFactory, ago
from tests.sign_in_scene import caller, person_with_password
from users import devices
from users.api_keys import create_api_key
from users.models import Device

pytestmark = pytest.mark.django_db
TOKEN = "fcm-registration-token-x7Qk"


@pytest.fixture(autouse=True)
def as_in_production(settings):
    settings.CALLBACK_ALLOW_PRIVATE = False


@pytest.fixture
def shop():
    _, plain = create_api_key(name="shop", client="shop", scopes=("users:write",))
    return Client(headers={"Authorization": f"Bearer {plain}"})


@pytest.fixture
def ann():
    return person_with_password(external_id="user-123")


@pytest.fixture(autouse=True)
def names(monkeypatch):
    """Few names have an address here."""

    def getaddrinfo(host, port, *args, **options):
        known = {"push.example.com": "93.184.216.34", "inside.example.com": "10.0.0.7", "127.0.0.1": "127.0.0.1"}
        if host not in known:
            raise OSError
        return [(2, 1, 6, "", (known[host], port))]

    monkeypatch.setattr("users.public_addresses.socket.getaddrinfo", getaddrinfo)


def url(device=None, user="user-123", rest=""):
    return f"/api/v1/users/{user}/devices/{f'{device}/' if device else ''}{rest}"


def register(client, user="user-123", **body):
    body = {"token": TOKEN, "platform": "android"} | body
    body = {name: value for name, value in body.items() if value is not ...}
    return client.post(url(user=user), body, content_type="application/json")


def coded(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def subscription(endpoint="https://push.example.com/abc", **keys):
    point = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return {"endpoint": endpoint, "keys": {"p256dh": coded(point), "auth": coded(b"a" * 16)} | keys}


def webpush(client, given, **body):
    return register(client, token=..., provider="webpush", platform="web", subscription=given, **body)


def findings(response):
    assert response.status_code == 400, response.json()
    return {(each["pointer"], each["code"]) for each in response.json()["errors"]}


def test_a_device_is_registered_and_its_token_never_shown(shop, ann):
    response = register(shop, app_id="shop-app", name="Ann's phone")

    answer = response.json()
    assert response.status_code == 201
    assert response["Location"] == url(answer["id"])
    assert (answer["provider"], answer["kind"], answer["platform"], answer["active"]) == (
        "fcm",
        "token",
        "android",
        True,
    )
    assert (answer["token_tail"], answer["app_id"], answer["name"]) == ("…x7Qk", "shop-app", "Ann's phone")
    assert TOKEN not in response.content.decode()
    assert shop.get(url(answer["id"])).json() == answer
    assert shop.get(url()).json()["results"] == [answer]


def test_registering_again_updates_and_switches_on(shop, ann):
    first = register(shop, name="Phone").json()
    shop.patch(url(first["id"]), {"active": False}, content_type="application/json")

    again = register(shop, token=..., device_token=TOKEN, platform="ios")

    assert again.status_code == 200
    answer = again.json()
    assert (answer["id"], answer["platform"], answer["active"], answer["name"]) == (first["id"], "ios", True, "Phone")
    assert Device.objects.count() == 1


def test_a_token_moves_to_whoever_registers_it(shop, ann):
    UserFactory(external_id="user-456")
    first = register(shop, name="Ann's phone").json()

    moved = register(shop, user="user-456")

    assert (moved.status_code, moved.json()["id"], moved.json()["name"]) == (200, first["id"], None)
    assert shop.get(url()).json()["results"] == []
    assert shop.get(url(first["id"])).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_row():
    people = [UserFactory() for _ in range(4)]
    outcomes, start = [], threading.Barrier(4)

    def run(person):
        start.wait()
        try:
            found = devices.register_device(user=person, provider="fcm", kind="token", platform="android", token=TOKEN)
            outcomes.append(found.is_new)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [False, False, False, True]
    assert Device.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"platform": ...}, {("/platform", "required")}),
        (
            {"platform": "fridge", "provider": "apns"},
            {("/platform", "invalid_choice"), ("/provider", "invalid_choice")},
        ),
        ({"token": ...}, {("/token", "required")}),
        ({"token": "short"}, {("/token", "invalid")}),
        ({"token": "with space in it"}, {("/token", "invalid")}),
        ({"token": ..., "device_token": "ä" * 10}, {("/device_token", "invalid")}),
        ({"device_token": "another-token"}, {("/device_token", "invalid")}),
        ({"provider": "onesignal", "kind": "fid"}, {("/kind", "invalid_choice"), ("/token", "invalid")}),
        ({"provider": "onesignal"}, {("/token", "invalid")}),
        ({"provider": "webpush"}, {("/token", "invalid"), ("/subscription", "required")}),
        ({"subscription": {}}, {("/subscription", "invalid")}),
        ({"colour": "red"}, {("/colour", "unknown_field")}),
    ],
)
def test_what_can_be_no_device_is_refused(shop, ann, body, expected):
    assert findings(register(shop, **body)) == expected


def test_other_providers_have_their_own_form(shop, ann):
    one = register(shop, provider="onesignal", token="019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44", platform="ios")
    fid = register(shop, kind="fid", token="cfGyHs8wQ1uZ")

    assert (one.status_code, one.json()["kind"]) == (201, "token")
    assert fid.json()["kind"] == "fid"


def test_a_token_of_the_simulator_fits_every_provider(shop, ann):
    assert register(shop, provider="onesignal", token="sim-unregistered-1", platform="ios").status_code == 201
    assert register(shop, token="sim-slow").status_code == 201


def test_a_browser_subscribes(shop, ann):
    response = webpush(shop, subscription())

    assert response.status_code == 201
    assert (response.json()["kind"], response.json()["token_tail"]) == ("subscription", "…/abc")
    renewed = webpush(shop, subscription())  # the same endpoint, other keys
    assert (renewed.status_code, Device.objects.count()) == (200, 1)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (subscription("http://push.example.com/abc"), "/subscription/endpoint"),
        (subscription("https://inside.example.com/abc"), "/subscription/endpoint"),
        (subscription("https://127.0.0.1/abc"), "/subscription/endpoint"),
        (subscription("https://user@push.example.com/abc"), "/subscription/endpoint"),
        (subscription(p256dh=coded(b"\x04" + b"1" * 64)), "/subscription/keys/p256dh"),
        (subscription(auth=coded(b"a" * 15)), "/subscription/keys/auth"),
        (subscription(auth="not base64!"), "/subscription/keys/auth"),
        ({"endpoint": "https://push.example.com/abc"}, "/subscription/keys"),
        ("https://push.example.com/abc", "/subscription"),
    ],
)
def test_a_subscription_must_be_one(shop, ann, given, place):
    assert findings(webpush(shop, given)) == {(place, "invalid")}


def test_an_endpoint_that_does_not_resolve_now_is_taken(shop, ann):
    assert webpush(shop, subscription("https://nowhere.example.com/abc")).status_code == 201


def test_loopback_may_be_allowed(shop, ann, settings):
    settings.CALLBACK_ALLOW_PRIVATE = True

    assert webpush(shop, subscription("https://127.0.0.1/abc")).status_code == 201


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 201),
        ({"IS_LOCAL": False}, 400),
        ({"CALLBACK_ALLOW_HTTP": False}, 400),
        ({"CALLBACK_ALLOW_PRIVATE": False}, 400),
    ],
)
def test_a_push_service_played_on_this_machine_needs_no_encryption(shop, ann, settings, changed, status):
    settings.IS_LOCAL = settings.CALLBACK_ALLOW_HTTP = settings.CALLBACK_ALLOW_PRIVATE = True
    for name, value in changed.items():
        setattr(settings, name, value)

    assert webpush(shop, subscription("http://127.0.0.1:3000/abc")).status_code == status
    assert webpush(shop, subscription("http://push.example.com/abc")).status_code == 400


def test_beyond_twenty_the_one_unused_for_longest_is_switched_off(shop, ann):
    kept = [DeviceFactory(user=ann) for _ in range(20)]
    Device.objects.filter(pk=kept[3].pk).update(last_seen_at=ago(days=9), last_success_at=ago(days=1))
    Device.objects.filter(pk=kept[5].pk).update(last_seen_at=ago(days=2))

    register(shop)

    assert Device.objects.active().filter(user=ann).count() == 20
    assert Device.objects.get(is_active=False).pk == kept[5].pk
    assert shop.get(url(kept[5].pk)).json()["inactive_reason"] == "replaced"
    assert len(shop.get(url() + "?active=true").json()["results"]) == 20
    assert len(shop.get(url() + "?active=false").json()["results"]) == 1


def test_a_device_is_changed_and_forgotten(shop, ann):
    device = register(shop).json()["id"]

    changed = shop.patch(url(device), {"name": "Old", "active": False}, content_type="application/json").json()

    assert (changed["name"], changed["active"], changed["inactive_reason"]) == ("Old", False, "switched_off")
    bad = shop.patch(url(device), {"token": "x", "active": "no"}, content_type="application/json")
    assert findings(bad) == {("/token", "unknown_field"), ("/active", "invalid")}
    assert [shop.delete(url(device)).status_code for _ in range(2)] == [204, 404]


def test_checking_says_what_is_known(shop, ann):
    device = DeviceFactory(user=ann, token=TOKEN)

    def check():
        return shop.post(url(device.pk, rest="check/"), {}, content_type="application/json").json()["result"]

    assert check() == "unknown"
    Device.objects.update(last_success_at=ago(days=1))
    assert check() == "valid"
    Device.objects.update(last_seen_at=ago(days=31), last_success_at=None)
    assert check() == "unknown"
    device.token = "bad"
    device.save()
    assert check() == "invalid"
    assert shop.get(url(device.pk)).json()["inactive_reason"] == "invalid"


def test_people_register_their_own(ann):
    UserFactory(external_id="stranger")
    mine = caller(ann)

    assert register(mine, user="me").status_code == 201
    assert register(mine, user="stranger").status_code == 404
    device = DeviceFactory()
    assert mine.get(url(device.pk, user="me")).status_code == 404


def test_what_nobody_has_heard_of_for_long_is_retired(ann):
    forgotten, used, fresh = (DeviceFactory(user=ann) for _ in range(3))
    Device.objects.filter(pk__in=[forgotten.pk, used.pk]).update(last_seen_at=ago(days=271))
    Device.objects.filter(pk=used.pk).update(last_success_at=ago(days=1))

    assert devices.retire_unused(limit=10) == 1

    assert Device.objects.get(is_active=False).inactive_reason == "expired"
    assert set(Device.objects.active()) == {used, fresh}


def test_a_success_is_noted_once_an_hour(ann):
    device = DeviceFactory(user=ann)
    devices.note_successes([device.pk])
    device.refresh_from_db()
    first = device.last_success_at
    assert first is not None

    devices.note_successes([device.pk])

    device.refresh_from_db()
    assert device.last_success_at == first


def test_everything_that_is_wrong_is_told_at_once(shop, ann):
    response = register(shop, token="a b", platform="toaster", kind="fid", provider="onesignal", name=5)

    assert findings(response) == {
        *(("/token", "invalid"), ("/platform", "invalid_choice")),
        *(("/kind", "invalid_choice"), ("/name", "invalid")),
    }


def test_a_provider_nobody_knows_hides_what_depends_on_it(shop, ann):
    assert findings(register(shop, provider="pigeon", token="a b", platform=...)) == {
        ("/provider", "invalid_choice"),
        ("/platform", "required"),
    }


def test_a_token_that_is_no_text_is_not_missing_as_well(shop, ann):
    assert findings(register(shop, token=5)) == {("/token", "invalid")}
