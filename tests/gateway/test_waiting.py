"""What waits for the end of a silence is decided again when wishes change."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateway.decision import promised
from gateway.models import Notification, NotificationEvent, WaitingFor
from gateway.statuses import Status
from gateway.waiting import NOTES_KEPT_FOR, redecide_waiting
from tests.factories import NotificationFactory, UserFactory, ago, ahead
from users.delivery_policy import SPREAD
from users.models import ChangedWishes
from users.preferences import Origin, Wish, change_preferences
from users.quiet_hours_setting import clear_quiet_hours, set_quiet_hours

pytestmark = pytest.mark.django_db

QUIET = {"waiting_for": WaitingFor.QUIET_HOURS, "reason": "quiet_hours"}


@pytest.fixture
def ann():
    return UserFactory(timezone="Asia/Kolkata")


def silence(user, *, hours=2, **options):
    """From an hour ago until the full minute after so many; returns its end."""
    now = datetime.now(UTC)
    end = (now + timedelta(hours=hours)).replace(second=0, microsecond=0)
    set_quiet_hours(user=user, start=(now - timedelta(hours=1)).time(), end=end.time(), timezone="UTC", **options)
    return end


def waiting(user, **fields):
    return NotificationFactory(user=user, **{"available_at": ahead(hours=5)} | QUIET | fields)


def seen(row):
    row.refresh_from_db()
    return row.status, row.reason, row.waiting_for


def test_without_a_change_nothing_is_asked(ann):
    waiting(ann)

    with CaptureQueriesContext(connection) as captured:
        assert redecide_waiting(limit=10) == 0
    assert len([each for each in captured if "users_changedwishes" in each["sql"]]) == 1
    assert not [each for each in captured if "gateway_notification" in each["sql"]]


def test_another_end_is_another_moment(ann):
    row = waiting(ann)
    end = silence(ann)

    assert redecide_waiting(limit=10) == 1

    assert seen(row) == (Status.ACCEPTED, "quiet_hours", "quiet_hours")
    assert end <= row.available_at < end + SPREAD
    assert promised(row.available_at, row.reason) == end
    local = f"{end + timedelta(hours=5, minutes=30):%Y-%m-%d %H:%M} (Asia/Kolkata)"
    assert row.reason_data["t"] == local
    assert NotificationEvent.objects.get().reason == "quiet_hours"


def test_silence_that_was_given_up_releases_at_once(ann):
    silence(ann)
    row, elsewhere = waiting(ann), waiting(UserFactory())
    clear_quiet_hours(user=ann)

    assert redecide_waiting(limit=10) == 1

    assert seen(row) == (Status.ACCEPTED, "waiting", "")
    assert list(Notification.objects.due()) == [row]
    assert seen(elsewhere)[1] == "quiet_hours"


def test_a_change_of_zone_decides_anew(ann):
    now = datetime.now(UTC)
    set_quiet_hours(user=ann, start=(now - timedelta(hours=1)).time(), end=(now + timedelta(hours=1)).time())
    row = waiting(ann)
    ann.refresh_from_db()
    ann.timezone = "UTC"
    ann.save()

    redecide_waiting(limit=10)

    assert seen(row)[1] == "quiet_hours"
    assert row.available_at - now < timedelta(hours=1, seconds=30)


def test_what_is_not_wanted_any_more_is_left_to_its_consumer_at_once(ann):
    silence(ann)
    row = waiting(ann)
    wish = Wish(channels={"email": False}, categories={})
    change_preferences(user=ann, wish=wish, origin=Origin(by="self", source="api"))

    redecide_waiting(limit=10)

    assert list(Notification.objects.due()) == [row]


def test_a_schedule_is_kept_when_silence_ends_before_it(ann):
    send_at = datetime.now(UTC) + timedelta(hours=3)
    row = waiting(ann, send_at=send_at)
    clear_quiet_hours(user=ann)
    silence(ann)

    redecide_waiting(limit=10)

    assert seen(row) == (Status.ACCEPTED, "scheduled", WaitingFor.SCHEDULE)
    assert row.available_at == send_at


def test_what_waits_for_another_reason_is_left_alone(ann):
    retry = waiting(ann, waiting_for=WaitingFor.RETRY, reason="retrying")
    claimed = waiting(ann, status=Status.CLAIMED)
    clear_quiet_hours(user=ann)
    silence(ann)

    assert redecide_waiting(limit=10) == 0
    assert (seen(retry)[1], seen(claimed)[0]) == ("retrying", Status.CLAIMED)


def test_a_note_is_read_again_for_some_seconds_and_changes_nothing_twice(ann):
    silence(ann)
    first = waiting(ann)
    assert redecide_waiting(limit=10) == 1

    late = waiting(ann)  # accepted by the old wishes, stored a moment later
    assert redecide_waiting(limit=10) == 1
    assert redecide_waiting(limit=10) == 0
    assert seen(first) == seen(late)

    ChangedWishes.objects.update(changed_at=ago(seconds=NOTES_KEPT_FOR.total_seconds() + 1))
    redecide_waiting(limit=10)
    assert not ChangedWishes.objects.exists()


def test_many_rows_of_many_people_take_no_more_statements_than_few():
    def statements(people, rows):
        for _ in range(people):
            person = UserFactory()
            for _ in range(rows):
                waiting(person)
            silence(person)
        with CaptureQueriesContext(connection) as captured:
            assert redecide_waiting(limit=100) == people * rows
        return len({each["sql"].split("WHERE")[0][:60] for each in captured}), len(captured)

    statements(1, 1)
    few, many = statements(1, 2), statements(4, 3)

    if connection.vendor == "postgresql":
        assert few[1] == many[1]
    assert few[0] == many[0]
