"""What will become of a request: decided from what is known, nothing is written."""

from datetime import UTC, datetime, time, timedelta

import pytest

from gateway.decision import UserNotFound, VariablesInvalid, decide_request
from gateway.models import Notification, WaitingFor
from gateway.request import NotificationRequest
from gateway.statuses import Status
from templates_app.models import Template
from templates_app.selection import (
    ChannelNotInTemplate,
    TemplateArchived,
    TemplateNotFound,
    TemplateNotPublished,
    TemplateVersionNotFound,
)
from tests.factories import UserFactory
from tests.gateway.api_scene import next_version, template
from users.models import QuietHours
from users.recipients import read_recipient

pytestmark = pytest.mark.django_db

#: A Monday, at night in Vienna (23:30).
NIGHT = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
NOON = datetime(2026, 11, 23, 11, tzinfo=UTC)
VARIABLES = {"name": "Ann", "verification_link": "https://example.com/v"}


@pytest.fixture
def ann():
    person = UserFactory(external_id="user-123", locale="de-AT", timezone="Europe/Vienna")
    QuietHours.objects.create(user=person, start=time(22), end=time(7))
    return person


@pytest.fixture
def welcome(ann):
    return template("welcome_email")


def decide(now=NOON, **changes):
    asked = {"channel": "email", "user_id": "user-123", "template_code": "welcome_email", "variables": VARIABLES}
    request = NotificationRequest(**asked | changes)
    recipient = read_recipient(request.user_id, channel=request.channel)
    return decide_request(request, recipient=recipient, now=now)


def test_it_goes_out_at_once(welcome):
    decision = decide()

    assert (decision.status, decision.reason, decision.waiting_for) == (Status.ACCEPTED, "waiting", "")
    assert decision.available_at == NOON
    assert decision.expires_at == NOON + timedelta(hours=72)
    assert (decision.recipient.public_id, decision.locale) == ("user-123", "en")
    assert decision.chosen.words.number == 1
    assert decision.variables == VARIABLES
    assert decision.warnings == ()


def test_nothing_is_written(welcome):
    decide()

    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"user_id": "nobody"}, UserNotFound),
        ({"template_code": "nothing"}, TemplateNotFound),
        ({"template_version": 2}, TemplateVersionNotFound),
        ({"channel": "push"}, ChannelNotInTemplate),
        ({"variables": {}}, VariablesInvalid),
    ],
)
def test_what_cannot_become_a_notification(welcome, changes, refusal):
    with pytest.raises(refusal):
        decide(**changes)


def test_a_template_out_of_use(welcome):
    Template.objects.update(is_archived=True)
    with pytest.raises(TemplateArchived):
        decide()


def test_a_template_that_is_only_a_draft(ann):
    template("draft", published=False)
    with pytest.raises(TemplateNotPublished):
        decide(template_code="draft")


def test_variables_are_held_against_the_version_that_is_used(welcome):
    next_version(
        welcome, variables=[*welcome.live_version.variables, {"name": "age", "type": "integer", "required": True}]
    )

    with pytest.raises(VariablesInvalid) as caught:
        decide()
    assert (caught.value.template, caught.value.version) == ("welcome_email", 2)
    assert [each.pointer for each in caught.value.findings] == ["/variables/age"]
    assert decide(template_version=1).chosen.words.number == 1


def test_what_the_template_does_not_know_is_left_out_and_told(welcome):
    decision = decide(variables=VARIABLES | {"colour": "red"})

    assert decision.variables == VARIABLES
    assert [each["code"] for each in decision.warnings] == ["variable_unknown"]


def test_defaults_are_filled_in(ann):
    template(
        "coupon",
        variables=[{"name": "code", "type": "string", "default": "TEN"}],
        contents={("en", "email"): {"subject": "{{ code }}", "html": "{{ code }}"}},
    )

    assert decide(template_code="coupon", variables={}).variables == {"code": "TEN"}


# --- when -------------------------------------------------------------------------------------------------------------


def test_at_night_it_waits_for_the_morning(welcome):
    decision = decide(NIGHT)

    assert (decision.status, decision.reason, decision.waiting_for) == (
        Status.ACCEPTED,
        "quiet_hours",
        WaitingFor.QUIET_HOURS,
    )
    assert decision.available_at == datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert decision.data["t"] == "2026-11-24 07:00 (Europe/Vienna)"


def test_a_time_limit_counts_from_the_acceptance_also_at_night(welcome):
    assert decide(NIGHT).expires_at == NIGHT + timedelta(hours=72)


@pytest.mark.parametrize(
    ("priority", "reason"), [(0, "quiet_hours"), (8, "quiet_hours"), (9, "waiting"), (10, "waiting")]
)
def test_the_most_urgent_does_not_wait(welcome, priority, reason):
    assert decide(NIGHT, priority=priority).reason == reason


def test_the_category_of_the_template_counts(ann):
    template("reset", category_id="security")

    assert decide(NIGHT, template_code="reset").reason == "waiting"


def test_a_schedule(welcome):
    later = NOON + timedelta(hours=2)
    decision = decide(send_at=later)

    assert (decision.reason, decision.waiting_for) == ("scheduled", WaitingFor.SCHEDULE)
    assert (decision.available_at, decision.expires_at) == (later, later + timedelta(hours=72))
    assert decision.data["t"] == "2026-11-23 14:00 (Europe/Vienna)"


def test_a_schedule_into_the_night_waits_for_the_morning(welcome):
    decision = decide(NOON, send_at=NIGHT)

    assert (decision.reason, decision.available_at) == ("quiet_hours", datetime(2026, 11, 24, 6, tzinfo=UTC))


def test_a_schedule_of_the_most_urgent_stays_what_it_is(welcome):
    decision = decide(NOON, send_at=NIGHT, priority=9)

    assert (decision.reason, decision.available_at) == ("scheduled", NIGHT)


def test_a_schedule_that_has_just_passed_means_now(welcome):
    decision = decide(NOON, send_at=NOON - timedelta(seconds=30))

    assert (decision.reason, decision.available_at) == ("waiting", NOON)


def test_the_request_may_set_the_time_limit(welcome):
    assert decide(expires_at=NOON + timedelta(minutes=1)).expires_at == NOON + timedelta(minutes=1)


def test_or_the_template(ann):
    template("code", ttl_seconds=600)

    assert decide(template_code="code").expires_at == NOON + timedelta(minutes=10)


def test_what_nobody_wants_is_decided_for_good(welcome, ann):
    ann.preferences.create(channel="email", is_enabled=False)
    decision = decide(NIGHT, send_at=NIGHT + timedelta(hours=1))

    assert (decision.status, decision.reason, decision.waiting_for) == (Status.SUPPRESSED, "opt_out", "")
    assert decision.available_at == NIGHT
