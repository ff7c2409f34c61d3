"""From claimed rows to messages: people, wishes and words as they are now, not as they were at acceptance."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from channels_email.channel import EmailChannel
from channels_push.channel import PushChannel
from consumers import preparation
from consumers.preparation import prepare
from gateway import outbox, priorities, statuses
from gateway.channel_contract import Outcome
from gateway.database_clock import database_now
from gateway.models import DeliveryAttempt, Notification, WaitingFor
from gateway.reasons import sentence
from gateway.statuses import Status
from tests.consumers.engine import a_template, claim, now_as, submit
from tests.factories import DeviceFactory, UserFactory
from users.channels import Channel
from users.delivery_policy import SPREAD
from users.models import Preference, QuietHours, User

pytestmark = pytest.mark.django_db

KOLKATA = ZoneInfo("Asia/Kolkata")  # no clock changes there


def prepare_emails(*notifications: Notification):
    return prepare(EmailChannel(), claim(*notifications))


def verdict_on(notification: Notification):
    """The one verdict, for the one notification."""
    ready, verdicts = prepare_emails(notification)
    assert ready == []
    ((held, verdict),) = verdicts
    assert held.id == notification.pk
    return verdict


def quiet_now(person: User, **fields) -> datetime:
    """Quiet hours from an hour ago to an hour from now; returns their end on the person's clock."""
    wall = datetime.now(KOLKATA).replace(second=0, microsecond=0)
    end = wall + timedelta(hours=1)
    User.objects.filter(pk=person.pk).update(timezone="Asia/Kolkata")
    QuietHours.objects.create(user=person, start=(wall - timedelta(hours=1)).time(), end=end.time(), **fields)
    return end


def devices_in(ready) -> set[str]:
    return {message.device.name for each in ready for message in each.messages}


def answered(notification: Notification, device, outcome: Outcome | None) -> None:
    """An earlier try to this device, with its answer."""
    DeliveryAttempt.objects.create(
        notification=notification,
        number=1,
        provider="fake",
        device_id=device.pk,
        claim_token=uuid.uuid4(),
        outcome=outcome,
    )
    Notification.objects.filter(pk=notification.pk).update(attempt_count=1)


# --- messages ---------------------------------------------------------------------------------------------------------
def test_a_claimed_notification_becomes_a_message_with_its_words():
    person = UserFactory(email="ann@example.com")
    (row,) = claim(submit(person, a_template()))
    ready, verdicts = prepare(EmailChannel(), [row])
    assert verdicts == []
    (message,) = ready[0].messages
    assert message.words.subject == "Welcome Ann"
    assert message.words.text == "Dear Ann"
    assert message.to == "Ann <ann@example.com>"
    assert message.message_id == f"n-{row.pk}"
    assert ready[0].held == outbox.Held(row.pk, row.claim_token)


def test_a_message_says_of_which_template_it_is():
    (row,) = claim(submit(UserFactory(), a_template()))
    ((one,), _) = prepare(EmailChannel(), [row])
    code = Notification.objects.get(pk=row.pk).template.code
    assert one.messages[0].feedback_id.startswith(f"{code}:{row.category_code}:{row.locale}:")


def test_a_batch_keeps_everybodys_words_apart():
    template = a_template()
    ann, bob = UserFactory(), UserFactory(name="Bob")
    ready, _ = prepare_emails(submit(ann, template), submit(bob, template))
    assert {(each.messages[0].to.split()[0], each.messages[0].words.subject) for each in ready} == {
        ("Ann", "Welcome Ann"),
        ("Bob", "Welcome Bob"),
    }


def test_a_batch_costs_the_same_queries_whatever_its_size(monkeypatch):
    template = a_template()
    now = database_now()
    monkeypatch.setattr(preparation, "about_now", lambda: now)  # it asks every other second
    costs = []
    for count in (2, 12):
        rows = claim(*[submit(UserFactory(), template) for _ in range(count)])
        with CaptureQueriesContext(connection) as queries:
            ready, _ = prepare(EmailChannel(), rows)
        assert len(ready) == count
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 4


def test_moments_reach_the_template_as_moments():
    variables = [{"name": "at", "type": "datetime", "example": "2026-11-22T10:15:00Z"}]
    words = {"subject": "On {{ at|date:'Y-m-d' }}", "html": "<p>x</p>", "text": "x"}
    template = a_template(words=words, variables=variables)
    row = submit(UserFactory(), template, variables={"at": "2026-11-22T10:15:00Z"})
    ready, _ = prepare_emails(row)
    assert ready[0].messages[0].words.subject == "On 2026-11-22"


