import uuid

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from gateway import callbacks, outbox, statuses, tracking
from gateway.channel_contract import EventType
from gateway.models import CallbackEndpoint, Notification, StatusCallback
from gateway.outbox import Held, Verdict
from gateway.statuses import Status
from tests.callback_scene import endpoint, owed
from tests.factories import NotificationFactory
from tests.gateway.api_scene import client_with_key, post, request_body, submit
from tests.gateway.ledger_scene import (
    BUSY,
    RETRY,
    SENT,
    TAKEN,
    claim,
    handed_over,
    held,
    mark,
    news,
    open_attempts,
    record,
    some,
)
from users import lately

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:21790/hooks"


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    lately.forget()
    yield
    lately.forget()


def test_an_accepted_notification_is_told(shop):
    endpoint(URL)

    accepted = submit(shop)

    assert owed(accepted["id"]) == [("notification.accepted", 1)]


def test_a_replayed_request_is_told_once(shop):
    endpoint(URL)

    accepted = submit(shop)
    submit(shop)

    assert len(owed(accepted["id"])) == 1


def test_every_change_up_to_the_end_is_told_in_order(shop):
    endpoint(URL)
    row = Notification.objects.get(pk=submit(shop)["id"])

    outbox.queue_due(channel="email", limit=10)
    [row] = claim(row)
    open_attempts(mark(row))
    outbox.settle([(held(row), SENT)])
    tracking.record_news([news(row, EventType.DELIVERED)])

    assert owed(row) == [
        ("notification.accepted", 1),
        ("notification.queued", 2),
        ("notification.sending", 3),
        ("notification.sent", 4),
        ("notification.delivered", 5),
    ]


def test_a_gap_in_the_sequence_is_what_the_endpoint_did_not_ask_for():
    endpoint(URL, events=["notification.sent"])
    [row] = some(1)

    outbox.queue_due(channel="email", limit=10)
    [row] = claim(row)
    open_attempts(mark(row))
    outbox.settle([(held(row), SENT)])

    assert owed(row) == [("notification.sent", 4)]


def test_a_temporary_refusal_is_retrying():
    endpoint(URL)
    row, attempt = handed_over()

    record(row, attempt, BUSY, RETRY)

    [told] = StatusCallback.objects.filter(notification=row)
    assert (told.event_type, told.status, told.reason) == ("notification.retrying", "accepted", "retrying")


def test_a_complaint_is_told_and_changes_no_status():
    endpoint(URL)
    row, attempt = handed_over()
    record(row, attempt, TAKEN, SENT)

    tracking.record_news([news(row, EventType.COMPLAINED)])

    assert owed(row)[-1] == ("notification.complained", 3)


def test_what_is_given_back_or_repeats_itself_is_no_news():
    endpoint(URL)
    row = NotificationFactory(status=Status.CLAIMED)
    quiet = NotificationFactory(status=Status.CLAIMED)

    outbox.release([Held(row.pk, row.claim_token)])
    verdict = Verdict(change=statuses.POSTPONE, reason="breaker_open", event="retrying", is_news=False)
    outbox.settle([(Held(quiet.pk, quiet.claim_token), verdict)])

    assert owed(row) == owed(quiet) == []
    assert set(Notification.objects.values_list("news_count", flat=True)) == {1}


def test_a_change_that_did_not_happen_is_not_told():
    endpoint(URL)
    row = NotificationFactory(status=Status.CLAIMED)

    outbox.release([Held(row.pk, uuid.uuid4())])
    outbox.settle([(Held(row.pk, uuid.uuid4()), SENT)])

    assert owed(row) == []


@pytest.mark.parametrize(
    "other", [{"client": "other"}, {"mode": "test"}, {"enabled": False}, {"events": ["notification.sent"]}]
)
def test_nobody_else_is_told(shop, other):
    endpoint(URL, **other)

    assert owed(submit(shop)["id"]) == []


def test_an_endpoint_that_we_disabled_is_owed_all_the_same(shop):
    endpoint(URL, enabled=False, disabled_reason=CallbackEndpoint.Disabled.FAILING)

    assert owed(submit(shop)["id"]) == [("notification.accepted", 1)]


def test_every_endpoint_of_the_client_is_told_for_itself(shop):
    first, _ = endpoint(URL)
    second, _ = endpoint(URL)

    submit(shop)

    assert set(StatusCallback.objects.values_list("endpoint", flat=True)) == {first.pk, second.pk}


def test_a_batch_is_told_as_single_requests_are(ann, welcome):
    from gateway.batch_submission import submit_batch
    from gateway.request import NotificationRequest

    endpoint(URL)
    request = NotificationRequest(
        channel="email",
        user_id="user-123",
        template_code="welcome_email",
        variables=request_body()["variables"],
        request_id="r-1",
    )

    first, _ = submit_batch([request, request], client="shop", mode="live")

    assert owed(first.notification) == [("notification.accepted", 1)]


def test_ids_are_uuids_of_version_7_and_new_each_time():
    endpoint(URL)
    rows = some(20)

    outbox.queue_due(channel="email", limit=100)

    ids = list(StatusCallback.objects.values_list("pk", flat=True))
    assert len(set(ids)) == len(rows)
    assert {(each.version, each.variant) for each in ids} == {(7, uuid.RFC_4122)}
    now = StatusCallback.objects.first().created_at.timestamp() * 1000
    assert all(abs((each.int >> 80) - now) < 300_000 for each in ids)


def test_what_is_rolled_back_is_not_owed():
    endpoint(URL)
    [row] = some(1)

    with transaction.atomic():
        outbox.queue_due(channel="email", limit=10)
        transaction.set_rollback(True)

    assert owed(row) == []


def statements(act):
    with CaptureQueriesContext(connection) as asked:
        act()
    return [each["sql"] for each in asked if "callback" in each["sql"]]


def test_without_endpoints_no_statement_is_made():
    some(3)
    callbacks.owe([])  # who wants what is looked up at most once a second

    found = statements(lambda: outbox.queue_due(channel="email", limit=10))

    assert len([sql for sql in found if not sql.startswith("SELECT")]) == 0
    assert len(found) <= 1  # a new second may have begun


def test_with_endpoints_it_is_one_statement_for_any_number():
    endpoint(URL)
    some(5)
    callbacks.owe([])

    found = statements(lambda: outbox.queue_due(channel="email", limit=10))

    assert len([sql for sql in found if sql.startswith("INSERT")]) == 1
    assert StatusCallback.objects.count() == 5


def test_a_suppressed_one_is_told_at_once(ann, welcome):
    endpoint(URL)
    ann.is_active = False
    ann.save()

    response = post(client_with_key(), request_body())

    assert response.json()["status"] == "suppressed"
    assert owed(response.json()["id"]) == [("notification.suppressed", 1)]
