"""A consumer of the tests: the real delivery with the provider a test gives it."""

import threading

import pytest

from channels_email.channel import EmailChannel
from consumers.delivery import Delivery
from gateway.models import Notification
from tests.consumers.engine import RULES, breakers_of
from tests.fakes import ChannelWith, FakeProvider


@pytest.fixture
def journals(tmp_path):
    return tmp_path / "journals"


@pytest.fixture
def consumer(journals):
    """Makes deliveries for a provider; each one is closed in the end."""
    made = []

    def make(provider: FakeProvider, *, channel=None, stopping: threading.Event | None = None) -> Delivery:
        real = ChannelWith(channel or EmailChannel(), provider)
        made.append(
            Delivery(
                real,
                holder="consumer-1",
                journal_folder=journals,
                rules=RULES,
                breakers=breakers_of(real),
                stopping=stopping,
            )
        )
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def deliver(consumer):
    """One batch through one provider; returns how many were handed over."""

    def run(provider: FakeProvider, *notifications: Notification, channel=None) -> int:
        return consumer(provider, channel=channel).deliver([each.pk for each in notifications])

    return run
