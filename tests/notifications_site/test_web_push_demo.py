"""The demo of Web Push without a browser: for whom it is there, what it switches on, and its push service."""

import json

import pytest
from django.test import Client
from pywebpush import WebPushException, webpush

from channels_push.service_settings import new_vapid_key
from channels_push.standins import mailboxes
from channels_push.standins.webpush import WebPushStandIn
from gateway.demo_data import seed_demo
from gateway.models import ProviderSetting
from gateway.provider_order import provider_order
from gateway.provider_settings import provider_setting
from notifications_site import web_push_demo
from notifications_site.captured import is_captured
from users.channels import Channel

pytestmark = pytest.mark.django_db
PAGE, SERVICE = "/demo/web-push/", "/demo/push-service/"
SWITCH = "Switch Web Push on"


@pytest.fixture(autouse=True)
def demo(settings, tmp_path, monkeypatch, stored_settings_followed):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(web_push_demo, "mailboxes", mailboxes.Mailboxes())


def order():
    return str(provider_order(Channel.PUSH.value))


def text(client):
    return client.get(PAGE).content.decode()


@pytest.mark.parametrize("path", [PAGE, "/demo/worker.js", SERVICE, f"{SERVICE}push/x/", f"{SERVICE}messages/x/"])
@pytest.mark.parametrize("how", [{"REMOTE_ADDR": "192.0.2.7"}, {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, "elsewhere"])
def test_it_is_there_for_whoever_sits_at_a_local_machine_alone(client, settings, path, how):
    settings.IS_LOCAL = how != "elsewhere"
    headers = how if isinstance(how, dict) else {}
    ask = client.post if path.startswith(SERVICE) and "messages" not in path else client.get
    assert ask(path, **headers).status_code == 404


def test_one_click_switches_web_push_on_and_leaves_all_else(client):
    assert SWITCH in text(client)

    assert client.post(PAGE).status_code == 302

    assert (order(), web_push_demo.is_on()) == ("webpush,capture", True)
    key = provider_setting("VAPID_PRIVATE_KEY")
    assert client.get("/api/v1/webpush/key/").status_code == 200
    assert not any(key in value for value in ProviderSetting.objects.values_list("value", flat=True))
    client.post(PAGE)
    assert provider_setting("VAPID_PRIVATE_KEY") == key
    assert SWITCH not in text(client)


def test_the_pages_say_what_still_stays_here(client, settings):
    assert "Here nothing leaves the machine: every" in client.get("/").content.decode()
    client.post(PAGE)
    assert "but pushes to browsers that subscribed" in client.get("/").content.decode()
    assert is_captured()
    settings.PUSH_PROVIDERS = ["webpush", "fcm"]
    assert "Take care" in client.get("/").content.decode()
    assert not is_captured()


def test_a_page_of_somebody_else_cannot_switch_it_on():
    assert Client(enforce_csrf_checks=True).post(PAGE).status_code == 403
    assert not web_push_demo.is_on()


def test_what_the_environment_says_is_left_alone(client, settings):
    settings.PUSH_PROVIDERS = ["fcm"]

    client.post(PAGE)

    assert (order(), ProviderSetting.objects.count()) == ("fcm", 0)
    assert SWITCH not in text(client)
    assert "PUSH_PROVIDERS" in text(client)


def test_a_key_that_is_there_stays(client, settings):
    settings.VAPID_PRIVATE_KEY = key = new_vapid_key()

    client.post(PAGE)

    assert provider_setting("VAPID_PRIVATE_KEY") == key
    assert not ProviderSetting.objects.filter(name="VAPID_PRIVATE_KEY").exists()


def test_the_page_knows_the_demo_key_or_says_why_it_can_do_nothing(client, tmp_path):
    client.post(PAGE)
    assert "is not known here" in text(client)

    key = seed_demo(keep_in=tmp_path).api_key

    assert f'data-key="{key}"' in text(client)
    assert client.get(PAGE)["Cache-Control"] == "no-store"


def test_the_worker_may_look_after_the_pages_of_the_demo(client):
    answer = client.get("/demo/worker.js")

    assert answer["Service-Worker-Allowed"] == "/demo/"
    assert answer["Content-Type"].startswith("text/javascript")
    assert b"push-worker.js" in answer.content


def test_the_start_page_leads_there(client):
    assert f'href="{PAGE}"' in client.get("/").content.decode()


# --- its push service -------------------------------------------------------------------------------------------------


def subscribe(client):
    made = client.post(SERVICE).json()
    return made["endpoint"], made["messages"]


class Posted:
    """What pywebpush asks of a session of requests, over the test client."""

    def __init__(self, client):
        self.client, self.answer, self.body = client, None, b""
        self.reason, self.text, self.headers = "", "", None

    def post(self, endpoint, *, data, headers, timeout):
        self.body = data
        path = endpoint.partition("testserver")[2]
        kind = headers.pop("Content-Type", "application/octet-stream")
        self.answer = self.client.post(path, data, content_type=kind, headers=headers)
        self.status_code = self.answer.status_code
        return self


def sent(client, endpoint, **claims):
    with WebPushStandIn() as browser:
        keys = browser.subscribe()["keys"]
    posted = Posted(client)
    webpush(
        {"endpoint": endpoint, "keys": keys},
        data=json.dumps({"title": "Hello"}),
        vapid_private_key=new_vapid_key(),
        vapid_claims={"sub": "mailto:ops@example.com"} | claims,
        ttl=60,
        requests_session=posted,
    )
    return posted


def test_what_is_signed_waits_encrypted_until_it_is_fetched(client):
    endpoint, messages = subscribe(client)

    posted = sent(client, endpoint)
    sent(client, endpoint)

    assert (posted.status_code, "Location" in posted.answer.headers) == (201, True)
    found = client.get(messages).json()["messages"]
    assert [each["number"] for each in found] == [1, 2]
    assert b"Hello" not in posted.body
    assert [each["number"] for each in client.get(f"{messages}?after=1").json()["messages"]] == [2]
    assert client.get(f"{messages}?after=2").json()["messages"] == []


def test_a_push_service_takes_not_everything(client):
    endpoint, _ = subscribe(client)
    path = endpoint.partition("testserver")[2]
    kind = {"content_type": "application/octet-stream"}
    good = {"TTL": "60", "Content-Encoding": "aes128gcm"}

    assert client.post(path, b"x", **kind).status_code == 400
    assert client.post(path, b"x", headers=good, **kind).status_code == 403
    assert client.post(path, b"x" * 4097, headers=good, **kind).status_code == 413
    assert client.post(f"{SERVICE}push/unknown/", b"x", headers=good, **kind).status_code == 404
    assert client.get(f"{SERVICE}messages/unknown/").status_code == 404


def test_what_is_signed_for_another_push_service_is_refused(client):
    endpoint, _ = subscribe(client)

    with pytest.raises(WebPushException, match="403"):
        sent(client, endpoint, aud="https://push.example.com")


def test_only_so_many_subscriptions_and_messages_are_kept(client, monkeypatch):
    monkeypatch.setattr(mailboxes, "MOST_MAILBOXES", 2)
    first, *_, last = [subscribe(client)[1] for _ in range(3)]

    assert (client.get(first).status_code, client.get(last).status_code) == (404, 200)
