import pytest

from gateway import metrics
from gateway.batch_submission import submit_batch
from gateway.metrics import METRICS, Changed
from gateway.models import Notification
from gateway.outbox import Held, Verdict, cancel, settle
from gateway.request import NotificationRequest
from gateway.statuses import GIVE_UP_EARLY
from gateway.submission import submit_notification
from tests.factories import NotificationFactory
from tests.gateway.api_scene import post, request_body
from tests.gateway.ledger_scene import claim, held, some
from tests.metrics_scene import growth, value


@pytest.mark.parametrize("name", METRICS)
def test_a_name_says_what_it_is_and_in_which_unit(name):
    metric = METRICS[name]

    assert name.startswith("notify_")
    assert name.endswith("_total") == (metric.kind == "counter")
    assert metric.kind != "histogram" or name.endswith("_seconds")
    assert metric.meaning.endswith(".")


def test_no_label_can_name_a_person_or_a_key():
    labels = {label for metric in METRICS.values() for label in metric.labels}

    assert labels == {
        *("route", "method", "status", "key_type", "channel", "reason", "provider", "outcome", "lane"),
        *("template", "to", "queue", "state", "role", "version", "commit"),
    }


def test_a_way_back_to_accepted_is_a_retry_and_no_submit():
    before = value("notify_notifications_total", channel="email", status="accepted")
    tries = value("notify_retries_total", channel="email", provider="smtp")

    metrics.count_changes([(Changed("email", "accepted", "retrying", "smtp"), 3)])

    assert value("notify_notifications_total", channel="email", status="accepted") == before
    assert value("notify_retries_total", channel="email", provider="smtp") == tries + 3


def test_a_disk_that_is_full_undoes_nothing(monkeypatch):
    def full(*labels):
        raise OSError("No space left on device")

    monkeypatch.setattr(metrics, "_counter_of", full)
    monkeypatch.setattr(metrics, "_histogram_of", full)

    metrics.count_submitted("email", "accepted")
    metrics.note_query(0.1)


def test_a_clock_that_is_ahead_measures_nothing_negative():
    before = value("notify_end_to_end_duration_seconds_sum", channel="push", lane="low")

    metrics.note_end_to_end(channel="push", lane="low", seconds=-3)

    assert value("notify_end_to_end_duration_seconds_sum", channel="push", lane="low") == before


# --- where use cases count --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_submit_is_counted_once_and_its_replay_as_such(shop):
    accepted = growth("notify_notifications_total", channel="email", status="accepted")
    replays = growth("notify_idempotent_replays_total")

    post(shop, request_body(request_id="again"))
    post(shop, request_body(request_id="again"))

    assert (accepted(), replays()) == (1, 1)


@pytest.mark.django_db
def test_tests_are_not_counted(shop, django_capture_on_commit_callbacks):
    accepted = growth("notify_notifications_total", channel="email", status="accepted")
    failed = growth("notify_notifications_total", channel="email", status="failed")
    dead = growth("notify_dead_letters_total", channel="email", reason="rejected")
    asked = NotificationRequest(
        channel="email", user_id="user-123", template_code="welcome_email", variables=request_body()["variables"]
    )

    submit_notification(asked, client="shop", mode="test", correlation_id="")
    submit_batch([asked], client="shop", mode="test", correlation_id="")
    [mine] = claim(NotificationFactory(is_simulated=True))
    with django_capture_on_commit_callbacks(execute=True):
        settle([(held(mine), Verdict(change=GIVE_UP_EARLY, reason="rejected"))])

    assert Notification.objects.filter(is_simulated=True).count() == 3
    assert (accepted(), failed(), dead()) == (0, 0, 0)


@pytest.mark.django_db
def test_a_change_counts_when_it_is_committed(django_capture_on_commit_callbacks):
    rows = some(2)
    cancelled = growth("notify_notifications_total", channel="email", status="cancelled")

    with django_capture_on_commit_callbacks() as committed:
        for row in rows:
            cancel(row.pk, who="ann")

    assert cancelled() == 0
    for callback in committed:
        callback()
    assert cancelled() == 2


@pytest.mark.django_db
def test_what_is_given_up_is_counted_by_its_reason(django_capture_on_commit_callbacks):
    mine = claim(*some(2))
    dead = growth("notify_dead_letters_total", channel="email", reason="template_error")

    with django_capture_on_commit_callbacks(execute=True):
        verdict = Verdict(change=GIVE_UP_EARLY, reason="template_error")
        settle([(held(mine[0]), verdict), (Held(mine[1].pk), verdict)])  # the second is not ours

    assert dead() == 1
