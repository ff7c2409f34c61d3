"""Consumers are killed again and again while 250 notifications go out; provider and database agree in the end."""

import random
import signal
import time

import pytest

from tests.chaos import evidence
from tests.chaos.checker import HOLD, RESEND
from tests.chaos.logging_provider import LOG, MOODY
from tests.journeys.stage import open_stage

RESENT, HELD = 200, 50
#: Long before a hanging run is given up, in seconds. A sound one takes a small part of it.
PATIENCE = 900
#: Leases and waits are so many times shorter.
TIME_SCALE = 40
#: From one kill to the next, in seconds.
PAUSE = (0.1, 0.4)
#: A kill waits until so many more messages went out, so that a slow machine gets forward too; and how long at most.
GROWTH, LONGEST_PAUSE = 5, 1.5
#: How often each is the victim, relative to the others.
VICTIMS = {"consumer": 5, "second": 5, "sweeper": 1}


@pytest.fixture
def stage(request, tmp_path):
    """With a provider that is busy or slow now and then; and nobody who dies here is taken for poisoned."""
    with open_stage(
        request, tmp_path, time_scale=TIME_SCALE, CHAOS_PROVIDER=MOODY, CHAOS_POISON_AFTER="1000"
    ) as opened:
        yield opened


def taken(stage):
    log = stage.folder / LOG
    return log.read_bytes().count(b"\n") if log.exists() else 0


def wait_for_traffic(stage):
    """Until the provider has taken some more, or nothing seems to happen."""
    ends_at, begin = time.monotonic() + LONGEST_PAUSE, taken(stage)
    while taken(stage) < begin + GROWTH and time.monotonic() < ends_at:
        time.sleep(0.01)


def kill_until_finished(stage, client):
    """Returns how many died."""
    chance, kills, ends_at = random.Random("seed"), 0, time.monotonic() + PATIENCE  # noqa: S311  it can be repeated
    while (left := stage.database(evidence.UNSETTLED)[0][0]) > 0 or client.is_alive:
        assert time.monotonic() < ends_at, f"{left} never came to an end"
        wait_for_traffic(stage)
        (name,) = chance.choices(list(VICTIMS), VICTIMS.values())
        stage.alive[name].send(signal.SIGKILL)
        assert stage.alive[name].wait() == -signal.SIGKILL, f"{name} ended by itself; its log is in {stage.folder}"
        kills += 1
        stage.start(name)
        time.sleep(chance.uniform(*PAUSE))
    return kills


def test_nothing_is_lost_and_every_second_copy_is_explained_though_consumers_are_killed(stage):
    if stage.has_broker:
        stage.start("relay")
    for name in VICTIMS:
        stage.start(name)
    client = stage.post(stage.bodies([HOLD if number % 5 == 0 else RESEND for number in range(RESENT + HELD)]))

    kills = kill_until_finished(stage, client)

    assert client.wait() == 0
    stage.stop()
    found = stage.judge()
    print(
        f"{kills} kills, {taken(stage)} copies, {found.explained} explained, {len(found.held_in_doubt)} held in doubt"
    )
    assert not found.faults
    assert found.acknowledged == RESENT + HELD
    assert found.resend_duplicates <= found.fewest_possible
    # Otherwise the kills have hit nothing and the test has shown nothing.
    assert kills >= 10
    assert found.recovered
