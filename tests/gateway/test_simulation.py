"""Who is simulated, what each word does, and what is reported afterwards."""

from dataclasses import replace
from uuid import uuid4

import pytest

from gateway import simulation
from gateway.channel_contract import EventType, Message, Order, Outcome
from gateway.simulation import SimulatorProvider, answer_to, is_simulated, mail_word, news_after, push_word
from users.channels import Channel
from users.recipients import CategoryRules, DeviceTarget, Recipient

SOMEBODY = Recipient(
    id=uuid4(), public_id="ann", name="Ann", email="ann@example.com", locale="en", timezone="UTC", is_active=True
)
UPDATES = CategoryRules(
    code="updates", name="Updates", is_mandatory=False, is_marketing=False, ignores_quiet_hours=False
)
DELIVERED = [Outcome.ACCEPTED] * 4


def order(email="ann@example.com", **more):
    return Order(
        notification_id=uuid4(),
        message_id="m",
        correlation_id="",
        recipient=replace(SOMEBODY, email=email),
        words=None,
        locale="en",
        category=UPDATES,
        **more,
    )


def phone(token):
    return DeviceTarget(id=uuid4(), provider="fcm", kind="token", platform="android", token=token, name="")


def message(word, **more):
    return Message(notification_id=uuid4(), message_id="m", simulated_as=word, **more)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("bounce@simulator.test", "bounce"),
        ("bounce+42@simulator.test", "bounce"),
        ("Retry@SIMULATOR.Test", "retry"),
        ("unregistered@simulator.test", "delivered"),
        ("whatever@simulator.test", "delivered"),
        ("bounce@example.com", ""),
        ("bounce@simulator.test.example.com", ""),
        ("bounce@notsimulator.test", ""),
    ],
)
def test_the_word_of_an_address(address, word):
    assert mail_word(order(address)) == word
    assert is_simulated(replace(SOMEBODY, email=address), channel=Channel.EMAIL) is bool(word)


@pytest.mark.parametrize(
    ("token", "word"),
    [
        ("sim-retry", "retry"),
        ("sim-retry-17", "retry"),
        ("sim-temp-fail-a-b", "temp-fail"),
        ("sim-unregistered", "unregistered"),
        ("sim-bounce", "delivered"),
        ("sim-retrying", "delivered"),
        ("simulated:token", ""),
    ],
)
def test_the_word_of_a_token(token, word):
    assert push_word(order(), phone(token)) == word
    assert is_simulated(replace(SOMEBODY, devices=(phone(token),)), channel=Channel.PUSH) is bool(word)


def test_an_ordinary_recipient_of_a_test_key_gets_nothing_and_it_counts_as_delivered():
    assert mail_word(order(is_simulated=True)) == "delivered"
    assert push_word(order(is_simulated=True), phone("an:ordinary:token")) == "delivered"


def test_a_person_with_a_real_phone_as_well_is_not_simulated():
    both = replace(SOMEBODY, devices=(phone("sim-retry"), phone("an:ordinary:token")))
    assert not is_simulated(both, channel=Channel.PUSH)
    assert not is_simulated(SOMEBODY, channel=Channel.PUSH)


@pytest.mark.parametrize(
    ("word", "outcomes"),
    [
        ("delivered", DELIVERED),
        ("bounce", DELIVERED),
        ("slow", DELIVERED),
        ("retry", [Outcome.TRANSIENT, Outcome.TRANSIENT, Outcome.ACCEPTED, Outcome.ACCEPTED]),
        ("throttle", [Outcome.THROTTLED, *DELIVERED[1:]]),
        ("timeout", [Outcome.UNKNOWN, *DELIVERED[1:]]),
        ("temp-fail", [Outcome.TRANSIENT] * 4),
        ("perm-fail", [Outcome.PERMANENT] * 4),
        ("unregistered", [Outcome.PERMANENT] * 4),
    ],
)
def test_what_each_word_does_try_by_try(word, outcomes):
    assert [answer_to(word, earlier_tries=tries).outcome for tries in range(4)] == outcomes


def test_refusals_end_with_the_reasons_of_the_table():
    assert answer_to("perm-fail", earlier_tries=0).reason == "rejected"
    assert answer_to("unregistered", earlier_tries=0).reason == "token_invalid"


@pytest.mark.parametrize(
    ("word", "news"),
    [
        ("retry", [(EventType.DELIVERED, "")]),
        ("bounce", [(EventType.BOUNCED, "mailbox_unknown")]),
        ("soft-bounce", [(EventType.BOUNCED, "mailbox_full")]),
        ("complaint", [(EventType.DELIVERED, ""), (EventType.COMPLAINED, "")]),
    ],
)
def test_what_is_reported_about_a_mail(word, news):
    assert [(each.type, each.reason) for each in news_after([message(word)])] == news


def test_nothing_is_reported_about_a_push():
    assert news_after([message("retry", device_id=uuid4())]) == []


def test_slow_ones_are_slow_together(monkeypatch):
    slept = []
    monkeypatch.setattr(simulation.time, "sleep", slept.append)
    answers = list(SimulatorProvider(Channel.EMAIL).send([message("slow"), message("delivered"), message("slow")]))
    assert [each.outcome for each in answers] == DELIVERED[:3]
    assert slept == [simulation.SLOW.total_seconds()]
