"""Operators are told when something is wrong: once, whoever looks, and when it is over."""

import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.urls import resolve
from structlog.testing import capture_logs

from consumers.alert_posts import PostFailed, WebhookPost, configured_posts
from consumers.alert_signs import Finding
from consumers.alerts import PAGES, AlertWatch
from consumers.models import Alert
from gateway import dead_letters, replaying
from gateway.models import Notification
from gateway.statuses import Status
from tests.consumers.alert_receivers import hook, mailbox  # noqa: F401  fixtures
from tests.factories import NotificationFactory, PublishedVersionFactory, UserFactory, ago
from tests.rabbitmq_server import PATIENCE

pytestmark = pytest.mark.django_db
QUIET = timedelta(hours=1)
LASTING = Alert.Kind.OLDEST_DUE


class Note:
    """A way that keeps what it is given, and fails as often as it is told."""

    def __init__(self, name="note"):
        self.name = name
        self.messages = []
        self.fails = 0

    def send(self, message):
        if self.fails:
            self.fails -= 1
            raise PostFailed("It is away.")
        self.messages.append(message)

    @property
    def states(self):
        return [message.state for message in self.messages]


class Trouble:
    """A sign that a test switches on and off."""

    def __init__(self, *subjects):
        self.subjects = list(subjects)

    def __call__(self, told_up_to):
        return [
            Finding(kind=LASTING, subject=each, count=1, sentence=f"Trouble with {each}.") for each in self.subjects
        ]


@pytest.fixture
def note():
    return Note()


@pytest.fixture
def trouble():
    return Trouble("smtp")


@pytest.fixture
def watch(note, trouble):
    return AlertWatch([note], quiet=QUIET, signs={LASTING: trouble})


def pass_time(**how_long):
    """Everything that was written down lies so much further back."""
    by = timedelta(**how_long)
    moments = ("since", "seen_at", "over_at", "told_at", "try_at")
    for alert in Alert.objects.all():
        for name in moments:
            if getattr(alert, name):
                setattr(alert, name, getattr(alert, name) - by)
        alert.save()


# --- trouble that lasts -----------------------------------------------------------------------------------------------


def test_operators_are_told_once_in_the_quiet_period(watch, note):
    assert [watch.look() for _ in range(3)] == [1, 0, 0]
    (message,) = note.messages
    assert (message.alert, message.state, message.count) == ("oldest_due", "alarm", 1)
    assert message.title == "[local] Messages wait too long: smtp"
    assert message.sentence == "Trouble with smtp."
    assert message.link.endswith("/admin/consumers/serviceinstance/")


def test_what_lasts_is_told_again_after_the_quiet_period(watch, note):
    watch.look()
    pass_time(minutes=59)
    assert watch.look() == 0
    pass_time(minutes=2)
    assert watch.look() == 1
    assert note.states == ["alarm", "alarm"]


def test_when_it_is_over_an_all_clear_follows_once(watch, note, trouble):
    watch.look()
    trouble.subjects.clear()
    assert watch.look() == 0  # it may only flicker
    pass_time(minutes=3)
    assert [watch.look() for _ in range(3)] == [1, 0, 0]
    assert note.states == ["alarm", "all_clear"]
    assert note.messages[-1].title == "[local] Over: Messages wait too long: smtp"
    assert Alert.objects.get().over_at is not None


def test_what_flickers_within_the_quiet_period_costs_one_alarm_and_one_all_clear(watch, note, trouble):
    watch.look()
    for _ in range(3):
        trouble.subjects.clear()
        watch.look()
        pass_time(minutes=3)
        watch.look()
        trouble.subjects.append("smtp")
        watch.look()
    assert note.states == ["alarm", "all_clear"]
    pass_time(hours=1)
    watch.look()
    assert note.states == ["alarm", "all_clear", "alarm"]


def test_each_subject_is_told_by_itself(watch, note, trouble):
    watch.look()
    trouble.subjects.append("fcm")
    assert watch.look() == 1
    assert [message.sentence for message in note.messages] == ["Trouble with smtp.", "Trouble with fcm."]


