"""What there is in the protocol model: the row, two consumers, the rules, and what a run may do to them.

`protocol_model.py` explains the model; begin there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway import statuses
from gateway.statuses import Change

TABLE: Mapping[str, Change] = {change.name: change for change in statuses.CHANGES}

ACCEPTED, QUEUED, CLAIMED, SENDING, UNKNOWN, SENT, DELIVERED, BOUNCED, SUPPRESSED, CANCELLED, EXPIRED, FAILED = (
    status.value for status in statuses.Status
)
FINAL = frozenset(status.value for status in statuses.FINAL) | {SENT}
#: Statuses in which the token stays in the row: a holder, or a late worker, may still be right.
KEEPS_TOKEN = frozenset(status.value for status in statuses.HELD) | {UNKNOWN}
STOPPED = frozenset({SUPPRESSED, CANCELLED, EXPIRED, FAILED})
#: The only ways out of a final status.
LATE = frozenset({"confirm", "bounce", "replay"})

#: How far the row's timer is.
RUNNING, OVER, GRACE_OVER = range(3)
#: What the provider told later; bad news comes last.
NO_NEWS, ARRIVED, CAME_BACK = range(3)


class Phase:
    """Where a consumer is. A dead one keeps the line of its journal, if there is one, as its answer."""

    IDLE, CALLED, HOLDING, HANDED, ANSWERED, WRITTEN, RECORDED, DEAD = (
        "idle", "called", "holding", "handed over", "answered", "written down", "recorded", "dead",
    )  # fmt: skip


class Relay:
    """Where the relay is with this notification, between its two halves."""

    IDLE, PUBLISHED, MARKED = "idle", "published", "marked"


class Answer:
    """What a provider says; CUT is no answer at all, whether it took the message or not."""

    NONE, YES, LATER, NEVER, CUT = "", "yes", "later", "never", "cut"


class Rule:
    """What the code does beyond the table. A mutant is a run without one of these."""

    NEW_TOKEN = "each claim makes a new token"
    STEAL_AFTER_LEASE = "only a claim whose lease is over is stolen"
    HAND_OVER_UNDER_LEASE = "a hand-over needs a lease that is not over"
    MARK_FIRST = "the hand-over is marked before it happens"
    ONLY_YES_PROVES = "only an acceptance proves a doubt sent"
    ACK_LAST = "a hint is acknowledged when the outcome is recorded"
    JOURNAL = "the journals of the dead are replayed"
    ONE_PLATFORM = "a second start on the same table ends itself"
    REOPEN = "the sweeper reopens rows whose hint is missing"
    RELEASE_STALLED = "the sweeper gives back what the dead had claimed"
    DOUBT_STALLED = "the sweeper doubts what the dead had handed over"
    SETTLE_UNKNOWN = "the sweeper settles doubts"
    GRACE = "the sweeper waits for the grace on top of the lease"
    HOLD = "what must not go out twice is held"
    FLAG = "what is sent again is flagged"
    EARLY_NEWS = "news that was told before the doubt counts"
    COUNT_CRASHES = "who dies over a notification is counted"


HANDING_OVER = frozenset({Phase.HANDED, Phase.ANSWERED, Phase.WRITTEN})
HAS_JOURNAL_LINE = frozenset({Phase.WRITTEN, Phase.RECORDED})
EMPTY_HANDED = frozenset({Phase.IDLE, Phase.DEAD})


class Worker(NamedTuple):
    """One consumer."""

    phase: str = Phase.IDLE
    answer: str = Answer.NONE
    fits: bool = False
    current: bool = False


class State(NamedTuple):
    """All there is: the row, the consumers, the broker, the provider, and what the run may still do to them."""

    status: str = ACCEPTED
    clock: int = OVER
    flagged: bool = False  # possible_duplicate
    doubted: bool = False  # an attempt went through `unknown`
    tries: int = 0
    crashes: int = 0
    news: int = NO_NEWS
    copies: int = 0  # how many the provider took
    workers: tuple[Worker, ...] = (Worker(), Worker())
    hint: bool = False  # waits in the broker; a second one could do no more
    relay: str = Relay.IDLE
    # What the run has left, and whether an answer got lost.
    crashes_left: int = 0
    freezes_left: int = 0
    replays_left: int = 0
    cut_off: bool = False


class Broken(Exception):
    """A step was made that nobody may make."""


@dataclass(frozen=True)
class Run:
    """What is tried: the surroundings, and how much trouble there may be."""

    rule: str = "resend"
    with_broker: bool = False
    crashes: int = 2
    freezes: int = 2
    #: People and providers do things later: cancel, expire, settle, replay (so often), tell news.
    with_people: bool = False
    replays: int = 0
    #: Every consumer dies while it prepares this notification.
    is_poison: bool = False
    max_attempts: int = 2
    poison_after: int = 3
    # Mutants only: another table, rules that are not kept, changes that forget to clear the token.
    table: Mapping[str, Change] = field(default_factory=lambda: TABLE)
    without: frozenset[str] = frozenset()
    leaves_token: frozenset[str] = frozenset()

    def first(self) -> State:
        return State(crashes_left=self.crashes, freezes_left=self.freezes, replays_left=self.replays)
