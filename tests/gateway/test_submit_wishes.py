"""The person's wishes at the moment of acceptance: turned off, nowhere to send, not now."""

from datetime import timedelta

import pytest

from gateway.database_clock import database_now
from gateway.models import Notification
from tests.factories import DeviceFactory, UserFactory
from tests.gateway.api_scene import (
    in_time,
    moment,
    row,
    submit,
    template,
)
from users.models import Preference, QuietHours, User

pytestmark = pytest.mark.django_db


# --- the person's wishes ----------------------------------------------------------------------------------------------


def suppressed(answer):
    """The reason; the notification is recorded and will not go out."""
    assert answer["status"] == "suppressed"
    stored = row(answer)
    assert (stored.status, stored.reason) == ("suppressed", answer["reason"])
    assert not Notification.objects.due().exists()
    return answer["reason"]


@pytest.mark.parametrize("category", [None, "updates"])
def test_somebody_who_turned_it_off_gets_nothing(shop, ann, category):
    Preference.objects.create(user=ann, channel="email", category_id=category, is_enabled=False)

    assert suppressed(submit(shop)) == "opt_out"


def test_switches_of_others_channels_and_categories_do_not_count(shop, ann):
    Preference.objects.create(user=ann, channel="push", is_enabled=False)
    Preference.objects.create(user=ann, channel="email", category_id="marketing", is_enabled=False)
    Preference.objects.create(user=UserFactory(external_id="user-2"), channel="email", is_enabled=False)

    assert submit(shop)["status"] == "accepted"


def test_security_cannot_be_turned_off(shop, ann):
    Preference.objects.create(user=ann, channel="email", is_enabled=False)
    template("reset", category_id="security")

    assert submit(shop, template_code="reset")["status"] == "accepted"


def test_without_an_address_there_is_no_mail(shop, ann):
    User.objects.filter(pk=ann.pk).update(email=None)

    assert suppressed(submit(shop)) == "no_address"


PUSH = {("en", "push"): {"title": "Hi", "body": "Hi {{ name }}", "link": "{{ verification_link }}"}}


def test_without_a_device_there_is_no_push(shop, ann):
    template("pushed", contents=PUSH)
    DeviceFactory(user=ann, is_active=False)

    assert suppressed(submit(shop, notification_type="push", template_code="pushed")) == "no_device"


def test_with_a_device_there_is(shop, ann):
    template("pushed", contents=PUSH)
    DeviceFactory(user=ann)

    answer = submit(shop, notification_type="push", template_code="pushed")

    assert (answer["status"], row(answer).channel) == ("accepted", "push")


def test_an_inactive_person_gets_nothing(shop, ann):
    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert suppressed(submit(shop)) == "user_inactive"


def test_a_suppressed_notification_is_final(shop, ann):
    User.objects.filter(pk=ann.pk).update(is_active=False)
    status = shop.get(submit(shop)["links"]["status"]).json()

    assert (status["status"], status["reason"], status["final"]) == ("suppressed", "user_inactive", True)
    assert "Ann" in status["detail"]


# --- quiet hours ------------------------------------------------------------------------------------------------------


def quiet_now(user, **changes):
    """Silence from an hour ago to two hours ahead, in the person's zone."""
    local = database_now()
    hours = {
        "start": (local - timedelta(hours=1)).time().replace(second=0, microsecond=0),
        "end": (local + timedelta(hours=2)).time().replace(second=0, microsecond=0),
    }
    QuietHours.objects.create(user=user, **hours | changes)
    return (local + timedelta(hours=2)).replace(second=0, microsecond=0)


def test_in_quiet_hours_it_waits_for_their_end(shop, ann):
    end = quiet_now(ann)

    answer = submit(shop)

    assert (answer["status"], answer["reason"]) == ("accepted", "quiet_hours")
    assert moment(answer["available_at"]) == end
    assert row(answer).waiting_for == "quiet_hours"
    assert not Notification.objects.due().exists()


def test_quiet_hours_that_are_switched_off_do_not_count(shop, ann):
    quiet_now(ann, is_enabled=False)

    assert submit(shop)["reason"] == "waiting"


def test_quiet_hours_of_the_other_channel_do_not_count(shop, ann):
    quiet_now(ann, channels=["push"])

    assert submit(shop)["reason"] == "waiting"


@pytest.mark.parametrize(("priority", "reason"), [(8, "quiet_hours"), (9, "waiting"), ("critical", "waiting")])
def test_from_priority_9_on_it_goes_at_once(shop, ann, priority, reason):
    quiet_now(ann)

    assert submit(shop, priority=priority)["reason"] == reason


def test_security_does_not_wait(shop, ann):
    quiet_now(ann)
    template("reset", category_id="security")

    assert submit(shop, template_code="reset")["reason"] == "waiting"


def test_a_schedule_that_ends_in_quiet_hours_waits_for_their_end(shop, ann):
    end = quiet_now(ann)

    answer = submit(shop, send_at=in_time(hours=1))

    assert (answer["reason"], moment(answer["available_at"])) == ("quiet_hours", end)


def test_a_schedule_after_quiet_hours_is_kept(shop, ann):
    quiet_now(ann)

    assert submit(shop, send_at=in_time(hours=3))["reason"] == "scheduled"


def test_the_status_says_when_it_will_go(shop, ann):
    end = quiet_now(ann)
    status = shop.get(submit(shop)["links"]["status"]).json()

    assert (status["status"], status["reason"], status["final"]) == ("accepted", "quiet_hours", False)
    assert moment(status["available_at"]) == end
    assert f"{end:%H:%M}" in status["detail"]