def test_trouble_that_was_over_begins_anew(watch, trouble):
    watch.look()
    trouble.subjects.clear()
    pass_time(minutes=3)
    watch.look()
    pass_time(hours=2)
    trouble.subjects.append("smtp")
    watch.look()
    alert = Alert.objects.get()
    assert alert.over_at is None
    assert Alert.objects.filter(pk=alert.pk, since__gte=ago(minutes=1)).exists()


# --- cases that are news ----------------------------------------------------------------------------------------------


@pytest.fixture
def dead():
    version, person = PublishedVersionFactory(), UserFactory()

    def make(count=1):
        given = {"status": Status.FAILED, "reason": "poison", "template_version": version, "user": person}
        return NotificationFactory.create_batch(count, **given)

    return make


@pytest.fixture
def real_watch(note):
    return AlertWatch([note], quiet=QUIET)


def test_new_dead_letters_are_told_and_old_ones_are_not_told_again(real_watch, note, dead):
    dead(3)
    assert real_watch.look() == 1
    pass_time(hours=2)
    assert real_watch.look() == 0
    Notification.objects.update(updated_at=ago(hours=3))
    Alert.objects.update(told_up_to=ago(hours=3))
    dead(2)
    assert real_watch.look() == 1
    assert [message.count for message in note.messages] == [3, 2]


def test_dead_letters_that_come_in_the_quiet_period_are_told_after_it(real_watch, note, dead):
    dead(1)
    real_watch.look()
    Notification.objects.update(updated_at=ago(seconds=5))
    Alert.objects.update(told_up_to=ago(seconds=5))
    dead(2)
    assert real_watch.look() == 0
    pass_time(hours=1)
    assert real_watch.look() == 1
    assert note.messages[-1].count == 2


def test_dead_letters_are_over_when_all_are_decided(real_watch, note, dead):
    first, second = dead(2)
    real_watch.look()
    replaying.replay([first.pk], who="Ann", why="again")
    dead_letters.discard([second.pk], who="Ann", why="old")
    pass_time(minutes=3)
    assert real_watch.look() == 1
    assert note.states == ["alarm", "all_clear"]


def test_an_alert_is_never_a_notification(real_watch, note, dead):
    dead(1)
    real_watch.look()
    assert note.messages
    assert Notification.objects.count() == 1


# --- ways that fail ---------------------------------------------------------------------------------------------------


def test_a_way_that_fails_is_tried_again_with_growing_pauses_and_the_other_is_not(note, trouble):
    chat = Note("chat")
    note.fails = 2
    watch = AlertWatch([note, chat], quiet=QUIET, signs={LASTING: trouble})
    with capture_logs() as lines:
        assert watch.look() == 0
    assert [(line["by"], line["log_level"]) for line in lines] == [("note", "warning"), ("chat", "info")]
    assert watch.look() == 0
    pass_time(seconds=31)
    assert watch.look() == 0
    pass_time(seconds=31)
    watch.look()
    assert note.states == []
    pass_time(seconds=30)
    assert watch.look() == 1
    assert (note.states, chat.states) == (["alarm"], ["alarm"])
    assert Alert.objects.get().told_by == "chat,note"


def test_what_nobody_got_needs_no_all_clear(watch, note, trouble):
    note.fails = 1
    watch.look()
    trouble.subjects.clear()
    pass_time(minutes=5)
    watch.look()
    pass_time(minutes=5)
    watch.look()
    assert note.states == []
    assert Alert.objects.get().waits_for == ""


def test_a_way_that_is_no_longer_set_is_forgotten(note, trouble, watch):
    note.fails = 1
    watch.look()
    pass_time(minutes=1)
    AlertWatch([], quiet=QUIET, signs={LASTING: trouble}).look()
    assert Alert.objects.get().waits_for == ""


def test_without_any_way_alerts_are_still_written_down(trouble):
    assert AlertWatch([], quiet=QUIET, signs={LASTING: trouble}).look() == 0
    assert Alert.objects.get().sentence == "Trouble with smtp."


def test_a_sweeper_that_dies_while_sending_leaves_it_to_the_next(trouble, note):
    class Killed(BaseException):
        pass

    class Deadly(Note):
        def send(self, message):
            raise Killed

    with pytest.raises(Killed):
        AlertWatch([Deadly()], quiet=QUIET, signs={LASTING: trouble}).look()
    watch = AlertWatch([note], quiet=QUIET, signs={LASTING: trouble})
    assert watch.look() == 0  # the other one may still be at it
    pass_time(minutes=4)
    assert watch.look() == 1
    assert note.states == ["alarm"]


