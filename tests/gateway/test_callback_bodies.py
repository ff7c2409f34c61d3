import json
from datetime import UTC, datetime, timedelta

import pytest

from gateway.callback_bodies import LONGEST_BODY, body_of
from gateway.models import StatusCallback
from tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 22, 10, 15, 4, 120_000, tzinfo=UTC)


def callback(status, reason="waiting", *, data=None, row=None, event_type=None, **columns):
    row = row or NotificationFactory()
    given = {"attempt_count": 0, "awaits_news": False, "available_at": AT, "provider": ""} | columns
    return StatusCallback(
        notification=row,
        event_type=event_type or f"notification.{status}",
        sequence=3,
        status=status,
        reason=reason,
        reason_data=data or {},
        created_at=AT,
        **given,
    )


def told(made):
    return json.loads(body_of(made))


def test_it_is_dated_by_the_change_and_not_by_the_post():
    assert told(callback("queued"))["timestamp"] == "2026-11-22T10:15:04.120Z"


@pytest.mark.parametrize(
    ("status", "awaits_news", "final"),
    [
        *[("accepted", False, False), ("queued", False, False), ("sending", False, False)],
        *[("sent", False, True), ("sent", True, False), ("delivered", True, True), ("bounced", False, True)],
        *[("suppressed", False, True), ("cancelled", False, True), ("expired", False, True), ("failed", False, True)],
    ],
)
def test_it_says_whether_more_is_to_come(status, awaits_news, final):
    assert told(callback(status, "bounced", awaits_news=awaits_news))["data"]["final"] is final


def test_what_has_changed_since_is_not_told():
    row = NotificationFactory(status="failed", reason="attempts_exhausted", provider="smtp", attempt_count=8)

    data = told(callback("sending", "sending", row=row, provider="other", attempt_count=1))["data"]

    assert (data["status"], data["reason"], data["provider"], data["attempt_count"]) == (
        "sending",
        "sending",
        "other",
        1,
    )


@pytest.mark.parametrize(("size", "is_kept"), [(200, True), (500, False)])
def test_metadata_is_left_out_where_it_is_too_long(size, is_kept):
    row = NotificationFactory(metadata={f"key{number}": "€" * size for number in range(20)})

    body = body_of(callback("queued", row=row))

    assert len(body.encode()) <= LONGEST_BODY
    assert bool(json.loads(body)["data"]["metadata"]) is is_kept


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("opt_out", {"name": "Ann Secret", "category": "updates"}),
        ("cancelled", {"who": "Sam Secret", "reason": "Ann Secret wished so"}),
        ("attempts_exhausted", {"error": "<ann.secret@example.com> unknown", "n": "8", "provider": "smtp"}),
    ],
)
def test_nobody_is_named(reason, data):
    text = body_of(callback("failed", reason, data=data)).lower()

    assert "secret" not in text


def test_the_sentence_is_that_of_the_moment():
    later = AT + timedelta(hours=1)

    assert told(callback("accepted", "scheduled", available_at=later))["data"]["detail"]
