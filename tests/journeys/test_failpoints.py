"""A process dies at each crash point, several times, with real processes; then three logs are compared.

On SQLite in the embedded mode, on PostgreSQL with RabbitMQ. `CRASH_POINTS` is the table of
docs/explanation/delivery.md: what a death leaves behind, and whether a second copy may come of it.
"""

import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.chaos import evidence
from tests.chaos.logging_provider import REPORTS
from tests.chaos.nursery import until
from tests.chaos.scene import CLIENT_LOG
from tests.journeys.stage import open_stage
from tests.rabbitmq_server import Tap

#: Leases and waits are so many times shorter: a claim 0.6 s, a hand-over 0.9 s and 1.2 s of grace, a doubt 1.2 s.
TIME_SCALE = 50
#: How often the victim dies before it is left in peace.
DEATHS = 2


@dataclass(frozen=True, kw_only=True)
class CrashPoint:
    """One row of the table, and how it is brought about."""

    #: The first column of the document's table.
    row: str
    places: tuple[str, ...]
    #: Who dies there.
    victim: str
    #: The statuses its death leaves behind in the embedded mode and with RabbitMQ.
    left: tuple[str, str] = ("", "")
    #: Each message passes the place, not each batch: the victim dies at the first, the second, the third.
    per_message: bool = False
    #: A second copy may come of it, where doubts are sent again.
    may_double: bool = False
    #: For a sweeper: where a consumer dies first, so that there is something to sweep.
    after: str = ""

    def __str__(self) -> str:
        return self.victim


CRASH_POINTS = (
    CrashPoint(
        row="request read … INSERT",
        places=("submission.judged", "submission.inserted"),
        victim="web",
        left=("", ""),
    ),
    CrashPoint(
        row="commit … 202 written",
        places=("submission.committed",),
        victim="web",
        left=("accepted", "accepted"),
    ),
    CrashPoint(
        row="row called queued … published … confirmed",
        places=("relay.queued", "relay.published"),
        victim="relay",
        left=("", "queued"),
    ),
    CrashPoint(row="rows locked … called queued", places=("relay.locked",), victim="relay", left=("", "accepted")),
    CrashPoint(
        row="hint delivered … claimed",
        places=("consumer.received",),
        victim="consumer",
        left=("accepted", "queued"),
    ),
    CrashPoint(
        row="claimed … rendered … connection open",
        places=("delivery.claimed", "delivery.prepared", "delivery.connected"),
        victim="consumer",
        left=("claimed", "claimed"),
    ),
    CrashPoint(
        row="hand-over marked … first byte … last byte",
        places=("delivery.marked", "provider.reached"),
        victim="consumer",
        left=("sending", "sending"),
        # Of the batch some may be with the provider by then.
        may_double=True,
    ),
    CrashPoint(
        row="provider accepted … answer read … journal line",
        places=("provider.took", "delivery.answered"),
        victim="consumer",
        left=("sending", "sending"),
        per_message=True,
        may_double=True,
    ),
    CrashPoint(
        row="journal line … outcome committed",
        places=("delivery.journalled",),
        victim="consumer",
        left=("sending", "sending"),
    ),
    CrashPoint(
        row="outcome committed … hint acknowledged",
        places=("delivery.recorded", "consumer.delivered"),
        victim="consumer",
        left=("sent", "sent"),
    ),
    CrashPoint(
        row="the sweeper gives back claims",
        places=("sweeper.release_stalled",),
        victim="sweeper",
        after="delivery.claimed",
    ),
    CrashPoint(
        row="the sweeper doubts hand-overs",
        places=("sweeper.doubt_stalled",),
        victim="sweeper",
        after="provider.took",
        may_double=True,
    ),
    CrashPoint(
        row="the sweeper settles doubts",
        places=("sweeper.settle_unknown",),
        victim="sweeper",
        after="provider.took",
        may_double=True,
    ),
    CrashPoint(
        row="the sweeper replays a journal",
        places=("sweeper.replay_journals",),
        victim="sweeper",
        after="delivery.journalled",
    ),
    CrashPoint(
        row="the sweeper ends what is too late",
        places=("sweeper.expire_overdue",),
        victim="sweeper",
    ),
    CrashPoint(
        row="the sweeper records a provider's news",
        places=("sweeper.collect_news",),
        victim="sweeper",
        after="delivery.recorded",
    ),
    CrashPoint(
        row="the sweeper rings again for lost hints",
        places=("sweeper.reopen",),
        victim="sweeper",
        after="relay.queued",
    ),
)
#: Chores that commit by themselves, bit by bit: what was done is done.
COMMITTED = ("sweeper.replay_journals", "sweeper.collect_news")