# --- wishes -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("category", ["updates", None])
def test_consent_withdrawn_after_acceptance_counts(category):
    person = UserFactory()
    notification = submit(person, a_template())
    Preference.objects.create(user=person, channel=Channel.EMAIL, category_id=category, is_enabled=False)
    verdict = verdict_on(notification)
    assert verdict.change is statuses.SUPPRESS
    assert verdict.reason == "opt_out"
    assert sentence(verdict.reason, verdict.data) == "Ann turned off Updates by email."


def test_a_person_switched_off_after_acceptance_gets_nothing():
    person = UserFactory()
    notification = submit(person, a_template())
    User.objects.filter(pk=person.pk).update(is_active=False)
    verdict = verdict_on(notification)
    assert (verdict.change, verdict.reason) == (statuses.SUPPRESS, "user_inactive")


def test_an_erased_person_gets_nothing():
    person = UserFactory()
    notification = submit(person, a_template())
    person.delete()
    verdict = verdict_on(notification)
    assert (verdict.change, verdict.reason) == (statuses.SUPPRESS, "user_inactive")
    assert sentence(verdict.reason, verdict.data) == "The account of the person is switched off."
    outbox.settle([(outbox.Held(notification.pk, now_as(notification).claim_token), verdict)])
    assert now_as(notification).status == Status.SUPPRESSED


def test_an_address_removed_after_acceptance_is_not_used():
    person = UserFactory()
    notification = submit(person, a_template())
    User.objects.filter(pk=person.pk).update(email=None)
    verdict = verdict_on(notification)
    assert (verdict.change, verdict.reason) == (statuses.SUPPRESS, "no_address")


def test_quiet_hours_that_began_after_acceptance_postpone_until_their_end():
    person = UserFactory()
    notification = submit(person, a_template())
    end = quiet_now(person)
    verdict = verdict_on(notification)
    assert verdict.change is statuses.POSTPONE
    assert verdict.waiting_for == WaitingFor.QUIET_HOURS
    assert end <= verdict.available < end + SPREAD
    assert not verdict.uses_attempt
    assert sentence(verdict.reason, verdict.data) == (
        f"Ann does not want email between {end - timedelta(hours=2):%H:%M} and {end:%H:%M} (Asia/Kolkata); "
        f"it goes out at {end:%Y-%m-%d %H:%M} (Asia/Kolkata)."
    )


def test_a_postponed_notification_is_due_again_at_the_end_of_the_quiet_hours():
    person = UserFactory()
    notification = submit(person, a_template())
    end = quiet_now(person)
    _, verdicts = prepare_emails(notification)
    outbox.settle(verdicts)
    row = now_as(notification)
    assert (row.status, row.waiting_for) == (Status.ACCEPTED, "quiet_hours")
    assert end <= row.available_at < end + SPREAD
    assert row.claim_token is None


def test_quiet_hours_of_another_channel_do_not_count():
    person = UserFactory()
    notification = submit(person, a_template())
    quiet_now(person, channels=["push"])
    ready, verdicts = prepare_emails(notification)
    assert (len(ready), verdicts) == (1, [])


def test_a_critical_notification_ignores_quiet_hours():
    person = UserFactory()
    notification = submit(person, a_template(), priority=priorities.CRITICAL_FROM)
    quiet_now(person)
    ready, verdicts = prepare_emails(notification)
    assert (len(ready), verdicts) == (1, [])


# --- words that fail --------------------------------------------------------------------------------------------------
def test_words_that_cannot_be_filled_end_the_notification_and_say_where():
    words = {"title": "{{ name }}", "body": "{{ text }}"}
    variables = [{"name": "name", "type": "string"}, {"name": "text", "type": "string"}]
    template = a_template(Channel.PUSH, words=words, variables=variables)
    person = UserFactory()
    DeviceFactory(user=person)
    notification = submit(person, template, channel=Channel.PUSH, variables={"name": "Ann", "text": "long " * 1500})
    ready, ((_, verdict),) = prepare(PushChannel(), claim(notification))
    assert ready == []
    assert (verdict.change, verdict.reason) == (statuses.GIVE_UP_EARLY, "template_error")
    assert verdict.data == {"v": "1", "error": "body: The message has more than 4096 bytes."}