def test_one_that_comes_back_too_late_changes_nothing(trouble, note):
    class Slow(Note):
        def send(self, message):
            super().send(message)
            if len(self.messages) == 1:
                pass_time(minutes=4)
                AlertWatch([note], quiet=QUIET, signs={LASTING: trouble}).look()
                raise PostFailed("It took too long.")

    AlertWatch([Slow()], quiet=QUIET, signs={LASTING: trouble}).look()
    alert = Alert.objects.get()
    assert (alert.told_by, alert.waits_for) == ("note", "")


def test_a_sign_with_a_fault_hides_no_other(note, trouble):
    def broken(told_up_to):
        raise ZeroDivisionError("a fault of ours")

    signs = {Alert.Kind.DOUBTS: broken, LASTING: trouble}
    with capture_logs() as lines:
        assert AlertWatch([note], quiet=QUIET, signs=signs).look() == 1
    assert [line["alert"] for line in lines if line["log_level"] == "error"] == ["doubts"]


def test_a_database_that_is_away_is_for_the_sweeper(note):
    def away(told_up_to):
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        AlertWatch([note], quiet=QUIET, signs={LASTING: away}).look()


# --- many sweepers, real receivers ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_of_many_sweepers_one_sends(hook, trouble):  # noqa: F811
    together = threading.Barrier(4)
    sent = []

    def sweep():
        watch = AlertWatch([WebhookPost(hook.url)], quiet=QUIET, signs={LASTING: trouble})
        together.wait(PATIENCE)
        sent.append(sum(watch.look() for _ in range(3)))
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum(sent) == 1
    assert len(hook.posts) == 1


def test_the_sweeper_tells_by_mail_and_webhook(settings, mailbox, hook, dead):  # noqa: F811
    settings.ALERT_EMAILS, settings.ALERT_EMAIL_URL = ["ops@example.com"], mailbox.server
    settings.ALERT_WEBHOOK_URL = hook.url
    dead(2)
    watch = AlertWatch(configured_posts(), quiet=settings.ALERT_QUIET_PERIOD)
    assert [watch.look(), watch.look()] == [1, 0]
    (mail,), (post,) = mailbox.mails, hook.posts
    assert mail["Subject"] == "[local] Dead letters"
    assert (post["alert"], post["count"]) == ("dead_letters", 2)
    assert Alert.objects.get().told_by == "mail,webhook"


@pytest.mark.parametrize("kind", Alert.Kind)
def test_every_kind_has_a_page_that_exists(kind):
    assert resolve(PAGES[kind].partition("?")[0])


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_test_alert_says_that_nothing_is_wrong(settings, mailbox, hook, capsys):  # noqa: F811
    settings.ALERT_EMAILS, settings.ALERT_EMAIL_URL = ["ops@example.com"], mailbox.server
    settings.ALERT_WEBHOOK_URL = hook.url
    call_command("send_test_alert")
    assert capsys.readouterr().out == "mail: sent.\nwebhook: sent.\n"
    assert "Nothing is wrong." in mailbox.mails[0].get_content()
    assert "Nothing is wrong." in hook.posts[0]["text"]


@pytest.mark.parametrize(("status", "code"), [(500, 1), (200, 3)])
def test_ways_that_do_not_work_are_named(settings, mailbox, hook, capsys, status, code):  # noqa: F811
    settings.ALERT_EMAILS, settings.ALERT_EMAIL_URL = ["ops@example.com"], mailbox.server
    settings.ALERT_WEBHOOK_URL = hook.url
    mailbox.refusal, hook.status = "554 no", status
    with pytest.raises(CommandError) as caught:
        call_command("send_test_alert")
    assert caught.value.returncode == code
    assert "mail: SMTPDataError 554" in capsys.readouterr().err


def test_without_any_way_the_command_says_what_to_set():
    with pytest.raises(CommandError, match="ALERT_EMAILS with ALERT_EMAIL_URL, or ALERT_WEBHOOK_URL") as caught:
        call_command("send_test_alert")
    assert caught.value.returncode == 2
