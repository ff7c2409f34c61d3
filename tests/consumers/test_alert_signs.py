"""Each sign finds its trouble and nothing else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from consumers import alert_signs, news_away
from consumers.models import Alert
from gateway import provider_states
from gateway.models import CallbackEndpoint, Notification, ProviderState
from gateway.statuses import Status
from tests.factories import NotificationFactory, ago, ahead

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_use(settings):
    settings.EMAIL_PROVIDERS = ["smtp", "other", "third"]


def found(sign, told_up_to=None):
    return list(sign(told_up_to))


@pytest.mark.parametrize("sign", alert_signs.SIGNS.values())
def test_where_all_is_well_nothing_is_found(sign):
    NotificationFactory()
    NotificationFactory(status=Status.SENT)
    NotificationFactory(status=Status.UNKNOWN)
    NotificationFactory(available_at=ahead(hours=1))
    assert found(sign) == []


def test_dead_letters_are_found_with_the_first_of_them_and_nobodys_name():
    first = NotificationFactory(status=Status.FAILED, reason="poison", template_version__template__code="welcome")
    Notification.objects.filter(pk=first.pk).update(updated_at=ago(hours=1))
    newest = NotificationFactory(status=Status.FAILED, reason="rejected")
    (finding,) = found(alert_signs.dead_letters)
    assert (finding.kind, finding.count, finding.first) == (Alert.Kind.DEAD_LETTERS, 2, first.pk)
    assert finding.sentence == "2 new dead letters; the first: Set aside (welcome)."
    assert finding.newest_at == newest.updated_at


def test_dead_letters_that_were_told_are_not_counted_again_but_still_wait():
    old = NotificationFactory(status=Status.FAILED)
    Notification.objects.filter(pk=old.pk).update(updated_at=ago(hours=2))
    old.refresh_from_db()
    (finding,) = found(alert_signs.dead_letters, old.updated_at)
    assert (finding.count, finding.newest_at) == (0, old.updated_at)
    new = NotificationFactory(status=Status.FAILED)
    (finding,) = found(alert_signs.dead_letters, old.updated_at)
    assert (finding.count, finding.first) == (1, new.pk)


def test_discarded_dead_letters_are_no_trouble():
    NotificationFactory(status=Status.FAILED, discarded_at=ago(days=1))
    assert found(alert_signs.dead_letters) == []


def test_very_many_are_counted_up_to_a_bound(monkeypatch):
    monkeypatch.setattr(alert_signs, "COUNTED", 2)
    for _ in range(3):
        NotificationFactory(status=Status.FAILED)
    (finding,) = found(alert_signs.dead_letters)
    assert finding.sentence.startswith("2 or more new dead letters;")


@pytest.mark.parametrize(
    "columns",
    [
        {"available_at": ago(seconds=90)},
        {"available_at": ago(seconds=90), "priority": 10, "channel": "push"},
        {"status": Status.QUEUED, "available_at": ago(seconds=90), "published_at": ago(seconds=90)},
    ],
)
def test_a_message_that_is_due_for_over_a_minute_is_found(columns):
    row = NotificationFactory(**columns)
    (finding,) = found(alert_signs.oldest_due)
    assert (finding.count, finding.first) == (1, row.pk)
    assert finding.sentence.startswith("1 message due for over a minute, one for 9")


@pytest.mark.parametrize(
    "columns",
    [
        {"available_at": ago(seconds=50)},
        {"available_at": ago(seconds=90), "expires_at": ago(seconds=1)},
        {"status": Status.QUEUED, "available_at": ago(seconds=90), "published_at": ago(seconds=30)},
        {"status": Status.CLAIMED, "available_at": ago(seconds=90)},
    ],
)
def test_what_is_not_waiting_too_long_is_not_found(columns):
    NotificationFactory(**columns)
    assert found(alert_signs.oldest_due) == []


def test_doubts_are_found_when_they_are_held_for_an_hour():
    old = NotificationFactory(status=Status.UNKNOWN, updated_at=ago(minutes=61))
    NotificationFactory(status=Status.UNKNOWN, updated_at=ago(minutes=59))
    (finding,) = found(alert_signs.doubts)
    assert (finding.count, finding.first) == (1, old.pk)
    assert "the first at capture" in finding.sentence


def provider(**columns):
    given = {"channel": "email", "state": ProviderState.State.OPEN, "opened_at": ago(minutes=6)}
    return ProviderState.objects.create(**({"provider": "smtp", "last_error": "Connection refused."} | given | columns))


def test_a_provider_that_is_paused_for_five_minutes_is_found():
    provider()
    provider(provider="other", opened_at=ago(minutes=4))
    provider(provider="third", state=ProviderState.State.CLOSED)
    provider(provider="fourth", forced=ProviderState.Force.OPEN)
    (finding,) = found(alert_signs.open_breakers)
    assert finding.subject == "email smtp"
    assert finding.sentence == "smtp (email) has been paused for over 5 minutes: Connection refused."


def test_an_endpoint_that_was_stopped_is_found_and_one_a_client_switched_off_is_not():
    stopped = CallbackEndpoint.objects.create(
        client="shop", url="https://shop.example.com/?key=s3cret", enabled=False, disabled_reason="failing"
    )
    CallbackEndpoint.objects.create(client="shop", url="https://shop.example.com/", enabled=False)
    CallbackEndpoint.objects.create(client="shop", url="https://shop.example.com/")
    (finding,) = found(alert_signs.stopped_callbacks)
    assert finding.subject == str(stopped.pk)
    assert finding.sentence == (
        "An endpoint of shop (live) is told nothing any more: No success for five days. What it is owed waits."
    )


def refused(**columns):
    given = {"status": Status.ACCEPTED, "reason": "provider_auth", "channel": "push", "available_at": ahead(hours=1)}
    row = NotificationFactory(**(given | {"reason_data": {"provider": "fcm"}} | columns))
    row.attempts.create(
        number=1, provider="fcm", claim_token=row.pk, outcome="misconfigured", detail="The device is another project's."
    )
    return row


def test_messages_that_wait_for_credentials_are_found_with_what_the_provider_said():
    first = refused()
    refused()
    refused(reason_data={"provider": "onesignal"})
    refused(is_simulated=True)
    NotificationFactory(available_at=ahead(hours=1), reason="retrying")
    fcm, onesignal = found(alert_signs.refused_credentials)
    assert (fcm.subject, fcm.count, fcm.first) == ("fcm", 2, first.pk)
    assert fcm.sentence == "2 messages waiting: fcm refuses our credentials. The device is another project's."
    assert onesignal.subject == "onesignal"


def test_a_mailbox_that_stays_away_is_found_until_it_is_read_again(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(news_away.time, "monotonic", lambda: clock[0])
    news_away.note("collect_news_bounce_imap", "imap.example.com cannot be read: Connection refused.")
    clock[0] += alert_signs.AWAY_FOR.total_seconds() - 1
    news_away.note("collect_news_bounce_imap", "imap.example.com cannot be read: timed out.")
    assert found(alert_signs.unread_bounces) == []
    clock[0] += 1
    (finding,) = found(alert_signs.unread_bounces)
    assert finding.subject == "collect_news_bounce_imap"
    assert finding.sentence == (
        "Mails that came back have not been read for over 10 minutes. imap.example.com cannot be read: timed out."
    )
    news_away.note_reached("collect_news_bounce_imap")
    assert found(alert_signs.unread_bounces) == []


def test_a_paused_provider_that_was_switched_off_is_no_news(settings):
    provider()
    settings.EMAIL_PROVIDERS = ["other"]
    assert found(alert_signs.open_breakers) == []


def test_failed_trials_do_not_make_a_pause_look_young():
    opened = {"pause": timedelta(seconds=0), "failures": 5, "error": "Connection refused.", "who": "consumer-1"}
    assert provider_states.note_opened("email", "smtp", **opened)
    ProviderState.objects.update(opened_at=ago(minutes=6))
    trial = provider_states.take_trial("email", "smtp", who="consumer-1")
    assert provider_states.note_opened("email", "smtp", trial=trial, **opened)
    assert len(found(alert_signs.open_breakers)) == 1


@pytest.mark.parametrize("sign", alert_signs.SIGNS.values())
def test_looking_costs_three_queries_at_most(sign):
    NotificationFactory(status=Status.FAILED)
    NotificationFactory(status=Status.UNKNOWN, updated_at=ago(hours=2))
    NotificationFactory(available_at=ago(hours=1))
    with CaptureQueriesContext(connection) as asked:
        found(sign)
    assert len(asked) <= 3
    assert not [query for query in asked if "COUNT(" in query["sql"]]


def test_what_was_only_a_test_is_nobodys_trouble():
    NotificationFactory(status=Status.FAILED, is_simulated=True)
    doubt = NotificationFactory(status=Status.UNKNOWN, is_simulated=True)
    Notification.objects.filter(pk=doubt.pk).update(updated_at=ago(hours=2))
    assert found(alert_signs.dead_letters) == []
    assert found(alert_signs.doubts) == []
