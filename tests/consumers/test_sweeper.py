"""Every chore works on rows whose time is over and leaves the others alone; none keeps another from its work."""

import threading
import uuid
from datetime import timedelta

import pytest
import structlog
from django.db import OperationalError, connection
from django.db.models.functions import Now

from channels_email.channel import EmailChannel
from channels_email.models import CapturedEmail
from channels_email.providers.capture import REPORT_AFTER
from channels_push.channel import PushChannel
from consumers import news_away
from consumers import sweeper as sweeper_module
from consumers.delivery import Delivery
from consumers.models import ServiceInstance
from consumers.outcome_journal import JournalLine, OutcomeJournal
from consumers.sweeper import LIMIT, Chore, Sweeper, chores, recover_at_boot
from gateway import outbox, tracking
from gateway.channel_contract import EventType, NewsAway, Outcome, ProviderNews
from gateway.models import Notification
from gateway.statuses import Status
from templates_app.models import OnUnknown
from tests.consumers.engine import MAX_ATTEMPTS, RULES, breakers_of, events_of, is_due, now_as, several, statuses_of
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory, UserFactory, ago, ahead
from tests.fakes import ACCEPTED
from users.channels import Channel

GRACE_OVER = {"lease_expires_at": ago(seconds=tracking.SENDING_GRACE.total_seconds() + 1)}


@pytest.fixture
def sweep(tmp_path):
    """One turn over all chores."""

    def run() -> None:
        to_do = chores(channels=[EmailChannel(), PushChannel()], journal_folder=tmp_path / "journals", rules=RULES)
        Sweeper(to_do, stopping=threading.Event()).run(once=True)

    return run


@pytest.fixture
def deliver(tmp_path):
    """By e-mail with the real capture provider."""
    delivery = Delivery(
        EmailChannel(),
        holder="consumer-1",
        journal_folder=tmp_path / "journals",
        rules=RULES,
        breakers=breakers_of(EmailChannel()),
    )
    yield lambda *notifications: delivery.deliver([each.pk for each in notifications])
    delivery.close()


def in_doubt(*, rule: str = OnUnknown.RESEND, waited: timedelta, **columns) -> Notification:
    version = PublishedVersionFactory(template__on_unknown=rule)
    return NotificationFactory(
        status=Status.UNKNOWN, template_version=version, updated_at=Now() - waited, tries_used=1, **columns
    )


def news_about(notification: Notification, type_: EventType = EventType.DELIVERED) -> ProviderNews:
    return ProviderNews(
        provider="capture", event_id=uuid.uuid4().hex, notification_id=notification.pk, type=type_, detail="example.com"
    )


def seconds_more_than(moment: timedelta) -> timedelta:
    return moment + timedelta(seconds=1)


# --- the loop ---------------------------------------------------------------------------------------------------------
def turn(*to_do: Chore, **how) -> None:
    Sweeper(to_do, stopping=threading.Event()).run(once=True, **how)


@pytest.mark.parametrize("trouble", [ZeroDivisionError("a fault of ours"), OperationalError("the database is away")])
def test_a_chore_that_fails_does_not_keep_the_others_from_being_done(trouble, monkeypatch):
    monkeypatch.setattr(sweeper_module, "close_old_connections", lambda: None)
    done = []

    def fail() -> int:
        raise trouble

    second = timedelta(seconds=1)
    turn(
        Chore("first", second, lambda: done.append(1) or 0),
        Chore("bad", second, fail),
        Chore("last", second, lambda: done.append(3) or 0),
    )
    assert done == [1, 3]


def test_a_turn_tells_how_much_was_done():
    told = []
    second = timedelta(seconds=1)
    turn(Chore("two", second, lambda: 2), Chore("three", second, lambda: 3), on_turn=told.append)
    assert told == [5]


def test_chores_are_done_at_their_own_pace_until_the_stop(monkeypatch):
    stopping = threading.Event()
    clock = [1000.0]
    monkeypatch.setattr(sweeper_module.time, "monotonic", lambda: clock[0])
    counts = {"often": 0, "seldom": 0, "full": 0}

    def count(name: str, rows: int = 0) -> int:
        counts[name] += 1
        return rows

    class Tick(threading.Event):
        def wait(self, timeout=None) -> bool:
            clock[0] += 1
            if clock[0] >= 1010:
                stopping.set()
            return stopping.is_set()

        def is_set(self) -> bool:
            return stopping.is_set()

    to_do = [
        Chore("often", timedelta(seconds=2), lambda: count("often")),
        Chore("seldom", timedelta(seconds=60), lambda: count("seldom")),
        Chore("full", timedelta(seconds=60), lambda: count("full", LIMIT)),
    ]
    Sweeper(to_do, stopping=Tick()).run()
    assert counts == {"often": 5, "seldom": 1, "full": 10}


