"""The routes that read one notification: status, detail, attempts, events."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from gateway import answers
from gateway.database_clock import database_now
from gateway.models import DeliveryAttempt, NotificationEvent, ProviderEvent
from gateway.statuses import Status
from tests.gateway.api_scene import (
    NOTIFICATIONS,
    client_with_key,
    moment,
    put,
    refusal,
    row,
    submit,
)
from users.models import User

pytestmark = pytest.mark.django_db

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
#: Every route about one notification.
PARTS = ["", "status/", "attempts/", "events/"]


@pytest.fixture
def accepted(shop):
    return submit(shop, metadata={"order": "42"})


@pytest.fixture
def own(accepted):
    return accepted["links"]["self"]


# --- the members ------------------------------------------------------------------------------------------------------


def test_the_status(shop, own, accepted):
    answer = shop.get(f"{own}status/").json()

    assert answer == {
        "id": accepted["id"],
        "request_id": "req-123456",
        "status": "accepted",
        "reason": "waiting",
        "detail": "It will go out in a moment.",
        "final": False,
        "attempt_count": 0,
        "available_at": accepted["available_at"],
        "updated_at": answer["updated_at"],
    }
    assert MOMENT.fullmatch(answer["updated_at"])


def test_the_notification(shop, own, accepted, ann):
    answer = shop.get(own, headers={"X-Correlation-ID": "another story"}).json()

    created_at = answer["created_at"]
    assert MOMENT.fullmatch(created_at)
    assert moment(answer["expires_at"]) - moment(accepted["available_at"]) == timedelta(hours=72)
    assert answer == {
        "id": accepted["id"],
        "request_id": "req-123456",
        "batch_id": None,
        "resend_of": None,
        "correlation_id": row(accepted).correlation_id,
        "client": "shop",
        "notification_type": "email",
        "user_id": "user-123",
        "user": str(ann.pk),
        "template_code": "welcome_email",
        "template_version": 1,
        "locale": "en",
        "priority": 8,
        "priority_name": "high",
        "category": "updates",
        "simulated": False,
        "status": "accepted",
        "reason": "waiting",
        "detail": "It will go out in a moment.",
        "final": False,
        "provider": None,
        "attempt_count": 0,
        "complained": False,
        "possible_duplicate": False,
        "send_at": None,
        "available_at": accepted["available_at"],
        "expires_at": answer["expires_at"],
        "created_at": created_at,
        "updated_at": answer["updated_at"],
        "sent_at": None,
        "delivered_at": None,
        "metadata": {"order": "42"},
        "links": {
            "self": own,
            "status": f"{own}status/",
            "attempts": f"{own}attempts/",
            "events": f"{own}events/",
        },
    }


def test_variables_are_not_shown(shop, accepted):
    for part in PARTS:
        body = shop.get(accepted["links"]["self"] + part).content
        assert b"John Doe" not in body
        assert b"abc123" not in body


def test_who_has_no_id_of_the_client_is_shown_by_ours(shop, welcome):
    other = User.objects.create(email="other@example.com")
    answer = shop.get(submit(shop, user_id=str(other.pk))["links"]["self"]).json()

    assert (answer["user_id"], answer["user"]) == (str(other.pk), str(other.pk))


def test_attempts_before_the_first_one(shop, own):
    assert shop.get(f"{own}attempts/").json() == {"results": [], "next": None, "previous": None}


def test_attempts_oldest_first(shop, own, accepted):
    token, device_id = uuid.uuid4(), uuid.uuid4()
    common = {"notification_id": accepted["id"], "claim_token": token, "provider": "smtp"}
    DeliveryAttempt.objects.create(
        number=1,
        outcome="transient",
        error_code="greylisted",
        provider_code="451 4.7.1",
        detail="try again later",
        retry_after=30,
        duration_ms=812,
        ended_at=Now(),
        **common,
    )
    DeliveryAttempt.objects.create(number=2, device_id=device_id, provider_message_id="m-1", **common)

    first, second = shop.get(f"{own}attempts/").json()["results"]

    assert MOMENT.fullmatch(first["started_at"])
    assert MOMENT.fullmatch(first["ended_at"])
    assert first == {
        "number": 1,
        "provider": "smtp",
        "device_id": None,
        "outcome": "transient",
        "error_code": "greylisted",
        "provider_code": "451 4.7.1",
        "detail": "try again later",
        "retry_after": 30,
        "started_at": first["started_at"],
        "ended_at": first["ended_at"],
        "duration_ms": 812,
        "provider_message_id": None,
    }
    assert second == {
        "number": 2,
        "provider": "smtp",
        "device_id": str(device_id),
        "outcome": None,
        "error_code": None,
        "provider_code": None,
        "detail": None,
        "retry_after": None,
        "started_at": second["started_at"],
        "ended_at": None,
        "duration_ms": None,
        "provider_message_id": "m-1",
    }


def test_events_begin_with_the_acceptance(shop, own):
    answer = shop.get(f"{own}events/").json()

    assert answer.keys() == {"results", "next", "previous"}
    [first] = answer["results"]
    assert first.keys() == {"sequence", "type", "at", "detail", "data"}
    assert (first["sequence"], first["type"]) == (1, "accepted")
    assert MOMENT.fullmatch(first["at"])
    assert "shop" in first["detail"]


def test_events_tell_the_whole_story_in_the_words_of_the_api(shop, own, accepted):
    notification = row(accepted)
    began = notification.created_at
    steps = [
        (NotificationEvent, {"type": "released", "reason": "waiting"}),
        (DeliveryAttempt, {"number": 1, "provider": "smtp", "outcome": "unknown", "claim_token": uuid.uuid4()}),
        (NotificationEvent, {"type": "unknown", "reason": "outcome_unknown", "data": {"provider": "smtp"}}),
        (NotificationEvent, {"type": "possible_duplicate", "reason": "waiting"}),
        (DeliveryAttempt, {"number": 2, "provider": "smtp", "outcome": "accepted", "claim_token": uuid.uuid4()}),
        (NotificationEvent, {"type": "sent", "reason": "sent", "data": {"provider": "smtp"}}),
        (ProviderEvent, {"type": "opened", "provider": "smtp", "event_id": "e-1"}),
    ]
    when = {NotificationEvent: "at", DeliveryAttempt: "started_at", ProviderEvent: "recorded_at"}
    for minute, (model, fields) in enumerate(steps, start=1):
        at = {when[model]: began + timedelta(minutes=minute)}
        model.objects.create(notification=notification, **fields, **at)

    events = shop.get(f"{own}events/").json()["results"]

    assert [each["sequence"] for each in events] == list(range(1, 9))
    assert [each["type"] for each in events] == [
        "accepted",
        "released",
        "sending",
        "sending",  # the doubt: api.md, section 20
        "possible_duplicate",
        "sending",
        "sent",
        "opened",
    ]
    assert all(each["detail"] for each in events)


# --- statuses and whether they are the last word ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        ("accepted", "waiting", ("accepted", "waiting", False)),
        ("accepted", "retrying", ("accepted", "retrying", False)),
        ("queued", "waiting", ("queued", "waiting", False)),
        ("claimed", "waiting", ("sending", "sending", False)),
        ("claimed", "retrying", ("sending", "sending", False)),
        ("sending", "sending", ("sending", "sending", False)),
        ("unknown", "outcome_unknown", ("sending", "outcome_unknown", False)),
        ("delivered", "delivered", ("delivered", "delivered", True)),
        ("bounced", "mailbox_unknown", ("bounced", "mailbox_unknown", True)),
        ("suppressed", "opt_out", ("suppressed", "opt_out", True)),
        ("cancelled", "cancelled", ("cancelled", "cancelled", True)),
        ("expired", "expired", ("expired", "expired", True)),
        ("failed", "attempts_exhausted", ("failed", "attempts_exhausted", True)),
    ],
)
def test_the_statuses_the_api_shows(shop, own, accepted, status, reason, shown):
    put(accepted, status=status, reason=reason)

    for part in ["", "status/"]:
        answer = shop.get(own + part).json()
        assert (answer["status"], answer["reason"], answer["final"]) == shown
        assert answer["detail"]


def test_every_status_has_a_place_in_the_api():
    assert answers.statuses.PUBLIC.keys() == set(Status)


@pytest.mark.parametrize(
    ("awaits_news", "hours_ago", "is_final"), [(False, 0, True), (True, 0, False), (True, 71, False), (True, 73, True)]
)
def test_sent_is_final_when_nothing_more_can_be_expected(shop, own, accepted, awaits_news, hours_ago, is_final):
    sent_at = database_now() - timedelta(hours=hours_ago)
    put(accepted, status="sent", reason="sent", awaits_news=awaits_news, sent_at=sent_at)

    assert shop.get(f"{own}status/").json()["final"] is is_final


# --- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_others_do_not_see_it(own, part):
    for stranger in [client_with_key(client="other"), client_with_key(mode="test")]:
        assert refusal(stranger.get(own + part)) == (404, "not_found")


@pytest.mark.parametrize("part", PARTS)
def test_another_key_of_the_same_client_does(own, part):
    assert client_with_key("notifications:read").get(own + part).status_code == 200


@pytest.mark.parametrize("part", PARTS)
def test_the_scope_to_read_is_needed(own, part):
    response = client_with_key("users:read").get(own + part)

    assert refusal(response) == (403, "insufficient_scope")
    assert response.json()["required_scope"] == "notifications:read"


@pytest.mark.parametrize("part", PARTS)
def test_what_does_not_exist_is_not_found(shop, part):
    assert refusal(shop.get(f"{NOTIFICATIONS}{uuid.uuid4()}/{part}")) == (404, "not_found")


@pytest.mark.parametrize(
    "name", ["1", "not-an-id", "019A2B7E-1111-7ABC-8DEF-0123456789AB", "019a2b7e11117abc", "%00", "ä"]
)
def test_a_malformed_id_is_not_found(shop, name):
    assert refusal(shop.get(f"{NOTIFICATIONS}{name}/status/")) == (404, "not_found")


@pytest.mark.parametrize("part", PARTS)
def test_it_can_be_read_when_its_person_is_gone(shop, own, part):
    User.objects.all().delete()

    assert shop.get(own + part).status_code == 200


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_a_database_that_does_not_answer(shop, own, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(answers, "status_answer", away)

    response = shop.get(f"{own}status/")

    assert refusal(response) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize(("part", "queries"), [("", 5), ("status/", 5), ("attempts/", 5), ("events/", 7)])
def test_reading_asks_the_database_little(shop, own, part, queries, django_assert_max_num_queries):
    """Whose key and how often it may (each once a second), how often it has, the row, the clock; and the lists."""
    with django_assert_max_num_queries(queries):
        shop.get(own + part)


def test_the_status_is_read_from_one_table(shop, own, django_assert_max_num_queries):
    with django_assert_max_num_queries(5) as queries:
        shop.get(f"{own}status/")

    assert not any("JOIN" in each["sql"] for each in queries.captured_queries)
