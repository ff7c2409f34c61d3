"""Idempotency at the API: the same request is answered again, another one under the same id is refused."""

from datetime import timedelta

import pytest

from gateway.database_clock import database_now
from gateway.models import Notification
from templates_app.models import Template
from tests.factories import UserFactory
from tests.gateway.api_scene import (
    PUBLISHED,
    client_with_key,
    findings,
    in_time,
    next_version,
    post,
    put,
    refusal,
    request_body,
    row,
    submit,
    template,
)
from users.models import Preference, User

pytestmark = pytest.mark.django_db


def is_replay_of(response, first):
    """Whether this answer is the first one again: word for word, and `current` beside it."""
    answer = response.json()
    assert response.status_code == 200, answer
    assert response["Idempotency-Replayed"] == "true"
    assert response["Location"] == first["links"]["self"]
    current = answer.pop("current")
    assert current.keys() == {"status", "reason", "final", "available_at"}
    assert Notification.objects.count() == 1
    return answer == first


def is_refused_for(response, first):
    problem = response.json()
    assert refusal(response) == (422, "idempotency_key_reused")
    assert Notification.objects.count() == 1
    return problem["notification_id"] == first["id"]


# --- the same request -------------------------------------------------------------------------------------------------


def test_the_same_request_is_answered_again(shop):
    first = post(shop, PUBLISHED).json()

    assert is_replay_of(post(shop, PUBLISHED), first)
    assert is_replay_of(post(shop, PUBLISHED), first)


def test_a_replay_says_where_it_is_now(shop):
    first = submit(shop)
    assert submit(shop)["current"] == {
        "status": "accepted",
        "reason": "waiting",
        "final": False,
        "available_at": first["available_at"],
    }

    put(first, status="delivered", reason="delivered", available_at="2026-11-23T06:00:00Z")

    answer = submit(shop)
    assert (answer["status"], answer["reason"]) == ("accepted", "waiting")
    assert answer["current"] == {
        "status": "delivered",
        "reason": "delivered",
        "final": True,
        "available_at": "2026-11-23T06:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        ("unknown", "outcome_unknown", ("sending", "outcome_unknown")),
        ("sending", "sending", ("sending", "sending")),
        ("sent", "sent", ("sent", "sent")),
    ],
)
def test_a_replay_speaks_of_the_statuses_of_the_api(shop, status, reason, shown):
    put(submit(shop), status=status, reason=reason, sent_at=database_now())

    current = submit(shop)["current"]
    assert (current["status"], current["reason"]) == shown


def test_warnings_and_simulation_are_repeated(ann, welcome):
    client = client_with_key(mode="test")
    variables = {"name": "Ann", "verification_link": "https://example.com", "nickname": "A"}
    first = submit(client, variables=variables)

    assert is_replay_of(post(client, request_body(variables=variables)), first)
    assert first["warnings"]
    assert first["simulated"]


def test_a_suppressed_notification_is_replayed_too(shop, ann):
    switch = Preference.objects.create(user=ann, channel="email", is_enabled=False)
    first = submit(shop)
    switch.delete()

    assert is_replay_of(post(shop, PUBLISHED), first)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"priority": "high"}, {"priority": 8}),
        ({"priority": ...}, {"priority": "Normal"}),
        ({"priority": None}, {"priority": 5}),
        ({"locale": "de-at"}, {"locale": "DE-AT"}),
        ({"metadata": {"a": "1", "b": "2"}}, {"metadata": {"b": "2", "a": "1"}}),
        ({"metadata": {}}, {"metadata": ...}),
        ({"metadata": None}, {"metadata": {}}),
        ({"template_version": None}, {"template_version": ...}),
        ({"expires_at": "2099-11-22T10:15:00Z"}, {"expires_at": "2099-11-22T11:15:00.000000+01:00"}),
        ({"expires_at": "2099-11-22T10:15:00.5Z"}, {"expires_at": "2099-11-22t10:15:00.500-00:00"}),
    ],
)
def test_another_spelling_is_the_same_request(shop, before, after):
    first = submit(shop, **before)

    assert is_replay_of(post(shop, request_body(**after)), first)


def test_another_spelling_of_a_schedule_is_the_same_request(shop):
    moment = (database_now() + timedelta(hours=2)).replace(microsecond=0)
    first = submit(shop, send_at=moment.isoformat())

    assert is_replay_of(post(shop, request_body(send_at=f"{moment:%Y-%m-%dT%H:%M:%S}.000Z")), first)


def test_the_order_of_names_makes_no_difference(shop):
    first = submit(shop)
    body = request_body()
    body["variables"] = dict(reversed(body["variables"].items()))

    assert is_replay_of(post(shop, dict(reversed(body.items()))), first)


def test_our_id_of_the_person_is_the_same_person(shop, ann):
    first = submit(shop)

    assert is_replay_of(post(shop, request_body(user_id=str(ann.pk))), first)
    assert is_replay_of(post(shop, request_body(user_id=str(ann.pk).upper())), first)


# --- another request --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"notification_type": "push"},
        {"user_id": "user-2"},
        {"user_id": "nobody"},
        {"template_code": "other"},
        {"template_code": "nothing"},
        {"template_version": 1},
        {"locale": "de"},
        {"variables": {"name": "John Doe", "verification_link": "https://app.example.com/verify/abc124"}},
        {"variables": {"name": "John Doe"}},
        {"priority": "critical"},
        {"send_at": "2026-12-01T10:00:00Z"},
        {"send_at": "2020-12-01T10:00:00Z"},
        {"expires_at": "2099-12-01T10:00:00Z"},
        {"metadata": {"order": "42"}},
    ],
)
def test_another_request_under_the_same_id_is_refused(shop, change):
    UserFactory(external_id="user-2")
    template("other")
    first = submit(shop)

    assert is_refused_for(post(shop, request_body(**change)), first)


