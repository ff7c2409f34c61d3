"""What is simulated goes through the real engine and never to a real provider, whatever state that is in."""

from datetime import timedelta

import pytest

from channels_email.channel import EmailChannel
from channels_email.models import CapturedEmail
from channels_push.channel import PushChannel
from consumers.delivery import SIMULATED_WAIT, Delivery
from gateway import provider_states, tracking
from gateway.models import Notification, ProviderState
from gateway.request import NotificationRequest
from gateway.simulation import SIMULATOR
from gateway.submission import submit_notification
from tests.consumers.engine import RULES, a_template, age, attempts_of, breakers_of, make_due, now_as, submit
from tests.factories import DeviceFactory, UserFactory
from tests.fakes import FakeProvider
from tests.metrics_scene import growth
from users.channels import Channel
from users.models import Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture
def real():
    """The configured provider, of which nothing is wanted."""
    return FakeProvider(name="capture")


@pytest.fixture
def engine(journals, real, monkeypatch, settings):
    """Makes the delivery of a channel whose configured provider is `real`."""
    settings.EMAIL_PROVIDERS = settings.PUSH_PROVIDERS = ["capture"]
    made = []

    def make(channel):
        load = channel.load_provider
        monkeypatch.setattr(channel, "load_provider", lambda name: load(name) if name == SIMULATOR else real)
        breakers = breakers_of(channel)
        made.append(Delivery(channel, holder="consumer-1", journal_folder=journals, rules=RULES, breakers=breakers))
        return made[-1]

    yield make
    for each in made:
        each.close()


def mail_to(address, **fields):
    return submit(UserFactory(email=address), a_template(**fields))


def push_to(*tokens):
    person = UserFactory()
    for token in tokens:
        DeviceFactory(user=person, provider="fcm", token=token)
    return submit(person, a_template(Channel.PUSH), channel=Channel.PUSH)


def try_often(delivery, row, most=5):
    for _ in range(most):
        make_due(row)
        delivery.deliver([row.pk])
    return now_as(row)


def test_a_test_key_reaches_nobody(engine, real):
    person, template = UserFactory(email="ann@example.com"), a_template()
    request = NotificationRequest(
        channel=Channel.EMAIL, user_id=person.public_id, template_code=template.code, variables={"name": "Ann"}
    )
    row = submit_notification(request, client="shop", mode="test").notification
    engine(EmailChannel()).deliver([row.pk])
    assert (now_as(row).status, now_as(row).provider, now_as(row).is_simulated) == ("delivered", SIMULATOR, True)
    assert (real.handed_over, real.connect_count, CapturedEmail.objects.count()) == ([], 0, 0)
    assert not ProviderState.objects.filter(provider=SIMULATOR).exists()


@pytest.mark.parametrize(
    ("word", "ends", "attempts"),
    [
        ("delivered", ("delivered", "delivered"), 1),
        ("retry", ("delivered", "delivered"), 3),
        ("throttle", ("delivered", "delivered"), 2),
        ("temp-fail", ("failed", "attempts_exhausted"), 3),
        ("perm-fail", ("failed", "rejected"), 1),
        ("bounce", ("bounced", "mailbox_unknown"), 1),
        ("soft-bounce", ("bounced", "mailbox_full"), 1),
        ("complaint", ("delivered", "delivered"), 1),
    ],
)
def test_mails_to_the_simulator_end_as_their_word_says(engine, real, word, ends, attempts):
    row = try_often(engine(EmailChannel()), mail_to(f"{word}@simulator.test"))
    assert ((row.status, row.reason), len(attempts_of(row))) == (ends, attempts)
    assert row.is_simulated
    assert row.complained is (word == "complaint")
    assert not real.handed_over
    assert not Suppression.objects.exists()


def test_a_tagged_address_is_blocked_like_a_real_one(engine):
    try_often(engine(EmailChannel()), mail_to("bounce+1@simulator.test"), most=1)
    assert Suppression.objects.in_force().count() == 1


def test_a_doubt_is_sent_again_soon(engine, real):
    delivery, row = engine(EmailChannel()), mail_to("timeout@simulator.test", on_unknown="resend")
    delivery.deliver([row.pk])
    assert (now_as(row).status, now_as(row).reason) == ("unknown", "outcome_unknown")
    age(row, "updated_at", timedelta(seconds=2))
    assert tracking.settle_unknown(limit=10, max_attempts=RULES.max_attempts) == 1
    row = try_often(delivery, row, most=1)
    assert (row.status, row.possible_duplicate, real.handed_over) == ("delivered", True, [])


def test_a_second_passes_between_two_tries(engine):
    row = mail_to("retry@simulator.test")
    engine(EmailChannel()).deliver([row.pk])
    row = Notification.objects.get(pk=row.pk)
    assert row.available_at - row.updated_at <= SIMULATED_WAIT + timedelta(milliseconds=100)


@pytest.mark.parametrize(
    ("token", "ends", "attempts"),
    [
        ("sim-delivered", ("sent", "sent"), 1),
        ("sim-retry-9", ("sent", "sent"), 3),
        ("sim-perm-fail", ("failed", "rejected"), 1),
        ("sim-unregistered", ("failed", "token_invalid"), 1),
    ],
)
def test_pushes_to_the_simulator_end_as_their_word_says(engine, real, token, ends, attempts):
    row = push_to(token)
    row = try_often(engine(PushChannel()), row)
    assert ((row.status, row.reason), len(attempts_of(row)), row.is_simulated) == (ends, attempts, True)
    assert row.user.devices.active().exists() is (token != "sim-unregistered")
    assert not real.handed_over


def test_of_two_devices_only_the_real_one_is_told_to_the_real_provider(engine, real):
    row = push_to("sim-delivered", "an:ordinary:token")
    engine(PushChannel()).deliver([row.pk])
    assert not now_as(row).is_simulated
    assert [each.device.token for each in real.handed_over] == ["an:ordinary:token"]
    assert {each.provider for each in attempts_of(row)} == {SIMULATOR, "capture"}


def test_an_open_breaker_holds_up_real_mails_alone(engine):
    simulated, real_one = mail_to("delivered@simulator.test"), mail_to("ann@example.com")
    provider_states.introduce("email", ["capture"])
    provider_states.note_opened(
        "email", "capture", pause=timedelta(minutes=5), failures=5, error="away", who="consumer-2"
    )
    engine(EmailChannel()).deliver([simulated.pk, real_one.pk])
    assert (now_as(simulated).status, now_as(real_one).status) == ("delivered", "accepted")
    assert now_as(real_one).reason == "breaker_open"


def test_tests_are_no_numbers_of_ours(engine):
    version = a_template()
    counted = [
        growth("notify_delivery_attempts_total", channel="email", provider=SIMULATOR, outcome="permanent"),
        growth("notify_delivery_attempts_total", channel="email", provider=SIMULATOR, outcome="accepted"),
        growth("notify_end_to_end_duration_seconds_count", channel="email", lane="normal"),
    ]
    delivery = engine(EmailChannel())
    for word in ("perm-fail", "delivered"):
        row = submit(UserFactory(email=f"{word}@simulator.test"), version)
        delivery.deliver([row.pk])
        assert len(attempts_of(row)) == 1
    assert [each() for each in counted] == [0, 0, 0]
