"""The default provider keeps pushes for the inbox, one per device, and says nothing more afterwards."""

import pytest
from django.db import DataError, OperationalError

from channels_push.message import PushMessage
from channels_push.models import CapturedPush
from channels_push.providers.capture import CaptureProvider
from gateway.channel_contract import Outcome
from gateway.models import Notification
from templates_app.rendering import RenderedPush
from tests.factories import DeviceFactory, NotificationFactory
from users.channels import Channel
from users.models import Device
from users.recipients import load_recipients

pytestmark = pytest.mark.django_db


def a_push(notification: Notification | None = None, device: Device | None = None, **words) -> PushMessage:
    notification = notification or NotificationFactory(channel=Channel.PUSH)
    device = device or DeviceFactory(user=notification.user)
    recipients = load_recipients([notification.user_id], channel=Channel.PUSH)
    (target,) = [each for each in recipients[notification.user_id].devices if each.id == device.pk]
    parts = {"title": "Hello", "body": "Your parcel is here.", "image": "", "link": "", "data": {}} | words
    return PushMessage(
        notification_id=notification.pk,
        device_id=target.id,
        message_id=notification.message_id,
        device=target,
        words=RenderedPush(**parts),
    )


def send(*messages: PushMessage):
    provider = CaptureProvider()
    provider.connect()
    results = list(provider.send(messages))
    provider.close()
    provider.close()
    return results


def test_a_push_is_kept_with_all_a_phone_would_show():
    notification = NotificationFactory(channel=Channel.PUSH)
    device = DeviceFactory(user=notification.user, name="Ann's phone", platform="ios", token="secret-token-wxyz")
    words = {
        "title": "Paket da 🎉",
        "body": "مرحبا",
        "image": "https://shop.example/a.png",
        "link": "https://shop.example/parcel",
        "data": {"screen": "parcel"},
    }
    (result,) = send(a_push(notification, device, **words))
    kept = CapturedPush.objects.get()
    assert (result.outcome, result.provider_message_id) == (Outcome.ACCEPTED, str(kept.pk))
    assert (kept.title, kept.body, kept.image, kept.link) == tuple(
        words[name] for name in ("title", "body", "image", "link")
    )
    assert kept.data == {"screen": "parcel", "notification_id": str(notification.pk)}
    assert (kept.device_id, kept.device_name, kept.platform) == (device.pk, "Ann's phone", "ios")
    assert kept.token_tail == "wxyz"


def test_the_whole_token_is_nowhere_in_the_inbox():
    notification = NotificationFactory(channel=Channel.PUSH)
    send(a_push(notification, DeviceFactory(user=notification.user, token="secret-token-wxyz")))
    (row,) = CapturedPush.objects.values()
    assert "secret-token" not in repr(row)


def test_the_app_always_learns_which_notification_it_was():
    push = a_push(data={"notification_id": "something else"})
    send(push)
    assert CapturedPush.objects.get().data["notification_id"] == str(push.notification_id)


def test_each_device_gets_its_own_answer_in_order():
    notification = NotificationFactory(channel=Channel.PUSH)
    devices = [DeviceFactory(user=notification.user, name=name) for name in ("Phone", "Tablet")]
    results = send(*[a_push(notification, device) for device in devices])
    kept = [CapturedPush.objects.get(pk=result.provider_message_id) for result in results]
    assert [each.device_name for each in kept] == ["Phone", "Tablet"]


def test_words_too_long_for_the_inbox_are_cut_and_no_reason_to_fail():
    results = send(a_push(title="t" * 300, link="https://shop.example/" + "l" * 2500, image="https://x/" + "i" * 2500))
    assert results[0].outcome == Outcome.ACCEPTED
    kept = CapturedPush.objects.get()
    assert (len(kept.title), len(kept.link), len(kept.image)) == (255, 2000, 2000)


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [(OperationalError("connection lost while committing"), Outcome.UNKNOWN), (DataError("odd"), Outcome.TRANSIENT)],
)
def test_an_inbox_that_cannot_keep_it_says_how_certain_that_is(monkeypatch, trouble, outcome):
    def fail(rows):
        raise trouble

    monkeypatch.setattr(CapturedPush.objects, "bulk_create", fail)
    results = send(a_push(), a_push())
    assert [(each.outcome, each.error_code) for each in results] == [(outcome, "inbox_away")] * 2


def test_a_push_service_says_nothing_more_after_taking_it():
    provider = CaptureProvider()
    assert provider.reports_delivery is False
    assert not hasattr(provider, "collect_news")
