"""Tokens looked at by their own service, when they are registered and later, over the API and real connections."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from channels_push import device_checks
from channels_push.standins.fcm import FcmStandIn
from tests.channels_push.push_scene import use_fcm
from tests.factories import DeviceFactory, UserFactory, ago
from tests.rabbitmq_server import until
from users.api_keys import create_api_key
from users.device_checks import REMEDY
from users.models import Device

pytestmark = pytest.mark.django_db
TOKEN = "fcm-registration-token-x7Qk"


@pytest.fixture
def firebase(settings):
    with FcmStandIn() as server:
        use_fcm(settings, server)
        settings.PUSH_PROVIDERS = ["fcm", "capture"]
        yield server


@pytest.fixture
def shop():
    UserFactory(external_id="user-123")
    _, plain = create_api_key(name="shop", client="shop", scopes=("users:write",))
    return Client(headers={"Authorization": f"Bearer {plain}"})


def register(client, sent=TOKEN, **body):
    body = {"token": sent, "platform": "android", "validate": True} | body
    body = {name: value for name, value in body.items() if value is not ...}
    return client.post("/api/v1/users/user-123/devices/", body, content_type="application/json")


def check(client, device):
    url = f"/api/v1/users/{device.user.external_id}/devices/{device.pk}/check/"
    return client.post(url, {}, content_type="application/json").json()


def a_device(token):
    return DeviceFactory(user=UserFactory(), token=token)


def test_a_token_firebase_knows_is_registered_and_nothing_is_sent(shop, firebase):
    response = register(shop)

    assert response.status_code == 201
    assert response.json()["validation"]["result"] == "valid"
    assert "nothing was sent" in response.json()["validation"]["detail"]
    assert firebase.accepted == []


@pytest.mark.parametrize("place", ["token", "device_token"])
@pytest.mark.parametrize("answer", ["UNREGISTERED", "INVALID_TOKEN"])
def test_a_token_firebase_does_not_know_is_refused_with_what_to_do(shop, firebase, answer, place):
    response = register(shop, ..., **{place: f"ask.{answer}.1"})

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (f"/{place}", "invalid")
    assert error["detail"].endswith(REMEDY)
    assert Device.objects.count() == 0


def test_without_being_asked_for_nobody_is_asked(shop, firebase):
    response = register(shop, "ask.UNREGISTERED.1", validate=False)

    assert response.status_code == 201
    assert "validation" not in response.json()
    assert firebase.connection_count == 0


def test_a_service_that_is_away_stops_no_registration(shop, firebase, settings):
    firebase.stop()

    response = register(shop)

    assert (response.status_code, response.json()["validation"]["result"]) == (201, "unknown")


def test_what_is_wrong_with_our_account_is_not_told_to_clients(shop, firebase, settings):
    for token, words in [("ask.PERMISSION_DENIED.1", "just now"), ("ask.SENDER_ID_MISMATCH.1", "another Firebase")]:
        validation = register(shop, token).json()["validation"]
        assert (validation["result"], words in validation["detail"]) == ("unknown", True)
        assert "service account" not in validation["detail"].split("project.")[0]
    settings.FCM_CREDENTIALS = {}
    assert register(shop).json()["validation"]["result"] == "unknown"


def test_a_service_that_hangs_is_waited_for_a_little_and_takes_few_threads(shop, firebase, monkeypatch):
    register(shop)  # has the access token
    asked = firebase.connection_count
    monkeypatch.setattr(device_checks, "WITHIN", timedelta(milliseconds=50))
    monkeypatch.setattr(device_checks, "_room", room := threading.BoundedSemaphore(1))

    assert register(shop, "ask.hang.1").json()["validation"]["result"] == "unknown"
    until(lambda: firebase.connection_count > asked, "the question that hangs")
    monkeypatch.setattr(device_checks, "WITHIN", timedelta(seconds=30))
    asked = firebase.connection_count
    assert register(shop, "ask.hang.2").json()["validation"]["result"] == "unknown"  # at once: no room
    assert firebase.connection_count == asked

    firebase.cut_connections()
    assert room.acquire(timeout=10)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_somebody_is_asked(shop, firebase, monkeypatch):
    is_open = []

    def ask(*asked):
        is_open.append(connection.in_atomic_block)

    monkeypatch.setattr(device_checks, "ask_provider", ask)

    register(shop)
    check(shop, a_device("another-token"))

    assert is_open == [False, False]


def test_those_that_cannot_be_asked_are_judged_by_their_form(shop, firebase, settings):
    onesignal = register(shop, "019a2b7e-0c1d-7e3a-9b61-0c9f3d1e2a44", provider="onesignal", platform="ios").json()
    simulated = register(shop, "sim-unregistered-1").json()
    settings.PUSH_PROVIDERS = ["capture"]
    captured = register(shop, "ask.UNREGISTERED.1").json()

    found = {each["validation"]["result"] for each in (onesignal, simulated, captured)}
    assert found == {"unknown"}
    assert firebase.connection_count == 0


def test_a_check_asks_firebase_and_switches_off_what_is_gone(shop, firebase):
    good, gone = a_device(TOKEN), a_device("ask.UNREGISTERED.1")

    assert check(shop, good)["result"] == "valid"
    assert check(shop, gone) == {"result": "invalid", "detail": "The app is no longer on this device."}
    gone.refresh_from_db()
    assert (gone.is_active, gone.inactive_reason) == (False, "unregistered")
    assert check(shop, gone)["detail"] == "It is switched off: unregistered."


def test_a_check_firebase_cannot_answer_falls_back_on_what_is_known(shop, firebase):
    device = a_device("ask.UNAVAILABLE.1")

    assert check(shop, device)["result"] == "unknown"
    Device.objects.update(last_success_at=ago(days=1))
    assert check(shop, device)["result"] == "valid"
    assert Device.objects.active().count() == 1


def test_an_installation_id_is_asked_about_as_one(firebase, shop):
    asked = []
    answer = firebase.answer
    firebase.answer = lambda one: asked.append(one.body) or answer(one)

    assert register(shop, "cfGyHs8wQ1uZ", kind="fid").json()["validation"]["result"] == "valid"

    assert b'"fid": "cfGyHs8wQ1uZ"' in asked[-1]
    assert b'"validate_only": true' in asked[-1]
