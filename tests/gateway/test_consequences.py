"""What providers' answers mean for addresses and devices."""

import uuid

import pytest

from gateway import tracking
from gateway.channel_contract import EventType, Outcome, ProviderNews, SendResult
from gateway.consequences import follow_news, follow_successes
from gateway.models import DeliveryAttempt, Notification
from gateway.outbox import Held
from gateway.tracking import AttemptResult, Recorded
from tests.factories import AttemptFactory, DeviceFactory, NotificationFactory, UserFactory, ago, ahead
from users.channels import Channel
from users.models import Category, Device, Suppression
from users.wish_models import ConsentEvent

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


# --- addresses --------------------------------------------------------------------------------------------------------


def told(notification, kind, **fields):
    about = {"provider": "sendgrid", "event_id": str(uuid.uuid4()), "notification_id": notification.pk}
    tracking.record_news([ProviderNews(**about, type=kind, **fields)])


def blocked():
    return list(Suppression.objects.values_list("reason", "evidence", "notification_id"))


def test_a_bounce_for_good_and_a_complaint_block_the_address():
    bounced, complained = NotificationFactory(status="sent"), NotificationFactory(status="sent")

    told(bounced, EventType.BOUNCED, reason="mailbox_unknown", detail="550 5.1.1")
    told(complained, EventType.COMPLAINED)

    assert set(blocked()) == {("hard_bounce", "550 5.1.1", bounced.pk), ("complaint", "", complained.pk)}


def test_what_went_elsewhere_blocks_no_address():
    told(NotificationFactory(status="sent", channel=Channel.PUSH), EventType.BOUNCED, reason="mailbox_unknown")

    assert blocked() == []


@pytest.mark.parametrize("reason", ["mailbox_unknown", "address_suppressed"])
def test_who_knows_no_such_mailbox_or_sends_nothing_more_there_blocks_it(reason):
    attempt = AttemptFactory()

    answered(attempt, reason=reason, provider_code="550 5.1.1", detail="no such user")

    assert blocked() == [("hard_bounce", "550 5.1.1 no such user", attempt.notification_id)]


def test_a_late_bounce_never_blocks_the_address_somebody_has_since():
    bounced = AttemptFactory(notification__status="sent", claim_token=uuid.uuid4()).notification
    person = bounced.user
    person.email = "new@example.com"
    person.save()

    told(bounced, EventType.BOUNCED, reason="mailbox_unknown")
    assert blocked() == []

    DeliveryAttempt.objects.update(started_at=ahead(minutes=1))  # handed over once more
    told(bounced, EventType.COMPLAINED)
    assert blocked() == [("complaint", "", bounced.pk)]


def test_a_test_to_another_address_blocks_nobody():
    """It stands with whoever sent it."""
    told(NotificationFactory(status="sent", fingerprint=""), EventType.BOUNCED, reason="mailbox_unknown")

    assert blocked() == []


def came_back(person, times, *, reason="mailbox_full", **fields):
    for row in NotificationFactory.create_batch(times, user=person, status="sent", **fields):
        told(row, EventType.BOUNCED, reason=reason, detail="552 over quota")
    return row


def test_five_mails_that_came_back_in_14_days_block_the_address():
    person, other = UserFactory(), UserFactory()
    came_back(person, 3)
    came_back(person, 1, reason="bounced")
    came_back(person, 5, reason="rejected_content")
    came_back(other, 1)
    assert blocked() == []

    last = came_back(person, 1)
    told(last, EventType.BOUNCED, reason="mailbox_full")
    assert blocked() == [("hard_bounce", "5 mails came back in 14 days. 552 over quota", last.pk)]


def test_the_same_mail_told_often_and_old_ones_do_not_count():
    person = UserFactory()
    last = came_back(person, 4)
    for _ in range(5):
        told(last, EventType.BOUNCED, reason="mailbox_full")
    Notification.objects.update(updated_at=ago(days=15))
    came_back(person, 4)

    assert blocked() == []


def test_mails_that_came_back_from_an_earlier_address_do_not_count():
    person = UserFactory()
    came_back(person, 4)
    person.email = "new@example.com"
    person.save()
    came_back(person, 1, created_at=ahead(minutes=1))

    assert blocked() == []


def test_bounces_of_the_simulator_are_not_even_counted(django_assert_max_num_queries):
    row = NotificationFactory(user__email="soft-bounce@simulator.test", status="sent")
    with django_assert_max_num_queries(2):
        follow_news(
            [
                ProviderNews(
                    provider="capture",
                    event_id="1",
                    notification_id=row.pk,
                    type=EventType.BOUNCED,
                    reason="mailbox_full",
                )
            ]
        )


# --- what somebody wants no more --------------------------------------------------------------------------------------


def turned_off():
    return list(ConsentEvent.objects.values_list("user", "channel", "category_code", "was", "became", "by", "source"))


@pytest.mark.parametrize("kind", [EventType.COMPLAINED, EventType.UNSUBSCRIBED])
def test_who_complains_or_unsubscribes_gets_no_more_of_that_category(kind):
    row = NotificationFactory(status="sent")

    told(row, kind)
    told(row, kind)

    assert turned_off() == [(row.user_id, "email", row.category_code, None, False, "provider", "sendgrid")]
    assert bool(blocked()) is (kind is EventType.COMPLAINED)


def test_mandatory_mails_cannot_be_turned_off_so():
    Category.objects.update(is_mandatory=True)

    told(NotificationFactory(status="sent"), EventType.COMPLAINED)

    assert turned_off() == []
    assert [reason for reason, _, _ in blocked()] == ["complaint"]


def test_a_category_that_is_gone_is_no_trouble():
    told(NotificationFactory(status="sent", category_code="long_gone"), EventType.UNSUBSCRIBED)

    assert turned_off() == []


@pytest.mark.parametrize(
    "fields", [{"channel": Channel.PUSH}, {"fingerprint": ""}, {"user__email": "complaint@simulator.test"}]
)
def test_pushes_tests_and_the_simulators_addresses_turn_nothing_off(fields):
    told(NotificationFactory(status="sent", **fields), EventType.UNSUBSCRIBED)

    assert turned_off() == []


def test_the_words_of_a_provider_are_masked_and_storable_wherever_they_go():
    row = NotificationFactory(status="sent")

    told(row, EventType.BOUNCED, reason="mailbox_unknown", detail="550 \ud800 bob@example.com is unknown")

    ((_, evidence, _),) = blocked()
    assert "bob@" not in evidence