def test_a_slow_chore_keeps_no_other_waiting_and_is_begun_once():
    stopping, may_go_on = threading.Event(), threading.Event()
    begun, turns = [], []

    def wait_for_a_server() -> int:
        begun.append(threading.current_thread())
        may_go_on.wait(10)
        return 0

    def turn_again() -> int:
        turns.append(1)
        if len(turns) == 5:
            stopping.set()
        return 0

    slow = Chore("slow", timedelta(0), wait_for_a_server, is_slow=True)
    Sweeper([slow, Chore("quick", timedelta(0), turn_again)], stopping=stopping).run()
    may_go_on.set()
    begun[0].join(60)
    assert (len(begun), len(turns)) == (1, 5)
    assert begun[0] is not threading.current_thread()


def test_news_that_cannot_be_fetched_is_one_line_without_a_traceback():
    def fail() -> int:
        raise NewsAway("imaps://mail.example.com:993/INBOX cannot be read: it does not answer in time.")

    with structlog.testing.capture_logs() as lines:
        turn(Chore("collect_news_bounce_imap", timedelta(0), fail, is_slow=True))
    assert [(line["log_level"], line.get("exc_info")) for line in lines] == [("warning", None)]
    (trouble,) = news_away.lasting(timedelta(0)).values()
    assert "does not answer in time" in trouble
    turn(Chore("collect_news_bounce_imap", timedelta(0), lambda: 0, is_slow=True))
    assert news_away.lasting(timedelta(0)) == {}


def test_a_stopped_sweeper_does_nothing():
    stopping = threading.Event()
    stopping.set()
    done = []
    Sweeper([Chore("x", timedelta(0), lambda: done.append(1) or 0)], stopping=stopping).run()
    assert done == []


# --- leases -----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_a_dead_consumer_had_claimed_is_given_back(sweep):
    stalled = NotificationFactory(status=Status.CLAIMED, lease_expires_at=ago(seconds=1))
    held = NotificationFactory(status=Status.CLAIMED)
    sweep()
    row = now_as(stalled)
    assert (row.status, row.crash_count, row.claim_token, row.lease_expires_at) == (Status.ACCEPTED, 1, None, None)
    assert is_due(stalled)
    assert events_of(stalled) == ["released"]
    assert now_as(held).status == Status.CLAIMED


@pytest.mark.django_db
def test_what_has_ended_too_many_consumers_is_set_aside(sweep):
    poison = NotificationFactory(
        status=Status.CLAIMED, lease_expires_at=ago(seconds=1), crash_count=outbox.POISON_AFTER - 1
    )
    sweep()
    row = now_as(poison)
    assert (row.status, row.reason, row.crash_count) == (Status.FAILED, "poison", outbox.POISON_AFTER)
    assert row.reason_data == {"n": str(outbox.POISON_AFTER)}


@pytest.mark.django_db
def test_a_hand_over_nobody_came_back_from_becomes_a_doubt(sweep):
    silent = NotificationFactory(status=Status.SENDING, **GRACE_OVER)
    attempt = AttemptFactory(notification=silent)
    late = NotificationFactory(status=Status.SENDING, lease_expires_at=ago(seconds=1))
    sweep()
    row = now_as(silent)
    assert (row.status, row.reason, row.tries_used) == (Status.UNKNOWN, "outcome_unknown", 1)
    attempt.refresh_from_db()
    assert attempt.outcome == Outcome.UNKNOWN
    assert now_as(late).status == Status.SENDING


# --- doubts -----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.PUSH])
def test_a_doubt_that_waited_long_enough_is_sent_again_and_flagged(sweep, channel):
    wait = tracking.RESEND_AFTER[channel]
    old = in_doubt(channel=channel, waited=seconds_more_than(wait))
    young = in_doubt(channel=channel, waited=wait - timedelta(seconds=5))
    sweep()
    row = now_as(old)
    assert (row.status, row.possible_duplicate, row.claim_token) == (Status.ACCEPTED, True, None)
    assert is_due(old)
    assert events_of(old) == ["possible_duplicate"]
    assert now_as(young).status == Status.UNKNOWN


@pytest.mark.django_db
def test_a_doubt_without_tries_left_is_given_up(sweep):
    hopeless = in_doubt(waited=timedelta(minutes=5))
    Notification.objects.filter(pk=hopeless.pk).update(tries_used=MAX_ATTEMPTS)
    sweep()
    assert (now_as(hopeless).status, now_as(hopeless).reason) == (Status.FAILED, "outcome_unknown")


