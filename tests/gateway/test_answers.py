"""Notifications as the API shows them, without the way through HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway import answers
from gateway.statuses import Status
from tests.factories import AttemptFactory, NotificationFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
FIRST = {"status": "accepted", "reason": "waiting", "available_at": NOW.isoformat(), "warnings": []}


@pytest.mark.parametrize("status", Status)
def test_a_row_in_any_status_can_be_shown(status):
    row = NotificationFactory(status=status, first_answer=FIRST)

    for answer in (answers.status_answer(row, now=NOW), answers.replayed_answer(row, now=NOW)["current"]):
        assert answer["status"] not in ("claimed", "unknown")
        assert answer["reason"]
        assert isinstance(answer["final"], bool)


@pytest.mark.parametrize("status", Status)
def test_final_is_what_a_client_need_not_ask_about_again(status):
    row = NotificationFactory(status=status, sent_at=NOW, awaits_news=True)
    ends = {"delivered", "bounced", "suppressed", "cancelled", "expired", "failed"}

    assert answers.is_final(row, now=NOW) is (status in ends)


@pytest.mark.parametrize(
    ("awaits_news", "later", "is_final"),
    [
        (False, timedelta(0), True),
        (True, timedelta(0), False),
        (True, timedelta(hours=72), False),
        (True, timedelta(hours=72, seconds=1), True),
    ],
)
def test_sent_is_final_once_no_news_can_come(awaits_news, later, is_final):
    row = NotificationFactory(status=Status.SENT, sent_at=NOW, awaits_news=awaits_news)

    assert answers.is_final(row, now=NOW + later) is is_final


def test_the_first_answer_is_that_of_the_first_time():
    row = NotificationFactory(status=Status.FAILED, reason="rejected", first_answer=FIRST, request_id="r")

    answer = answers.accepted_answer(row)

    assert (answer["status"], answer["reason"], answer["available_at"]) == ("accepted", "waiting", NOW)
    assert answers.replayed_answer(row, now=NOW) == answer | {
        "current": {"status": "failed", "reason": "rejected", "final": True, "available_at": row.available_at}
    }


@pytest.mark.parametrize("reason", ["waiting", "retrying", "quiet_hours"])
def test_who_is_being_prepared_does_not_look_as_if_it_waited(reason):
    row = NotificationFactory(status=Status.CLAIMED, reason=reason)
    answer = answers.status_answer(row, now=NOW)

    assert (answer["status"], answer["reason"]) == ("sending", "sending")
    assert answer["detail"] == "It will go out in a moment."


def test_what_is_empty_in_the_table_is_null_in_the_answer():
    row = NotificationFactory(provider="")
    attempt = AttemptFactory(notification=NotificationFactory(status=Status.SENDING))

    assert answers.notification_answer(row, now=NOW)["provider"] is None
    shown = answers.attempt_answer(attempt)
    assert [name for name, value in shown.items() if value == ""] == []
    assert shown["outcome"] is None
