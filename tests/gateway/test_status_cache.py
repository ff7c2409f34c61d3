"""Clients that ask again: answered from the shared cache when it has ended, never with what was true before."""

import pytest
from django.db import OperationalError

from gateway import outbox, replaying, status_cache, statuses, tracking
from gateway.outbox import Held, Verdict
from gateway.statuses import Status
from tests.factories import NotificationFactory
from tests.gateway.api_scene import client_with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Around what is committed."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def path(row):
    return f"/api/v1/notifications/{row.pk}/status"


def sending(**fields):
    return NotificationFactory(status=Status.SENDING, reason="sending", **fields)


def send(row):
    return outbox.settle(
        [(Held(row.pk, row.claim_token), tracking.sent_verdict(change=statuses.SEND, provider="capture"))]
    )


@pytest.fixture
def reader(own_redis):
    made = client_with_key("notifications:read")
    made.get("/api/v1/notifications/x")  # the key is remembered for a second, its use noted
    return made


def rows_asked(queries):
    return [each["sql"] for each in queries if "gateway_notification" in each["sql"]]


@pytest.fixture
def ask(reader, django_assert_num_queries):
    """(answer, whether the table was asked)"""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked(row, client=reader):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(path(row))
        return response, bool(rows_asked(queries))

    return asked


def test_what_a_worker_recorded_is_answered_without_the_table_from_the_second_time_on(ask, committed):
    row = sending(request_id="req-1", attempt_count=1)
    with committed():
        assert send(row)

    ask(row)
    response, table_was_asked = ask(row)
    assert not table_was_asked
    row.refresh_from_db()
    answer = response.json()
    assert (answer["status"], answer["final"], answer["request_id"]) == ("sent", True, "req-1")
    assert answer == reader_without_cache(row)


def reader_without_cache(row):
    from gateway import answers
    from gateway.database_clock import database_now
    from users import json_format, json_text

    return json_format.parse_object(json_text.to_json(answers.status_answer(row, now=database_now())))


@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.QUEUED, Status.CLAIMED, Status.SENDING, Status.UNKNOWN])
def test_what_has_not_ended_is_read_from_the_table_every_time(ask, status):
    row = NotificationFactory(status=status)

    assert [ask(row)[1] for _ in range(2)] == [True, True]


def test_sent_has_not_ended_while_the_provider_may_report(ask, committed):
    row = sending(awaits_news=True)
    with committed():
        send(row)

    assert [ask(row)[1] for _ in range(2)] == [True, True]


@pytest.mark.parametrize("status", [Status.BOUNCED, Status.SUPPRESSED, Status.CANCELLED, Status.EXPIRED, Status.FAILED])
def test_what_was_read_once_is_kept_for_the_next(ask, status):
    row = NotificationFactory(status=status, reason="expired")

    (first, was_asked), (second, was_asked_again) = ask(row), ask(row)
    assert (was_asked, was_asked_again) == (True, False)
    assert first.json() == second.json()


def test_another_client_or_mode_does_not_see_it(ask, committed):
    row = sending()
    with committed():
        send(row)

    assert ask(row, client_with_key("notifications:read", client="other"))[0].status_code == 404
    assert ask(row, client_with_key("notifications:read", mode="test"))[0].status_code == 404
    assert ask(row)[0].status_code == 200


def test_a_replay_ends_what_was_kept(ask, committed):
    row = NotificationFactory(status=Status.FAILED, reason="poison")
    ask(row)
    with committed():
        replaying.replay([row.pk], who="Ann", why="again")

    assert ask(row)[0].json()["status"] == "accepted"


def test_a_late_bounce_is_seen_at_once(ask, committed):
    row = sending()
    with committed():
        send(row)
    ask(row)
    verdict = Verdict(change=statuses.BOUNCE, reason="mailbox_unknown", data={"provider": "capture", "error": ""})
    with committed():
        outbox.settle([(Held(row.pk), verdict)])

    assert ask(row)[0].json()["status"] == "bounced"


def test_a_reader_that_writes_late_does_not_turn_it_back(ask, committed):
    """What was read before the change is put back after it: it counts no more."""
    row = NotificationFactory(status=Status.FAILED, reason="poison")
    _, slot = status_cache.find(row.pk, client=row.client, mode=row.mode)
    with committed():
        replaying.replay([row.pk], who="Ann", why="again")
    status_cache.keep(slot, row)

    assert ask(row)[0].json()["status"] == "accepted"


def test_without_redis_the_table_answers(ask, own_redis, committed):
    row = sending()
    own_redis.kill()
    with committed():
        send(row)

    response, table_was_asked = ask(row)
    assert (response.json()["status"], table_was_asked) == ("sent", True)


def test_a_worker_says_nothing_about_what_nobody_can_have_kept(own_redis, committed):
    open_one, sent_one = NotificationFactory(status=Status.CLAIMED), sending()
    with committed():
        outbox.release([Held(open_one.pk, open_one.claim_token)])
        send(sent_one)

    assert own_redis.raw.keys() == []


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("trouble", [OperationalError("away"), ZeroDivisionError("a fault of ours")])
def test_trouble_after_the_commit_does_not_reach_whoever_recorded(own_redis, monkeypatch, trouble):
    def fail(ids):
        raise trouble

    row = NotificationFactory(status=Status.FAILED, reason="poison")
    monkeypatch.setattr(status_cache, "_mark", fail)

    assert replaying.replay([row.pk], who="Ann", why="again") == {row.pk}
    row.refresh_from_db()
    assert row.status == Status.ACCEPTED