@pytest.mark.django_db
def test_a_doubt_that_must_not_be_sent_again_is_held_for_days_and_then_given_up(sweep):
    held = in_doubt(rule=OnUnknown.HOLD, waited=tracking.HOLD_FOR - timedelta(minutes=1))
    too_long = in_doubt(rule=OnUnknown.HOLD, waited=seconds_more_than(tracking.HOLD_FOR))
    sweep()
    assert statuses_of(held, too_long) == [Status.UNKNOWN, Status.FAILED]
    assert not now_as(too_long).possible_duplicate


@pytest.mark.django_db
def test_evidence_that_came_before_the_doubt_settles_it_at_once(sweep):
    """The provider reports delivery while we still believe its consumer alive: nothing must be sent a second time."""
    silent = NotificationFactory(status=Status.SENDING)
    tracking.record_news([news_about(silent)])
    assert now_as(silent).status == Status.SENDING
    Notification.objects.filter(pk=silent.pk).update(**GRACE_OVER)
    sweep()
    row = now_as(silent)
    assert (row.status, row.possible_duplicate) == (Status.DELIVERED, False)
    assert row.sent_at is not None


# --- expiry -----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.ACCEPTED, Status.QUEUED, Status.CLAIMED])
def test_what_was_not_handed_over_in_time_expires(sweep, status):
    late = NotificationFactory(status=status, expires_at=ago(seconds=1))
    sweep()
    assert (now_as(late).status, now_as(late).reason) == (Status.EXPIRED, "expired")


@pytest.mark.django_db
@pytest.mark.parametrize("status", [Status.SENDING, Status.UNKNOWN, Status.SENT])
def test_what_was_handed_over_in_time_does_not_expire(sweep, status):
    handed_over = NotificationFactory(status=status, expires_at=ago(seconds=1))
    sweep()
    assert now_as(handed_over).status == status


# --- news -------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_email_is_delivered_a_few_seconds_after_it_was_sent(deliver, sweep):
    (notification,) = several(1)
    deliver(notification)
    sweep()
    assert now_as(notification).status == Status.SENT
    CapturedEmail.objects.update(captured_at=Now() - seconds_more_than(REPORT_AFTER))
    sweep()
    row = now_as(notification)
    assert (row.status, row.reason, row.reason_data) == (
        Status.DELIVERED,
        "delivered",
        {"provider": "capture", "domain": "example.com"},
    )
    assert row.delivered_at is not None
    assert CapturedEmail.objects.get().is_reported


@pytest.mark.django_db
def test_news_is_told_once(deliver, sweep):
    (notification,) = several(1)
    deliver(notification)
    CapturedEmail.objects.update(captured_at=Now() - seconds_more_than(REPORT_AFTER))
    sweep()
    sweep()
    assert events_of(notification).count("delivered") == 1
    assert notification.provider_events.count() == 1


@pytest.mark.django_db
def test_news_that_was_recorded_but_not_confirmed_is_told_again_without_harm(deliver, sweep):
    (notification,) = several(1)
    deliver(notification)
    CapturedEmail.objects.update(captured_at=Now() - seconds_more_than(REPORT_AFTER))
    sweep()
    CapturedEmail.objects.update(is_reported=False)
    sweep()
    assert now_as(notification).status == Status.DELIVERED
    assert notification.provider_events.count() == 1
    assert CapturedEmail.objects.get().is_reported


@pytest.mark.django_db
def test_an_email_captured_by_a_consumer_that_died_is_proved_by_its_report(sweep):
    """Killed after the provider took it: the report of delivery is the evidence, nothing is sent twice."""
    silent = NotificationFactory(status=Status.SENDING)
    CapturedEmail.objects.create(
        notification=silent,
        to="ann@example.com",
        subject="Hello",
        source=b"",
        captured_at=Now() - seconds_more_than(REPORT_AFTER),
    )
    sweep()
    Notification.objects.filter(pk=silent.pk).update(**GRACE_OVER)
    sweep()
    assert now_as(silent).status == Status.DELIVERED
    assert not now_as(silent).possible_duplicate


# --- journals and processes -------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_journals_of_dead_processes_are_replayed_before_their_rows_are_doubted(sweep, tmp_path):
    row = NotificationFactory(status=Status.SENDING, **GRACE_OVER)
    attempt = AttemptFactory(notification=row)
    journal = OutcomeJournal(tmp_path / "journals")
    journal.append(
        JournalLine(
            notification_id=row.pk,
            claim_token=row.claim_token,
            attempt_id=attempt.pk,
            provider="capture",
            result=ACCEPTED,
        )
    )
    journal.close(keep=True)
    sweep()
    assert now_as(row).status == Status.SENT
    assert events_of(row) == ["sent"]