def test_one_that_fails_for_no_known_reason_leaves_the_others_alone():
    odd, good = submit(UserFactory(), a_template()), submit(UserFactory(), a_template())
    Notification.objects.filter(pk=odd.pk).update(category_code="removed-meanwhile")
    ready, verdicts = prepare_emails(odd, good)
    assert [each.notification.pk for each in ready] == [good.pk]
    # Its lease runs out as if a consumer had died over it: some times, then it is set aside.
    assert verdicts == []
    assert now_as(odd).status == Status.CLAIMED


def test_a_database_that_goes_away_is_no_fault_of_a_notification(monkeypatch):
    def gone(*args, **options):
        raise OperationalError("server closed the connection unexpectedly")

    (row,) = claim(submit(UserFactory(), a_template()))
    monkeypatch.setattr(preparation, "words_of", gone)
    with pytest.raises(OperationalError):
        prepare(EmailChannel(), [row])


# --- devices ----------------------------------------------------------------------------------------------------------
def test_a_push_goes_to_every_active_device():
    person = UserFactory()
    for name in ("Phone", "Tablet"):
        DeviceFactory(user=person, name=name)
    DeviceFactory(user=person, name="Old phone", is_active=False)
    notification = submit(person, a_template(Channel.PUSH), channel=Channel.PUSH)
    ready, _ = prepare(PushChannel(), claim(notification))
    assert devices_in(ready) == {"Phone", "Tablet"}


@pytest.mark.parametrize("outcome", [Outcome.ACCEPTED, Outcome.PERMANENT])
def test_a_device_with_a_final_answer_gets_nothing_more(outcome):
    person = UserFactory()
    done, open_one = DeviceFactory(user=person, name="Done"), DeviceFactory(user=person, name="Open")
    notification = submit(person, a_template(Channel.PUSH), channel=Channel.PUSH)
    answered(notification, done, outcome)
    answered(notification, open_one, Outcome.TRANSIENT)
    ready, _ = prepare(PushChannel(), claim(notification))
    assert devices_in(ready) == {"Open"}


@pytest.mark.parametrize(
    "outcome", [Outcome.TRANSIENT, Outcome.THROTTLED, Outcome.UNKNOWN, Outcome.MISCONFIGURED, None]
)
def test_a_device_without_a_final_answer_is_tried_again(outcome):
    person = UserFactory()
    phone = DeviceFactory(user=person, name="Phone")
    notification = submit(person, a_template(Channel.PUSH), channel=Channel.PUSH)
    answered(notification, phone, outcome)
    ready, _ = prepare(PushChannel(), claim(notification))
    assert devices_in(ready) == {"Phone"}


def test_devices_removed_after_acceptance_leave_nowhere_to_send():
    person = UserFactory()
    phone = DeviceFactory(user=person)
    notification = submit(person, a_template(Channel.PUSH), channel=Channel.PUSH)
    phone.delete()
    ready, ((_, verdict),) = prepare(PushChannel(), claim(notification))
    assert ready == []
    assert (verdict.change, verdict.reason) == (statuses.SUPPRESS, "no_device")


def test_a_try_to_another_persons_device_settles_nothing():
    ann, bob = UserFactory(), UserFactory(name="Bob")
    phone = DeviceFactory(user=ann)
    DeviceFactory(user=bob, name="Bob's")
    template = a_template(Channel.PUSH)
    to_ann = submit(ann, template, channel=Channel.PUSH)
    to_bob = submit(bob, template, channel=Channel.PUSH)
    answered(to_bob, phone, Outcome.ACCEPTED)
    ready, _ = prepare(PushChannel(), claim(to_ann, to_bob))
    assert devices_in(ready) == {"Phone", "Bob's"}


def test_advertising_ends_with_the_link_of_its_header_and_other_mails_with_none():
    words = {"subject": "News", "html": "<p>Hi</p>", "text": "Hi {{ unsubscribe_link }}"}
    for category in ("marketing", "updates"):
        notification = submit(UserFactory(), a_template(words=words, category_id=category))
        ((made,), _) = prepare_emails(notification)

        (message,) = made.messages
        assert message.words.text == f"Hi {message.unsubscribe_url}".strip()
        assert ("/unsubscribe/" in message.words.text) == (category == "marketing")
