"""Batches by mail services: who takes over when one fails, wants to be left alone, or refuses our key."""

import pytest

from channels_email.channel import EmailChannel
from channels_email.standins.mailgun import MailgunStandIn
from channels_email.standins.postmark import PostmarkStandIn
from channels_email.standins.sendgrid import SendGridStandIn
from consumers.delivery import Delivery
from gateway.channel_contract import Outcome
from gateway.models import ProviderState
from gateway.standin_server import ALL
from gateway.statuses import Status
from tests.channels_email.service_scene import use
from tests.consumers.engine import RULES, a_template, attempts_of, breakers_of, make_due, now_as, several, submit
from tests.factories import UserFactory
from users.models import Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def sendgrid(settings):
    with SendGridStandIn() as server:
        use(settings, server)
        yield server


@pytest.fixture
def mailgun(settings):
    with MailgunStandIn() as server:
        use(settings, server)
        yield server


@pytest.fixture
def postmark(settings):
    with PostmarkStandIn() as server:
        use(settings, server)
        yield server


@pytest.fixture
def consumer_of(settings, journals):
    """Of these providers, in this order."""
    opened = []

    def make(*names):
        settings.EMAIL_PROVIDERS = list(names)
        channel = EmailChannel()
        breakers = breakers_of(channel)
        opened.append(Delivery(channel, holder="consumer-1", journal_folder=journals, rules=RULES, breakers=breakers))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def delivery(consumer_of, sendgrid, mailgun):
    return consumer_of("sendgrid", "mailgun")


def run(delivery, *notifications):
    make_due(*notifications)
    return delivery.deliver([each.pk for each in notifications])


def story(notification):
    return [(each.provider, each.outcome) for each in attempts_of(notification)]


def ids_of(server):
    """The notifications it took, by the header that names them."""
    key = "h:X-Notification-Id" if server.name == "mailgun" else "X-Notification-ID"
    wholes = [each["whole"] for each in server.accepted]
    return {each[key][0] if server.name == "mailgun" else each["headers"][key] for each in wholes}


def test_what_the_service_took_is_sent_with_its_name_for_it(delivery, sendgrid, mailgun):
    notifications = several(30)
    assert run(delivery, *notifications) == 30
    assert ids_of(sendgrid) == {str(each.pk) for each in notifications}
    assert mailgun.accepted_count == 0
    for each in notifications:
        (attempt,) = attempts_of(each)
        assert now_as(each).status == Status.SENT
        assert len(attempt.provider_message_id) > 10


def test_while_one_fails_the_next_takes_over_and_its_breaker_spares_the_tries(delivery, sendgrid, mailgun):
    sendgrid.rules[ALL] = "500"
    first = several(20)
    run(delivery, *first)
    assert {each.reason for each in map(now_as, first)} == {"retrying"}
    run(delivery, *first)
    assert {each.status for each in map(now_as, first)} == {Status.SENT}
    assert ids_of(mailgun) == {str(each.pk) for each in first}
    assert ProviderState.objects.get(provider="sendgrid").state == ProviderState.State.OPEN
    asked = sendgrid.asked_count
    later = several(5)
    run(delivery, *later)
    assert {each.status for each in map(now_as, later)} == {Status.SENT}
    assert [story(each) for each in later] == [[("mailgun", Outcome.ACCEPTED)]] * 5
    assert sendgrid.asked_count == asked


def test_a_wrong_key_uses_no_try_up_and_the_next_service_is_asked(delivery, sendgrid, mailgun, settings):
    settings.SENDGRID_API_KEY = "wrong"
    notifications = several(3)
    run(delivery, *notifications)
    assert {(each.status, each.reason, each.tries_used) for each in map(now_as, notifications)} == {
        (Status.ACCEPTED, "provider_auth", 0)
    }
    run(delivery, *notifications)
    assert {each.status for each in map(now_as, notifications)} == {Status.SENT}
    assert ids_of(mailgun) == {str(each.pk) for each in notifications}


def test_a_service_without_a_key_is_passed_over_at_once(delivery, sendgrid, mailgun, settings):
    settings.SENDGRID_API_KEY = ""
    (notification,) = several(1)
    run(delivery, notification)
    assert now_as(notification).status == Status.SENT
    assert story(notification) == [("mailgun", Outcome.ACCEPTED)]


def test_a_service_that_wants_to_be_left_alone_is_and_no_try_is_used_up(consumer_of, sendgrid):
    delivery = consumer_of("sendgrid")
    sendgrid.rules[ALL] = "429"
    (notification,) = several(1)
    run(delivery, notification)
    row = now_as(notification)
    assert (row.status, row.reason, row.tries_used) == (Status.ACCEPTED, "rate_limited", 0)
    assert (row.available_at - row.updated_at).total_seconds() > 5


def test_what_may_have_arrived_goes_to_nobody_else(delivery, sendgrid, mailgun):
    sendgrid.rules[ALL] = "lost"
    (notification,) = several(1)
    run(delivery, notification)
    assert now_as(notification).status == Status.UNKNOWN
    assert (sendgrid.accepted_count, mailgun.accepted_count) == (1, 0)


def test_an_address_that_a_service_has_blocked_gets_nothing_more_from_any(consumer_of, postmark, mailgun):
    delivery = consumer_of("postmark", "mailgun")
    person, template = UserFactory(email="ask-suppressed@example.com"), a_template()
    notification = submit(person, template)
    run(delivery, notification)
    row = now_as(notification)
    assert (row.status, row.reason) == (Status.FAILED, "address_suppressed")
    assert "422 406" in Suppression.objects.get().evidence
    again = submit(person, template)
    run(delivery, again)
    assert (now_as(again).status, now_as(again).reason) == (Status.SUPPRESSED, "address_suppressed")
    assert mailgun.accepted_count == 0
