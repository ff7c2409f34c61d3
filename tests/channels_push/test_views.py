"""The key for browsers, what devices report, and OneSignal's news."""

import base64
import uuid

import pytest

from channels_push.receipts import receipt_for
from channels_push.service_settings import vapid_public_key
from gateway.models import ProviderEvent
from gateway.reasons import sentence
from gateway.statuses import Status
from tests.channels_push.push_scene import VAPID_KEY
from tests.consumers.engine import now_as
from tests.factories import NotificationFactory
from users.channels import Channel

pytestmark = pytest.mark.django_db
RECEIPTS, NEWS = "/api/v1/receipts/", "/webhooks/push/onesignal/"


@pytest.fixture
def sent():
    return NotificationFactory(channel=Channel.PUSH, status=Status.SENT, provider="webpush")


def receipt_of(notification):
    return receipt_for(notification_id=notification.pk, device_id=uuid.UUID(int=1))


def report(client, receipt, event):
    return client.post(RECEIPTS, {"receipt": receipt, "event": event}, content_type="application/json")


def test_a_browser_gets_the_public_key_where_web_push_is_in_use(client, settings):
    assert client.get("/api/v1/webpush/key/").status_code == 404
    settings.PUSH_PROVIDERS, settings.VAPID_PRIVATE_KEY = ["webpush"], VAPID_KEY
    assert client.get("/api/v1/webpush/key").json() == {"public_key": vapid_public_key(VAPID_KEY)}


def test_a_device_reports_and_repeats_itself(client, sent):
    for _ in range(2):
        for event in ("delivered", "clicked"):
            assert report(client, receipt_of(sent), event).status_code == 204
    row = now_as(sent)
    assert row.status == Status.DELIVERED
    assert sentence(row.reason, row.reason_data) == "A device reported that it has it."
    assert sorted(ProviderEvent.objects.values_list("type", flat=True)) == ["clicked", "delivered"]


def test_a_forged_receipt_changes_nothing(client, sent):
    answer = report(client, receipt_of(sent)[:-4] + "AAAA", "delivered")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert now_as(sent).status == Status.SENT


def test_a_push_that_is_no_longer_kept_is_no_trouble(client):
    proof = receipt_for(notification_id=uuid.uuid4(), device_id=uuid.uuid4())
    assert report(client, proof, "clicked").status_code == 204


def test_an_unknown_event_is_refused_with_those_there_are(client, sent):
    (finding,) = report(client, receipt_of(sent), "bounced").json()["errors"]
    assert finding == {
        "pointer": "/event",
        "code": "invalid_choice",
        "detail": "Use one of clicked, delivered, opened.",
    }


def test_a_number_is_no_receipt(client):
    (finding,) = report(client, 5, "opened").json()["errors"]
    assert (finding["pointer"], finding["code"]) == ("/receipt", "invalid")


@pytest.fixture
def onesignal(settings):
    settings.PUSH_PROVIDERS, settings.PROVIDER_WEBHOOK_SECRET = ["onesignal"], "us:s3cret"


def tell(client, body, secret="us:s3cret"):  # noqa: S107  of the test
    proof = "Basic " + base64.b64encode(secret.encode()).decode()
    return client.post(NEWS, body, content_type="application/json", HTTP_AUTHORIZATION=proof)


def test_onesignal_confirms_a_push(client, onesignal, sent):
    body = {"event": "message.push.received", "data": {"receipt": receipt_of(sent)}, "more": 1}
    for _ in range(2):
        assert tell(client, body).json() == {"known": True}
    assert now_as(sent).status == Status.DELIVERED
    assert client.head(NEWS).status_code == client.get(NEWS).status_code == 200


@pytest.mark.parametrize("body", [{}, {"event": "new"}, {"event": "notification.clicked", "data": {"receipt": "x"}}])
def test_what_is_no_news_to_us_is_taken_all_the_same(client, onesignal, body):
    assert tell(client, body).json() == {"known": False}


def test_who_does_not_know_the_secret_tells_nothing(client, onesignal, settings, sent):
    body = {"event": "notification.displayed", "data": {"receipt": receipt_of(sent)}}
    assert tell(client, body, secret="us:other").json()["code"] == "invalid_signature"
    assert client.post(NEWS, body, content_type="application/json").status_code == 400
    assert now_as(sent).status == Status.SENT
    settings.PROVIDER_WEBHOOK_SECRET = ""
    assert tell(client, body, secret="").json()["code"] == "invalid_signature"
    settings.PUSH_PROVIDERS = ["fcm"]
    assert tell(client, body).status_code == 404


def test_whatever_onesignal_would_like_to_read_its_news_is_taken(client, onesignal, sent):
    body = {"event": "message.push.clicked", "data": {"receipt": receipt_of(sent)}}
    proof = "Basic " + base64.b64encode(b"us:s3cret").decode()
    headers = {"Authorization": proof, "Accept": "text/html"}
    assert client.post(NEWS, body, content_type="application/json", headers=headers).json() == {"known": True}
