"""What providers report later moves a status forward, in whatever order it comes."""

from uuid import uuid4

import pytest

from gateway import tracking
from gateway.channel_contract import EventType, ProviderNews
from gateway.models import Notification, ProviderEvent
from gateway.statuses import Status
from tests.factories import NotificationFactory
from tests.gateway.ledger_scene import SENT, TAKEN, doubted, events_of, everything, handed_over, news, record, status_of

pytestmark = pytest.mark.django_db


def test_the_provider_reports_the_delivery():
    row = NotificationFactory(status=Status.SENT, reason="sent")
    assert tracking.record_news([news(row, EventType.DELIVERED, detail="example.com")]) == 1
    row.refresh_from_db()
    assert (row.status, row.reason) == (Status.DELIVERED, "delivered")
    assert row.reason_data == {"provider": "capture", "domain": "example.com"}
    assert row.delivered_at is not None


def test_the_provider_reports_a_bounce_with_its_reason():
    row = NotificationFactory(status=Status.SENT)
    tracking.record_news([news(row, EventType.BOUNCED, reason="mailbox_full", detail="552 over quota")])
    row.refresh_from_db()
    assert (row.status, row.reason) == (Status.BOUNCED, "mailbox_full")
    assert row.reason_data == {"provider": "capture", "error": "552 over quota"}


def test_news_that_is_repeated_changes_nothing():
    row = NotificationFactory(status=Status.SENT)
    told = news(row, EventType.DELIVERED)
    assert tracking.record_news([told, told]) == 1
    before = everything()
    assert tracking.record_news([told]) == 0
    assert everything() == before
    assert ProviderEvent.objects.count() == 1
    assert events_of(row) == ["delivered"]


def test_two_providers_may_number_their_news_alike():
    row = NotificationFactory(status=Status.SENT)
    one = news(row, EventType.OPENED, event_id="1")
    other = ProviderNews(provider="mailgun", event_id="1", notification_id=row.pk, type=EventType.DELIVERED)
    assert [tracking.record_news([one]), tracking.record_news([other])] == [1, 1]
    assert status_of(row) == Status.DELIVERED


@pytest.mark.parametrize("first", [EventType.DELIVERED, EventType.BOUNCED])
@pytest.mark.parametrize("at_once", [True, False])
def test_delivered_and_bounced_end_as_bounced_in_any_order(first, at_once):
    row = NotificationFactory(status=Status.SENT)
    second = {EventType.DELIVERED: EventType.BOUNCED, EventType.BOUNCED: EventType.DELIVERED}[first]
    told = [news(row, first), news(row, second)]
    for part in [told] if at_once else [[each] for each in told]:
        tracking.record_news(part)
    assert status_of(row) == Status.BOUNCED
    assert ProviderEvent.objects.count() == 2


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        ([EventType.DELIVERED], "delivered"),
        ([EventType.BOUNCED], "bounced"),
        ([EventType.BOUNCED, EventType.DELIVERED], "bounced"),
        ([EventType.OPENED], "sent"),
    ],
)
def test_news_that_overtakes_our_own_record_waits_for_it(kinds, status):
    row, attempt = handed_over()
    tracking.record_news([news(row, kind, detail="example.com") for kind in kinds])
    assert status_of(row) == Status.SENDING
    record(row, attempt, TAKEN, SENT)
    assert status_of(row) == status
    before = everything()
    record(row, attempt, TAKEN, SENT)
    assert everything() == before


@pytest.mark.parametrize("is_early", [True, False])
def test_a_bounce_says_the_same_whether_it_overtook_our_record_or_not(is_early):
    row, attempt = handed_over()
    told = news(row, EventType.BOUNCED, code="550 5.1.1", detail="Nobody here.", is_about_address=False)
    steps = [lambda: tracking.record_news([told]), lambda: record(row, attempt, TAKEN, SENT)]
    for step in steps if is_early else reversed(steps):
        step()
    row.refresh_from_db()
    assert row.status == Status.BOUNCED
    assert row.reason_data == {
        "provider": "capture",
        "error": "Nobody here.",
        "code": "550 5.1.1",
        "address": "not concerned",
    }


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (EventType.DELIVERED, "delivered"),
        (EventType.BOUNCED, "bounced"),
        (EventType.COMPLAINED, "sent"),
        (EventType.DEFERRED, "unknown"),
    ],
)
def test_news_of_an_arrival_settles_a_doubt(kind, status):
    row, _ = doubted()
    tracking.record_news([news(row, kind)])
    found = Notification.objects.get(pk=row.pk)
    assert found.status == status
    assert (found.sent_at is None) is (status == "unknown")
    assert not found.possible_duplicate


def test_a_complaint_is_flagged_and_moves_nothing():
    row = NotificationFactory(status=Status.DELIVERED)
    tracking.record_news([news(row, EventType.COMPLAINED)])
    row.refresh_from_db()
    assert (row.status, row.complained) == (Status.DELIVERED, True)


def test_news_about_a_notification_we_do_not_know_is_dropped():
    row = NotificationFactory(status=Status.SENT)
    stranger = ProviderNews(provider="capture", event_id="1", notification_id=uuid4(), type=EventType.DELIVERED)
    assert tracking.record_news([stranger, news(row, EventType.DELIVERED)]) == 1
    assert ProviderEvent.objects.get().notification_id == row.pk


@pytest.mark.parametrize("status", sorted({Status.CANCELLED, Status.EXPIRED, Status.SUPPRESSED, Status.FAILED}))
def test_news_about_what_has_ended_otherwise_is_kept_and_changes_nothing(status):
    row = NotificationFactory(status=status)
    kinds = [EventType.DELIVERED, EventType.BOUNCED, EventType.OPENED]
    assert tracking.record_news([news(row, kind) for kind in kinds]) == 3
    assert status_of(row) == status
    assert events_of(row) == []


def test_no_news_is_nothing_to_do():
    assert tracking.record_news([]) == 0