@pytest.fixture(scope="module")
def stage(request, tmp_path_factory):
    """In the SQLite half the embedded mode, in the other one both servers."""
    with open_stage(request, tmp_path_factory.mktemp("failpoints"), time_scale=TIME_SCALE) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _sound(stage):
    """Whatever a test does: in the end everything has come to rest and no promise is broken."""
    stage.copies_before = stage.judge().copies_beyond
    yield
    stage.start_others()
    stage.settle()
    (stage.folder / REPORTS).unlink(missing_ok=True)
    stage.stop()
    found = stage.judge()
    assert not found.faults
    assert not found.lost | found.unexpected | found.hold_duplicates | found.unsettled
    assert found.resend_duplicates <= found.fewest_possible


def kill_at(place, passing=1):
    return f"{place}=kill@{passing}"


def dies(stage, victim, place, passing=1):
    """The victim is started, gets to the place and dies there."""
    child = stage.start(victim, kill_at(place, passing))
    assert child.wait() == -signal.SIGKILL, (stage.folder / f"{victim}.log").read_text()[-2000:]


def copies_beyond(stage):
    """The copies beyond the first since the test began."""
    return stage.judge().copies_beyond - stage.copies_before


def those(*victims):
    """The points at which these die, each with each of its places."""
    return [(point, place) for point in CRASH_POINTS for place in point.places if point.victim in victims]


@pytest.mark.parametrize(("point", "place"), those("web"), ids=str)
def test_a_web_process_dies_and_the_client_repeats_itself(stage, point, place):
    bodies = stage.bodies()
    for passing in range(1, DEATHS + 1):
        begun = stage.database("SELECT count(*) FROM gateway_notification")[0][0]
        # Requests that were answered are replayed and get that far no more: the victim dies at the next new one.
        assert stage.post(bodies, kill_at(place)).wait() == -signal.SIGKILL, passing
        stored = stage.database("SELECT count(*) FROM gateway_notification")[0][0] - begun
        assert stored == (1 if point.left[0] else 0)
    assert stage.post(bodies).wait() == 0
    ids = stage.ids_of(bodies)
    assert stage.statuses(ids) == {"accepted": len(ids)}
    stage.start_others()
    until(lambda: stage.statuses(ids) == {"sent": len(ids)}, "the delivery")
    assert copies_beyond(stage) == 0


@pytest.mark.parametrize(
    ("point", "place"),
    those("relay", "consumer"),
    ids=str,
)
def test_a_process_dies_on_the_way_and_the_table_says_what_becomes_of_it(stage, point, place):
    if point.victim == "relay" and not stage.has_broker:
        pytest.skip("there is no relay in the embedded mode")
    ids = stage.submit()
    if stage.has_broker and point.victim != "relay":
        stage.start("relay")
    dies(stage, point.victim, place)
    found, left = stage.statuses(ids), point.left[stage.has_broker]
    # Hints come one by one: others of them may not have been in the batch.
    assert left in found
    assert set(found) <= ({left, "accepted", "queued"} if stage.has_broker else {left})
    stage.start_others(point.victim)
    for passing in range(2, DEATHS + 1):
        stage.submit()
        dies(stage, point.victim, place, passing if point.per_message else 1)
    stage.start_others()
    stage.settle()
    found = stage.judge()
    assert not found.faults
    if not point.may_double:
        assert copies_beyond(stage) == 0
    elif point.per_message:
        assert copies_beyond(stage) > 0, "the deaths have hit nothing"


@pytest.mark.parametrize(("point", "place"), those("sweeper"), ids=str)
def test_a_sweeper_dies_in_the_middle_of_a_chore_and_the_next_one_does_it_again(stage, point, place):
    if point.after.startswith("relay") and not stage.has_broker:
        pytest.skip("there are no hints in the embedded mode")
    ids = left_by_the_dead(stage, point.after) if point.after else overdue(stage)
    before = stage.statuses(ids)
    if place == "sweeper.collect_news":
        (stage.folder / REPORTS).touch()
    for _ in range(1 if place in COMMITTED else DEATHS):
        dies(stage, "sweeper", place)
        # `settle_unknown` comes after another chore that was committed.
        assert place in (*COMMITTED, "sweeper.settle_unknown") or stage.statuses(ids) == before
    stage.start_others()
    stage.settle()
    ends = {"sent", "delivered", "unknown"} if point.after else {"expired"}
    assert set(stage.statuses(ids)) <= ends
    if not point.may_double:
        assert copies_beyond(stage) == 0


