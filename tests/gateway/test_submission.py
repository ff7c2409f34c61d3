"""Accepting a request exactly once, also when it comes thirty times at the same moment."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, connections
from django.db.models.functions import Now

from gateway import submission
from gateway.database_clock import database_now
from gateway.decision import UserNotFound, VariablesInvalid
from gateway.idempotency import RequestIdReused
from gateway.models import Notification
from gateway.request import NotificationRequest
from gateway.submission import MomentsRefused, submit_notification
from templates_app.selection import TemplateNotFound
from tests.factories import UserFactory
from tests.gateway.api_scene import client_with_key, post, request_body

VARIABLES = {"name": "Ann", "verification_link": "https://example.com/v"}
#: PostgreSQL has a hundred connections, and other tests run beside this one.
TOGETHER = 30


def request(**changes):
    asked = {"channel": "email", "user_id": "user-123", "template_code": "welcome_email", "request_id": "req-1"}
    return NotificationRequest(**asked | {"variables": VARIABLES} | changes)


def submit(asked, client="shop"):
    return submit_notification(asked, client=client, mode="live", correlation_id="story-1")


def stored():
    return Notification.objects.count()


# --- one after the other ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_request_becomes_one_row(ann, welcome):
    submitted = submit(request(metadata={"order": "42"}))

    assert not submitted.was_replayed
    row = Notification.objects.get()
    assert row == submitted.notification
    assert (row.client, row.mode, row.correlation_id) == ("shop", "live", "story-1")
    assert (row.variables, row.metadata) == (VARIABLES, {"order": "42"})
    assert row.first_answer == {
        "status": "accepted",
        "reason": "waiting",
        "available_at": row.available_at.isoformat(),
        "warnings": [],
    }


@pytest.mark.django_db
def test_it_is_due_at_once_by_the_clock_of_the_database(ann, welcome):
    row = submit(request()).notification

    assert list(Notification.objects.due()) == [row]
    assert row.created_at - row.available_at < timedelta(seconds=30)


@pytest.mark.django_db
def test_the_second_time_it_is_replayed(ann, welcome):
    first, second = submit(request()), submit(request())

    assert second.was_replayed
    assert second.notification == first.notification
    assert stored() == 1


@pytest.mark.django_db
def test_another_request_under_the_same_id_is_refused(ann, welcome):
    first = submit(request())

    with pytest.raises(RequestIdReused) as caught:
        submit(request(priority=1))
    assert caught.value.notification_id == first.notification.pk
    assert stored() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"user_id": "nobody"}, UserNotFound),
        ({"template_code": "nothing"}, TemplateNotFound),
        ({"variables": {}}, VariablesInvalid),
    ],
)
def test_a_refusal_stores_nothing_and_takes_no_id(ann, welcome, changes, refusal):
    with pytest.raises(refusal):
        submit(request(**changes))
    assert stored() == 0

    assert not submit(request()).was_replayed


@pytest.mark.django_db
def test_every_wrong_moment_is_named(ann, welcome):
    now = database_now()
    with pytest.raises(MomentsRefused) as caught:
        submit(request(send_at=now - timedelta(days=2), expires_at=now - timedelta(days=1)))

    assert [(field, code) for field, code, _ in caught.value.findings] == [
        ("send_at", "in_the_past"),
        ("expires_at", "in_the_past"),
    ]


@pytest.mark.django_db
def test_an_id_of_the_database_that_is_taken_is_no_replay(ann, welcome, monkeypatch):
    """Only the constraint on request ids means "known"; anything else is our fault and is said to be."""
    first = submit(request()).notification
    monkeypatch.setattr(submission, "uuid7", lambda: first.pk)

    with pytest.raises(IntegrityError):
        submit(request(request_id=None))


@pytest.mark.django_db
def test_a_new_request_costs_few_queries(ann, welcome, django_assert_max_num_queries):
    submit(request(request_id="warm"))

    with django_assert_max_num_queries(8):  # the savepoint of a test counts as two
        submit(request())


# --- at the same moment -----------------------------------------------------------------------------------------------


def at_once(count, work):
    """`work(number)` in so many threads, which all begin together; their results."""
    gate = threading.Barrier(count)

    def run(number):
        gate.wait(timeout=30)
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_equal_requests_at_once_make_one_row(ann, welcome):
    results = at_once(TOGETHER, lambda _: submit(request()))

    assert stored() == 1
    assert [each.was_replayed for each in results].count(False) == 1
    assert {each.notification.pk for each in results} == {Notification.objects.get().pk}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_equal_calls_at_once_get_one_202(ann, welcome, monkeypatch):
    """The same through the API, each call with its own key of the client."""
    # So many new connections at once take a busy machine a while, which is none of this test's business.
    monkeypatch.setattr("notifications_site.postgresql.base.CONNECT_WITHIN", timedelta(seconds=30))
    clients = [client_with_key() for _ in range(TOGETHER)]

    results = at_once(TOGETHER, lambda number: post(clients[number], request_body()))

    statuses = [each.status_code for each in results]
    assert (statuses.count(202), statuses.count(200)) == (1, TOGETHER - 1)
    assert {each.json()["id"] for each in results} == {str(Notification.objects.get().pk)}
    replays = [each for each in results if each.status_code == 200]
    assert {each["Idempotency-Replayed"] for each in replays} == {"true"}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_different_requests_at_once_under_one_id_the_first_wins(ann, welcome):
    def work(number):
        try:
            return submit(request(priority=number % 2)).notification.pk
        except RequestIdReused as refused:
            return refused.notification_id

    results = at_once(20, work)

    assert set(results) == {Notification.objects.get().pk}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_different_clients_at_once_do_not_meet(ann, welcome):
    results = at_once(10, lambda number: submit(request(), client=f"client-{number}"))

    assert not any(each.was_replayed for each in results)
    assert stored() == 10


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_whoever_is_second_waits_for_the_first_ones_commit(welcome):
    """The first may still fail: then the second one's request is the first."""
    UserFactory(external_id="user-123")
    is_inserted, may_end = threading.Event(), threading.Event()

    def first(_):
        from django.db import transaction

        try:
            with transaction.atomic():
                submit(request())
                is_inserted.set()
                may_end.wait(timeout=30)
                raise RuntimeError("cut off before the commit")
        except RuntimeError:
            return

    def second(_):
        is_inserted.wait(timeout=30)
        threading.Timer(0.3, may_end.set).start()
        return submit(request())

    _, submitted = at_once(2, lambda number: (first, second)[number](number))

    assert not submitted.was_replayed
    assert list(Notification.objects.all()) == [submitted.notification]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nothing_waits_for_an_open_transaction_of_its_own(ann, welcome):
    """In earnest no transaction is open around a request: the row is committed when the answer is made."""
    submit(request())

    assert not connection.in_atomic_block
    assert at_once(1, lambda _: Notification.objects.filter(created_at__lte=Now()).count()) == [1]