def test_a_faulty_request_is_faulty_whatever_its_id(shop):
    """400 comes before 422."""
    submit(shop)

    assert findings(post(shop, request_body(priority="urgent"))) == [("/priority", "invalid")]


# --- what may have changed since --------------------------------------------------------------------------------------


def test_it_is_replayed_when_its_person_is_gone(shop, ann):
    first = submit(shop)
    own_id = str(ann.pk)
    User.objects.all().delete()

    assert is_replay_of(post(shop, PUBLISHED), first)
    assert is_replay_of(post(shop, request_body(user_id=own_id)), first)
    assert is_replay_of(post(shop, request_body(user_id=own_id.upper())), first)
    assert is_refused_for(post(shop, request_body(user_id="user-2")), first)


def test_it_is_refused_when_its_id_now_names_somebody_else(shop, ann):
    first = submit(shop)
    User.objects.filter(pk=ann.pk).update(external_id="user-old")
    UserFactory(external_id="user-123", email="new@example.com")

    assert is_refused_for(post(shop, PUBLISHED), first)
    assert is_replay_of(post(shop, request_body(user_id="user-old")), first)


def test_it_is_replayed_when_its_person_was_renamed(shop, ann):
    first = submit(shop)
    User.objects.filter(pk=ann.pk).update(external_id="user-old")

    assert is_replay_of(post(shop, PUBLISHED), first)


def test_it_is_replayed_when_its_template_is_archived(shop):
    first = submit(shop)
    Template.objects.update(is_archived=True)

    assert is_replay_of(post(shop, PUBLISHED), first)


def test_it_is_replayed_when_its_template_has_another_code(shop):
    first = submit(shop)
    Template.objects.update(code="renamed")

    assert is_replay_of(post(shop, PUBLISHED), first)


def test_it_is_replayed_when_the_next_version_needs_more(shop, welcome):
    first = submit(shop)
    more = [*welcome.live_version.variables, {"name": "age", "type": "integer", "required": True}]
    next_version(welcome, variables=more)

    assert is_replay_of(post(shop, PUBLISHED), first)
    assert row(first).template_version.number == 1


@pytest.mark.parametrize("column", ["send_at", "expires_at"])
def test_it_is_replayed_when_its_moment_has_passed(shop, column, monkeypatch):
    body = request_body(**{column: in_time(hours=1)})
    first = post(shop, body).json()
    later = database_now() + timedelta(hours=3)
    monkeypatch.setattr("gateway.submission.about_now", lambda: later)

    assert is_replay_of(post(shop, body), first)
    assert findings(post(shop, body | {"request_id": "another"})) == [(f"/{column}", "in_the_past")]


# --- whose request id it is -------------------------------------------------------------------------------------------


def test_clients_do_not_collide(shop):
    first, other = submit(shop), submit(client_with_key(client="other"))

    assert first["id"] != other["id"]


def test_live_and_test_do_not_collide(shop):
    first, other = submit(shop), submit(client_with_key(mode="test"))

    assert first["id"] != other["id"]


def test_keys_of_one_client_share_their_request_ids(shop):
    first = submit(shop)

    assert is_replay_of(post(client_with_key(), PUBLISHED), first)


def test_request_ids_are_compared_letter_by_letter(shop):
    assert submit(shop, request_id="Order-1")["id"] != submit(shop, request_id="order-1")["id"]


@pytest.mark.parametrize("request_id", ["x", "x" * 255, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\"\\"])
def test_any_printable_ascii_will_do(shop, request_id):
    first = submit(shop, request_id=request_id)

    assert first["request_id"] == request_id
    assert is_replay_of(post(shop, request_body(request_id=request_id)), first)


# --- the header -------------------------------------------------------------------------------------------------------


def with_key(client, key, **changes):
    return post(client, request_body(**changes), headers={"Idempotency-Key": key})


def test_the_header_stands_for_the_request_id(shop):
    first = with_key(shop, "req-1", request_id=...).json()

    assert first["request_id"] == "req-1"
    assert is_replay_of(with_key(shop, "req-1", request_id=...), first)
    assert is_replay_of(with_key(shop, "req-1", request_id=None), first)
    assert is_replay_of(post(shop, request_body(request_id="req-1")), first)


def test_header_and_body_may_say_the_same(shop):
    assert with_key(shop, "req-123456").status_code == 202


@pytest.mark.parametrize("key", ["req-other", "REQ-123456", "two words", ""])
def test_header_and_body_must_not_differ(shop, key):
    assert refusal(with_key(shop, key)) == (400, "idempotency_key_mismatch")
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("key", "code"), [("two words", "invalid"), ("ä", "invalid"), ("", "invalid"), ("x" * 256, "too_long")]
)
def test_a_bad_header_is_named_beside_everything_else(shop, key, code):
    response = with_key(shop, key, request_id=..., priority="urgent")

    assert findings(response) == [("/priority", "invalid"), ("/request_id", code)]


def test_a_bad_request_id_is_named_although_the_header_is_good(shop):
    assert findings(with_key(shop, "req-1", request_id=5)) == [("/request_id", "invalid")]


def test_without_an_id_nothing_is_replayed(shop):
    first, second = submit(shop, request_id=...), submit(shop, request_id=...)

    assert first["id"] != second["id"]
