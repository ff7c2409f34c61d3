"""Accepting many requests at once: each gets the answer it would have got alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connections

from gateway import batch_submission
from gateway.batch_submission import MOST, submit_batch
from gateway.decision import UserNotFound, VariablesInvalid
from gateway.idempotency import RequestIdReused
from gateway.models import Notification
from gateway.request import NotificationRequest
from gateway.submission import MomentsRefused, submit_notification
from templates_app.selection import TemplateNotFound
from tests.factories import DeviceFactory, PublishedVersionFactory, UserFactory
from tests.gateway.test_submission import VARIABLES, request

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def submit(*asked, client="shop"):
    return submit_batch(asked, client=client, mode="live", correlation_id="story-1")


def numbered(count):
    return [request(request_id=f"req-{number}") for number in range(count)]


@pytest.mark.django_db
def test_every_request_becomes_a_row_of_its_own(ann, welcome):
    answers = submit(*numbered(3))

    assert [answer.was_replayed for answer in answers] == [False] * 3
    assert [answer.notification.request_id for answer in answers] == ["req-0", "req-1", "req-2"]
    assert {row.pk for row in Notification.objects.all()} == {answer.notification.pk for answer in answers}


@pytest.mark.django_db
def test_a_row_is_the_same_as_that_of_a_request_alone(ann, welcome):
    ours_alone = {"id", "request_id", "available_at", "expires_at", "created_at", "updated_at", "first_answer"}
    alone = submit_notification(request(request_id="alone"), client="shop", mode="live", correlation_id="story-1")
    (answer,) = submit(request(request_id="batch"))

    rows = [Notification.objects.filter(pk=each.notification.pk).values().get() for each in (alone, answer)]
    for row in rows:
        for name in ours_alone:
            del row[name]
    assert rows[0] == rows[1]


@pytest.mark.django_db
def test_the_answer_carries_what_the_database_wrote(ann, welcome):
    (answer,) = submit(request())

    row = Notification.objects.get()
    assert (answer.notification.created_at, answer.notification.updated_at) == (row.created_at, row.updated_at)
    assert list(Notification.objects.due()) == [row]


@pytest.mark.django_db
def test_a_faulty_request_leaves_its_neighbours_alone(ann, welcome):
    fine, nobody, no_words, no_values, late, last = submit(
        request(request_id="1"),
        request(request_id="2", user_id="nobody"),
        request(request_id="3", template_code="nothing"),
        request(request_id="4", variables={}),
        request(request_id="5", expires_at=LONG_AGO),
        request(request_id="6"),
    )

    assert not fine.was_replayed
    assert not last.was_replayed
    assert [type(each) for each in (nobody, no_words, no_values, late)] == [
        UserNotFound,
        TemplateNotFound,
        VariablesInvalid,
        MomentsRefused,
    ]
    assert set(Notification.objects.values_list("request_id", flat=True)) == {"1", "6"}


@pytest.mark.django_db
def test_known_request_ids_are_replayed_or_refused(ann, welcome):
    first = submit(request(request_id="old"), request(request_id="other"))

    again, reused, new = submit(
        request(request_id="old"), request(request_id="other", priority=1), request(request_id="new")
    )

    assert again.was_replayed
    assert again.notification == first[0].notification
    assert isinstance(reused, RequestIdReused)
    assert reused.notification_id == first[1].notification.pk
    assert not new.was_replayed
    assert Notification.objects.count() == 3


@pytest.mark.django_db
def test_a_known_request_is_replayed_though_it_would_be_refused_by_now(ann, welcome):
    first = submit(request())[0]
    template = first.notification.template
    template.is_archived = True
    template.save()

    (again,) = submit(request())

    assert again.was_replayed
    assert again.notification == first.notification


@pytest.mark.django_db
def test_of_two_equal_ids_in_one_batch_the_first_wins(ann, welcome):
    first, same, different = submit(request(), request(), request(priority=1))

    assert not first.was_replayed
    assert same.was_replayed
    assert same.notification == first.notification
    assert isinstance(different, RequestIdReused)
    assert Notification.objects.count() == 1


@pytest.mark.django_db
def test_requests_without_an_id_are_all_new(ann, welcome):
    answers = submit(request(request_id=None), request(request_id=None))

    assert len({answer.notification.pk for answer in answers}) == 2


@pytest.mark.django_db
def test_both_channels_and_many_people_go_in_one_batch(ann, welcome):
    ben = UserFactory(external_id="user-9")
    DeviceFactory(user=ben)
    template = PublishedVersionFactory().template.code

    answers = submit(
        request(request_id="1"),
        request(request_id="2", user_id="user-9", channel="push", template_code=template),
        request(request_id="3", user_id=str(ben.pk)),
    )

    rows = [answer.notification for answer in answers]
    assert [(row.channel, row.user_id) for row in rows] == [("email", ann.pk), ("push", ben.pk), ("email", ben.pk)]


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_batch(ann, welcome, django_assert_max_num_queries):
    submit(request(request_id="warm"))
    for number in range(20):
        UserFactory(external_id=f"person-a-{number}")
    asked = [request(request_id=f"b-{number}", user_id=f"person-a-{number}") for number in range(20)]

    with django_assert_max_num_queries(9):  # the savepoint of a test counts as two
        submit(*asked)


@pytest.mark.django_db
def test_unknown_templates_are_looked_up_once(ann, welcome, django_assert_max_num_queries):
    asked = [request(request_id=f"{number}", template_code="nothing") for number in range(20)]

    with django_assert_max_num_queries(7):
        answers = submit(*asked)
    assert {type(answer) for answer in answers} == {TemplateNotFound}


@pytest.mark.django_db
def test_an_empty_batch_is_no_trouble():
    assert submit() == []


def test_a_batch_that_is_too_long_is_refused_as_a_whole():
    with pytest.raises(ValueError, match="at most 500"):
        submit(*[NotificationRequest(channel="email", user_id="a", template_code="b")] * (MOST + 1))


@pytest.mark.django_db
def test_a_row_that_is_not_stored_for_any_other_reason_is_our_fault(ann, welcome, monkeypatch):
    monkeypatch.setattr(batch_submission, "insert_new", lambda rows: set())

    with pytest.raises(IntegrityError):
        submit(request())


@pytest.mark.django_db(transaction=True)
def test_batches_that_share_request_ids_do_not_wait_for_each_other_for_ever(ann, welcome):
    asked = numbered(100)

    def send(order):
        try:
            return submit(*order)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        orders = [asked, asked[::-1], asked[50:] + asked[:50], asked]
        answers = [each for batch in threads.map(send, orders) for each in batch]

    assert Notification.objects.count() == 100
    assert sum(not answer.was_replayed for answer in answers) == 100
    by_id = {answer.notification.request_id: set() for answer in answers}
    for answer in answers:
        by_id[answer.notification.request_id].add(answer.notification.pk)
    assert all(len(keys) == 1 for keys in by_id.values())


@pytest.mark.django_db
def test_variables_are_stored_as_each_request_gave_them(ann, welcome):
    submit(request(request_id="1"), request(request_id="2", variables=VARIABLES | {"name": "Ben"}))

    stored = dict(Notification.objects.values_list("request_id", "variables"))
    assert (stored["1"]["name"], stored["2"]["name"]) == ("Ann", "Ben")


@pytest.mark.django_db
def test_what_goes_to_the_simulator_is_marked_alone(ann, welcome):
    UserFactory(external_id="nobody", email="bounce@simulator.test")
    answers = submit(request(request_id="real"), request(request_id="simulated", user_id="nobody"))

    assert [answer.notification.is_simulated for answer in answers] == [False, True]