def left_by_the_dead(stage, place):
    """What the death of a relay or a consumer at a place has left behind."""
    ids = stage.submit()
    victim = "relay" if place.startswith("relay") else "consumer"
    if stage.has_broker and victim != "relay":
        stage.start("relay")
    dies(stage, victim, place)
    return ids


def overdue(stage):
    """What is too late to be useful before anybody takes it."""
    for seconds in (2, 10, 60):  # a busy machine may be too late itself: what is over already is refused
        soon = datetime.now(UTC) + timedelta(seconds=seconds)
        bodies = stage.bodies(expires_at=soon.isoformat())
        if stage.post(bodies).wait() == 0:
            return stage.ids_of(bodies)
    raise AssertionError("not even a minute was enough")


def test_one_that_was_frozen_before_the_mark_finds_its_row_taken(stage):
    ids = stage.submit()
    frozen = stage.start("consumer", "delivery.connected=stop")
    stage.start_others("consumer")
    frozen.wait_until_stopped()
    assert stage.statuses(ids)["claimed"]
    stage.start("second")
    until(lambda: stage.statuses(ids) == {"sent": len(ids)}, "the delivery by somebody else")
    frozen.wake()
    stage.stop("consumer")
    assert copies_beyond(stage) == 0


@pytest.mark.parametrize(
    ("place", "copies"),
    # In the middle of it: the message it was about to hand over; for the others it was too late.
    [("delivery.marked", 0), ("provider.reached", 1)],
)
def test_one_that_was_frozen_at_the_hand_over_hands_nothing_more_over_when_it_is_too_late(stage, place, copies):
    ids = stage.submit()
    frozen = stage.start("consumer", f"{place}=stop")
    stage.start_others("consumer")
    frozen.wait_until_stopped()
    stage.start("second")
    stage.settle()
    assert set(stage.statuses(ids)) <= {"sent", "unknown"}
    frozen.wake()
    stage.stop("consumer")
    assert copies_beyond(stage) <= copies


def test_a_providers_news_prove_what_is_in_doubt(stage):
    (stage.folder / REPORTS).touch()
    ids = stage.submit()
    if stage.has_broker:
        stage.start("relay")
    dies(stage, "consumer", "provider.took")
    stage.start("sweeper")
    until(lambda: "delivered" in stage.statuses(ids), "the proof")
    assert copies_beyond(stage) == 0


def cut_connections(stage):
    """Of everybody to the database, as a restart of it does."""
    with psycopg.connect(stage.database_url, autocommit=True) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_the_database_is_gone_between_answer_and_outcome(stage):
    if not stage.database_url:
        pytest.skip("a file does not go away")
    ids = stage.submit()
    stage.start("relay")
    consumer = stage.start("consumer", "delivery.journalled=stop")
    consumer.wait_until_stopped()
    assert stage.statuses(ids)["sending"]
    cut_connections(stage)
    consumer.wake()
    until(lambda: stage.statuses(ids) == {"sent": len(ids)}, "the record")
    assert copies_beyond(stage) == 0


def test_the_connection_is_lost_during_the_commit_and_the_client_repeats_itself(stage):
    if not stage.database_url:
        pytest.skip("a file does not go away")
    bodies = stage.bodies()
    web = stage.post(bodies, "submission.inserted=stop")
    web.wait_until_stopped()
    cut_connections(stage)
    web.wake()
    assert web.wait() == 0
    asked, told = evidence.read_client_log(stage.folder / CLIENT_LOG)
    assert {body["request_id"] for body in bodies} <= asked
    assert bodies[0]["request_id"] not in dict(told), "it was answered 503"
    assert stage.post(bodies).wait() == 0
    stage.start_others()
    ids = stage.ids_of(bodies)
    until(lambda: stage.statuses(ids) == {"sent": len(ids)}, "the delivery")
    assert copies_beyond(stage) == 0


def test_the_broker_loses_hints_it_had_confirmed(stage, request):
    if not stage.has_broker:
        pytest.skip("there is no broker in the embedded mode")
    rabbitmq_url = request.getfixturevalue("rabbitmq_url")
    ids = stage.submit()
    stage.start("relay")
    tap = Tap(rabbitmq_url, stage.topology)
    queue = stage.topology.queue("email")
    until(lambda: tap.depth(queue) == len(ids), "the hints")
    stage.stop("relay")
    tap.ask("queue_purge", queue=queue)
    tap.close()
    assert stage.statuses(ids) == {"queued": len(ids)}
    began = time.monotonic()
    stage.start_others()
    until(lambda: stage.statuses(ids) == {"sent": len(ids)}, "the delivery")
    print(f"found after {time.monotonic() - began:.1f} s")
    assert copies_beyond(stage) == 0
