"""What providers' answers mean for addresses and devices."""

import uuid

import pytest

from gateway import tracking
from gateway.channel_contract import Outcome, SendResult
from gateway.consequences import follow_successes
from gateway.outbox import Held
from gateway.tracking import AttemptResult, Recorded
from tests.factories import AttemptFactory, DeviceFactory, NotificationFactory
from users.channels import Channel
from users.models import Device

pytestmark = pytest.mark.django_db


def pushed(device):
    notification = NotificationFactory(user=device.user, channel=Channel.PUSH, status="sending")
    return AttemptFactory(notification=notification, claim_token=notification.claim_token, device_id=device.pk)


def answered(attempt, **result):
    row = attempt.notification
    answer = AttemptResult(attempt_id=attempt.pk, result=SendResult(**{"outcome": Outcome.PERMANENT} | result))
    held = Held(row.pk, row.claim_token)
    tracking.record_outcomes([Recorded(held=held, provider="fcm", attempts=(answer,), verdict=None)])


def test_a_token_that_is_gone_switches_its_device_off():
    gone, other = DeviceFactory(), DeviceFactory()

    answered(pushed(gone), reason="token_invalid")

    gone.refresh_from_db()
    assert (gone.is_active, gone.inactive_reason) == (False, "unregistered")
    assert list(Device.objects.active()) == [other]


@pytest.mark.parametrize(
    "result", [{"reason": "rejected"}, {"outcome": Outcome.TRANSIENT}, {"outcome": Outcome.ACCEPTED}]
)
def test_a_bad_message_or_a_bad_day_never_does(result):
    device = DeviceFactory()

    answered(pushed(device), **result)

    assert Device.objects.active().get() == device


def test_a_push_that_was_taken_is_remembered_with_its_device():
    device, other = DeviceFactory(), DeviceFactory()

    follow_successes([pushed(device).pk, uuid.uuid4()])

    assert list(Device.objects.filter(last_success_at__isnull=False)) == [device]
    other.refresh_from_db()
    assert other.last_success_at is None
