"""What the logs tell of a notification: enough to follow its correlation id, and nothing personal."""

import pytest
from structlog.testing import capture_logs

from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.engine import MAX_ATTEMPTS, forget_providers, make_due, now_as, several
from tests.fakes import ACCEPTED, BUSY, CUT_OFF, REFUSED, FakeProvider, away
from users.channels import Channel
from users.models import Preference

pytestmark = pytest.mark.django_db


@pytest.fixture
def one():
    (notification,) = several(1)
    Notification.objects.filter(pk=notification.pk).update(correlation_id="order-17")
    return now_as(notification)


def lines_of(lines):
    return [
        (each["log_level"], each["event"], each["reason"], each["notification_id"], each["correlation_id"])
        for each in lines
        if each.get("action") == "deliver"
    ]


@pytest.mark.parametrize(
    ("answer", "level", "event", "reason"),
    [
        (ACCEPTED, "debug", "Sent.", "sent"),
        (BUSY, "info", "Not taken; it is tried again.", "retrying"),
        (CUT_OFF, "warning", "It may or may not have gone out.", "outcome_unknown"),
        (REFUSED, "warning", "Given up.", "mailbox_unknown"),
    ],
)
def test_an_answer_is_told_with_the_ids_to_follow_it(deliver, one, answer, level, event, reason, caplog):
    caplog.set_level("DEBUG", logger="consumers.delivery_log")
    with capture_logs() as lines:
        deliver(FakeProvider(answer), one)

    assert lines_of(lines) == [(level, event, reason, str(one.pk), "order-17")]


def test_what_was_sent_is_no_line_at_the_usual_level(deliver, one, caplog):
    caplog.set_level("INFO", logger="consumers.delivery_log")
    with capture_logs() as lines:
        deliver(FakeProvider(ACCEPTED), one)

    assert lines_of(lines) == []


def test_the_code_of_a_refusal_is_told_and_not_the_words_that_may_hold_an_address(deliver, one):
    with capture_logs() as lines:
        deliver(FakeProvider(REFUSED), one)

    (line,) = [each for each in lines if each.get("action") == "deliver"]
    assert (line["code"], line["provider"], line["channel"]) == (REFUSED.provider_code, "fake", "email")
    assert REFUSED.detail not in str(line)


def test_what_is_not_to_be_sent_is_told(deliver, one):
    Preference.objects.create(user_id=one.user_id, channel=Channel.EMAIL, is_enabled=False)
    with capture_logs() as lines:
        deliver(FakeProvider(), one)

    assert lines_of(lines) == [("info", "Not sent.", "opt_out", str(one.pk), "order-17")]


def test_a_dead_letter_that_never_reached_its_provider_is_told_and_a_wait_has_one_line_for_all(deliver, one):
    events = []
    for _ in range(MAX_ATTEMPTS):
        make_due(one)
        forget_providers()
        with capture_logs() as lines:
            deliver(FakeProvider(connects=[away()]), one)
        events += lines_of(lines)

    assert now_as(one).status == Status.FAILED
    assert events == [("warning", "Given up.", "attempts_exhausted", str(one.pk), "order-17")]
