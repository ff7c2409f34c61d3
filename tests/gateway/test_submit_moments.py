"""`send_at` and `expires_at`: when a notification goes out, and until when it is useful."""

from datetime import timedelta, timezone

import pytest

from gateway.database_clock import database_now
from gateway.models import Notification
from tests.gateway.api_scene import (
    SOON,
    findings,
    in_time,
    is_now,
    moment,
    post,
    request_body,
    row,
    submit,
    template,
)

pytestmark = pytest.mark.django_db


def test_it_can_be_scheduled(shop):
    send_at = in_time(hours=2)

    answer = submit(shop, send_at=send_at)

    assert (answer["status"], answer["reason"]) == ("accepted", "scheduled")
    assert moment(answer["available_at"]) == pytest.approx(moment(send_at), abs=timedelta(milliseconds=1))
    stored = row(answer)
    assert stored.waiting_for == "schedule"
    assert not Notification.objects.due().exists()
    assert stored.expires_at - stored.send_at == timedelta(hours=72)


def test_any_offset_will_do(shop):
    local = (database_now() + timedelta(hours=2)).astimezone(timezone(timedelta(hours=5, minutes=45)))

    answer = submit(shop, send_at=local.isoformat())

    assert moment(answer["available_at"]) == pytest.approx(local, abs=timedelta(milliseconds=1))


def test_a_moment_that_has_just_passed_means_now(shop):
    answer = submit(shop, send_at=in_time(seconds=-50))

    assert answer["reason"] == "waiting"
    assert is_now(answer["available_at"])
    assert Notification.objects.due().exists()


def test_a_moment_in_the_past_is_refused(shop):
    response = post(shop, request_body(send_at=in_time(seconds=-70)))

    assert findings(response) == [("/send_at", "in_the_past")]


def test_a_moment_too_far_ahead_is_refused(shop):
    assert submit(shop, send_at=in_time(days=89))["reason"] == "scheduled"
    assert findings(post(shop, request_body(request_id="2", send_at=in_time(days=91)))) == [
        ("/send_at", "out_of_range")
    ]


@pytest.mark.parametrize(
    "given",
    [
        "2099-11-22T10:15:00",  # no offset
        "2099-11-22",
        "tomorrow",
        "",
        1795342504,
        "2099-02-30T10:15:00Z",
        "2099-11-22T25:15:00Z",
        "20991122T101500Z",  # not RFC 3339
        "2099-W01-1T10:15:00Z",
        "2099-11-22T10:15Z",
        "0001-01-01T00:00:00+14:00",  # no year in UTC
        "9999-12-31T23:59:59-14:00",
        ["2099-11-22T10:15:00Z"],
    ],
)
@pytest.mark.parametrize("field", ["send_at", "expires_at"])
def test_what_is_no_moment_is_refused(shop, field, given):
    assert findings(post(shop, request_body(**{field: given}))) == [(f"/{field}", "invalid")]


def test_it_expires_when_the_request_says(shop):
    expires_at = in_time(minutes=10)

    stored = row(submit(shop, expires_at=expires_at))

    assert stored.expires_at == moment(expires_at)


def test_without_that_the_template_says_when(shop):
    template("code", ttl_seconds=600)
    usual, short = row(submit(shop, request_id="1")), row(submit(shop, request_id="2", template_code="code"))

    assert usual.expires_at - usual.created_at == pytest.approx(timedelta(hours=72), abs=SOON)
    assert short.expires_at - short.created_at == pytest.approx(timedelta(minutes=10), abs=SOON)


@pytest.mark.parametrize(("send_at", "expires_at"), [(None, -1), (None, 0), (60, 30), (60, 60), (-30, -10)])
def test_it_cannot_expire_before_it_is_sent(shop, send_at, expires_at):
    now = database_now()
    moments = {"expires_at": (now + timedelta(seconds=expires_at)).isoformat()}
    if send_at is not None:
        moments["send_at"] = (now + timedelta(seconds=send_at)).isoformat()

    assert findings(post(shop, request_body(**moments))) == [("/expires_at", "in_the_past")]


def test_both_moments_are_named(shop):
    moments = {"send_at": in_time(days=-2), "expires_at": in_time(days=-1)}

    assert findings(post(shop, request_body(**moments))) == [
        ("/expires_at", "in_the_past"),
        ("/send_at", "in_the_past"),
    ]