@pytest.mark.django_db
def test_processes_nobody_has_heard_of_for_a_day_are_forgotten(sweep):
    old = ServiceInstance.objects.create(role="web", host="here", pid=1, version="1", heartbeat_at=ago(hours=25))
    recent = ServiceInstance.objects.create(role="web", host="here", pid=2, version="1", heartbeat_at=ago(hours=23))
    sweep()
    assert set(ServiceInstance.objects.values_list("pk", flat=True)) == {recent.pk}
    assert old.pk != recent.pk


@pytest.mark.django_db
def test_a_sweep_leaves_everything_alone_whose_time_is_not_over(sweep):
    rows = [NotificationFactory(status=status) for status in Status]
    before = statuses_of(*rows)
    sweep()
    assert statuses_of(*rows) == before


def test_the_news_of_each_channel_has_a_chore_of_its_own(tmp_path):
    names = [
        chore.name for chore in chores(channels=[EmailChannel(), PushChannel()], journal_folder=tmp_path, rules=RULES)
    ]
    assert "collect_news_email" in names
    assert "collect_news_push" in names
    assert len(names) == len(set(names))


# --- at boot ----------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_at_boot_nothing_waits_for_a_lease(tmp_path):
    claimed = [NotificationFactory(status=Status.CLAIMED) for _ in range(2)]
    sending = NotificationFactory(status=Status.SENDING)
    attempt = AttemptFactory(notification=sending)
    waiting = NotificationFactory(available_at=ahead(hours=1))
    assert recover_at_boot(journal_folder=tmp_path, rules=RULES) == 3
    assert statuses_of(*claimed, sending, waiting) == [
        Status.ACCEPTED,
        Status.ACCEPTED,
        Status.UNKNOWN,
        Status.ACCEPTED,
    ]
    assert all(is_due(each) for each in claimed)
    assert not is_due(waiting)
    attempt.refresh_from_db()
    assert attempt.outcome == Outcome.UNKNOWN


@pytest.mark.django_db
def test_at_boot_journals_come_first(tmp_path):
    row = NotificationFactory(status=Status.SENDING)
    attempt = AttemptFactory(notification=row)
    journal = OutcomeJournal(tmp_path)
    line = JournalLine(
        notification_id=row.pk, claim_token=row.claim_token, attempt_id=attempt.pk, provider="capture", result=ACCEPTED
    )
    journal.append(line)
    journal.close(keep=True)
    assert recover_at_boot(journal_folder=tmp_path, rules=RULES) == 0
    assert now_as(row).status == Status.SENT


@pytest.mark.django_db
def test_at_boot_more_rows_than_one_round_takes_are_recovered(tmp_path, monkeypatch):
    monkeypatch.setattr(sweeper_module, "LIMIT", 2)
    version = PublishedVersionFactory()
    rows = [NotificationFactory(status=Status.CLAIMED, template_version=version) for _ in range(5)]
    assert recover_at_boot(journal_folder=tmp_path, rules=RULES) == 5
    assert statuses_of(*rows) == [Status.ACCEPTED] * 5


@pytest.mark.django_db
def test_at_boot_of_a_clean_house_there_is_nothing_to_do(tmp_path):
    assert recover_at_boot(journal_folder=tmp_path / "none", rules=RULES) == 0


# --- while nobody writes ----------------------------------------------------------------------------------------------
class Turns:
    """Instead of a stop: does something between turns, and does not wait; ends when there is nothing more to do."""

    def __init__(self, *between):
        self._between = iter(between)
        self._is_over = False

    def is_set(self):
        return self._is_over

    def wait(self, timeout):
        act = next(self._between, None)
        self._is_over = act is None
        if act:
            act()


def nothing():
    pass


@pytest.mark.django_db
def test_a_chore_that_found_nothing_rests_until_somebody_writes():
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite tells whether anybody has written")
    resting, restless = [], []
    to_do = [
        Chore("resting", timedelta(0), lambda: resting.append(1) or 0, may_rest=True),
        Chore("restless", timedelta(0), lambda: restless.append(1) or 0),
    ]

    Sweeper(to_do, stopping=Turns(nothing, nothing, UserFactory, nothing)).run()

    assert len(restless) == 5
    assert len(resting) == 2


@pytest.mark.django_db
def test_it_does_not_rest_for_long_nor_when_it_found_something(monkeypatch):
    found = []
    Sweeper(
        [Chore("busy", timedelta(0), lambda: found.append(1) or 1, may_rest=True)], stopping=Turns(nothing, nothing)
    ).run()
    assert len(found) == 3

    monkeypatch.setattr(sweeper_module, "RESTS_AT_MOST", timedelta(0))
    looks = []
    Sweeper(
        [Chore("idle", timedelta(0), lambda: looks.append(1) or 0, may_rest=True)], stopping=Turns(nothing, nothing)
    ).run()
    assert len(looks) == 3
