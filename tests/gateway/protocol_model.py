"""The delivery protocol as a small machine whose every possible run is tried.

What it is. One notification; two consumers; one relay with its broker (or none: embedded mode); a sweeper; a provider;
people who cancel, replay and settle; a clock. `Model.steps()` lists all that may happen next in a state; `explore()`
walks from the first state through everything, breadth first, and checks the promises after each step. So every order
of events, every crash and every freeze within the given number of them is looked at, not a sample. Pure Python, no
database, no threads. The first broken promise is reported with the shortest way that leads to it.

`protocol_state.py` lists what there is, this file what may happen, `protocol_exploration.py` the promises and the walk.

What is read from the code. Which change may start in which status, where it ends, who may make it and whether it names
the claim token come from `gateway.statuses.CHANGES`: a slip in that table breaks a promise here.

What is abstracted.
* Tokens: only "is this token the one in the row?" matters, so each consumer carries that answer (`fits`). A new claim,
  or leaving the hands of a holder, makes all older tokens unfit. `current` is the truth behind it, which no process can
  see: nobody has been given this notification since. In an intact protocol the two never differ.
* Time: a row has one timer that matters in its status: the wait of an accepted row, the lease of a held one, the wait
  of a doubtful one. `clock` says how far it is. A consumer may be slow for longer than a lease, but one that runs
  comes back before lease and grace are over (a provider call has its own deadline); a grace that ends nevertheless
  means that the consumer was frozen, and uses up one of the run's freezes. A frozen process wakes up later and goes on
  where it was, like any slow one.
* Consumers are alike, so states that differ only in which of them is where count as one.

| step of the model                    | code                                                                         |
|--------------------------------------|------------------------------------------------------------------------------|
| `_relay`: publish, mark queued       | the relay; with the broker only                                              |
| `_receive`, `_claim`                 | `Broker.receive`, `outbox.claim`                                             |
| `_prepared`: give back, postpone,    | `consumers/preparation.py`, `outbox.release`, `outbox.settle`,               |
| suppress, give up, hand over         | `tracking.open_attempts`                                                     |
| `_hand_over`: the provider answers   | `Provider.send`                                                              |
| `_write_down`                        | `OutcomeJournal.append`                                                      |
| `_record`                            | `tracking.record_outcomes`                                                   |
| `_acknowledge`                       | `OutcomeJournal.clear`, `Broker.ack`                                         |
| `_come_back`: replay, start          | `replay_journals` (of a starting process or of the sweeper), a new process   |
| `_sweep`                             | `outbox.release_stalled`, `tracking.doubt_stalled`, `tracking.settle_unknown`;|
|                                      | all dead: `recover_at_boot`; reopen: the sweeper, with the broker only       |
| `_news`                              | `tracking.record_news`                                                       |
| `_people`                            | `outbox.cancel`, `outbox.expire_overdue`, `replaying.replay`, `settle_by_hand`|
| `_time_passes`, `_crash`,            | the world                                                                    |
| `_broker_trouble`                    |                                                                              |
"""

from collections.abc import Iterator

from gateway.statuses import Actor
from tests.gateway.protocol_state import (
    ACCEPTED,
    ARRIVED,
    CAME_BACK,
    CLAIMED,
    EMPTY_HANDED,
    FINAL,
    GRACE_OVER,
    HANDING_OVER,
    HAS_JOURNAL_LINE,
    KEEPS_TOKEN,
    LATE,
    OVER,
    RUNNING,
    SENDING,
    UNKNOWN,
    Answer,
    Broken,
    Phase,
    Relay,
    Rule,
    Run,
    State,
    Worker,
)

#: What happened; whether it is the ordinary course of things, neither trouble nor somebody's wish; the state after it.
Step = tuple[str, bool, State]


class Model:
    """The protocol in the surroundings of one run. `made` collects the names of the changes that occurred."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.made: set[str] = set()
        self._table = {
            name: (frozenset(source.value for source in change.sources), change.target.value, change)
            for name, change in run.table.items()
        }
        self._turn = {
            Phase.IDLE: self._receive,
            Phase.CALLED: self._claim,
            Phase.HOLDING: self._prepared,
            Phase.HANDED: self._hand_over,
            Phase.ANSWERED: self._write_down,
            Phase.WRITTEN: self._record,
            Phase.RECORDED: self._acknowledge,
            Phase.DEAD: self._come_back,
        }

    def steps(self, state: State) -> Iterator[Step]:
        """All that may happen next."""
        for i, worker in enumerate(state.workers):
            yield from self._turn[worker.phase](state, i)
            yield from self._crash(state, i)
        if self.run.with_broker:
            yield from self._relay(state)
            yield from self._broker_trouble(state)
        yield from self._sweep(state)
        yield from self._time_passes(state)
        if self.run.with_people:
            yield from self._news(state)
            yield from self._people(state)

    # --- the row ------------------------------------------------------------------------------------------------------

    def _keeps(self, rule: str) -> bool:
        return rule not in self.run.without

    def _finds(self, state: State, name: str) -> bool:
        return state.status in self._table[name][0]

    def _write(
        self, state: State, name: str, actor: Actor, *, by: int | None = None, **columns: object
    ) -> State | None:
        """One guarded UPDATE; None when it finds no row. `by` is the consumer that writes under its token."""
        sources, target, change = self._table[name]
        if state.status not in sources:
            return None
        if change.needs_token and (by is None or not state.workers[by].fits):
            return None
        if actor not in change.actors:
            raise Broken(f"The {actor} made the change {name}, which is not theirs.")
        if by is not None and not state.workers[by].current:
            raise Broken("A consumer that was overtaken wrote a status.")
        if state.status in FINAL and name not in LATE:
            raise Broken("A notification left a final status.")
        self.made.add(name)
        # Nothing is left to wait for at the end: only the status keeps claims and chores away.
        columns.setdefault("clock", GRACE_OVER if target in FINAL else RUNNING)
        if target not in KEEPS_TOKEN:
            columns["workers"] = tuple(self._overtaken(each, name) for each in state.workers)
        return state._replace(status=target, doubted=state.doubted or target == UNKNOWN, **columns)

    def _overtaken(self, worker: Worker, name: str) -> Worker:
        return worker._replace(fits=worker.fits and name in self.run.leaves_token, current=False)

    # --- consumers ----------------------------------------------------------------------------------------------------

    def _receive(self, state: State, i: int) -> Iterator[Step]:
        called = _at(state, i, Worker(Phase.CALLED))
        if not self.run.with_broker:
            if state.status == ACCEPTED and state.clock >= OVER:
                yield "a consumer finds the row due", True, called
        elif state.hint:
            yield "a consumer receives a hint", True, called._replace(hint=False)

    def _claim(self, state: State, i: int) -> Iterator[Step]:
        name = "claim" if self._finds(state, "claim") else "steal"
        may = state.clock >= OVER or (name == "steal" and not self._keeps(Rule.STEAL_AFTER_LEASE))
        taken = self._write(state, name, Actor.CONSUMER) if may else None
        if taken is None:
            yield "it may not claim and drops the hint", True, _at(state, i, Worker())
            return
        keeps_old = not self._keeps(Rule.NEW_TOKEN)
        others = tuple(each._replace(fits=each.fits and keeps_old, current=False) for each in taken.workers)
        crashes = self._one_more_crash(state) if name == "steal" else state.crashes
        holder = Worker(Phase.HOLDING, Answer.NONE, fits=True, current=True)
        yield f"it may: {name}", True, _at(taken._replace(workers=others, crashes=crashes), i, holder)

    def _one_more_crash(self, state: State) -> int:
        """Counted only where it matters, to keep the number of states small."""
        counts = self.run.is_poison and self._keeps(Rule.COUNT_CRASHES)
        return min(state.crashes + 1, self.run.poison_after) if counts else 0

    def _prepared(self, state: State, i: int) -> Iterator[Step]:
        if self.run.is_poison:
            yield "it dies of the notification", True, self._dead(state, i)
            return
        gone = _at(state, i, Worker())
        handed = None
        if state.clock < OVER or not self._keeps(Rule.HAND_OVER_UNDER_LEASE):
            handed = self._write(state, "hand_over", Actor.CONSUMER, by=i)
        if not self._keeps(Rule.MARK_FIRST):
            handed = state
        if handed is None:
            yield "it was overtaken or is too late and drops it", True, gone
        else:
            yield "it marks the hand-over", True, _at(handed, i, handed.workers[i]._replace(phase=Phase.HANDED))
        tries = state.tries + 1
        failed = ("give_up_early", {}) if tries >= self.run.max_attempts else ("postpone", {"tries": tries})
        for name, columns in (("release", {"clock": OVER}), ("postpone", {}), failed, ("suppress", {})):
            after = self._write(state, name, Actor.CONSUMER, by=i, **columns)
            if after is not None:
                yield f"before any hand-over: {name}", False, _at(after, i, Worker())

    def _hand_over(self, state: State, i: int) -> Iterator[Step]:
        def answered(answer: str, **columns: object) -> State:
            worker = state.workers[i]._replace(phase=Phase.ANSWERED, answer=answer)
            return _at(state, i, worker)._replace(**columns)

        more = min(state.copies + 1, 3)
        yield "the provider takes it", True, answered(Answer.YES, copies=more)
        yield "the provider takes it, the answer is lost", False, answered(Answer.CUT, copies=more, cut_off=True)
        yield "the connection breaks, nothing was taken", False, answered(Answer.CUT, cut_off=True)
        yield "the provider refuses for now", False, answered(Answer.LATER)
        yield "the provider refuses for good", False, answered(Answer.NEVER)

    def _write_down(self, state: State, i: int) -> Iterator[Step]:
        written = state.workers[i]._replace(phase=Phase.WRITTEN)
        yield "it writes the answer into its journal", True, _at(state, i, written)

    def _record(self, state: State, i: int) -> Iterator[Step]:
        for after in self._recorded(state, i):
            yield "it records the outcome", True, _at(after, i, after.workers[i]._replace(phase=Phase.RECORDED))

    def _acknowledge(self, state: State, i: int) -> Iterator[Step]:
        yield "it clears the journal and acknowledges", True, _at(state, i, Worker())

    def _recorded(self, state: State, i: int) -> Iterator[State]:
        """The states after `record_outcomes`, of a consumer or of the replay of its journal."""
        if not self._keeps(Rule.MARK_FIRST):
            state = self._write(state, "hand_over", Actor.CONSUMER, by=i) or state
        worker = state.workers[i]
        tries = state.tries + 1
        match worker.answer:
            case Answer.YES:
                changes = [("send", {})]
            case Answer.LATER:
                changes = [("retry" if tries < self.run.max_attempts else "give_up", {"tries": tries})]
            case Answer.NEVER:
                changes = [("give_up", {}), ("refuse_recipient", {})]
            case _:  # CUT
                changes = [("doubt", {"tries": tries})]
        for name, columns in changes:
            after = self._write(state, name, Actor.CONSUMER, by=i, **columns)
            is_proof = worker.answer == Answer.YES or not self._keeps(Rule.ONLY_YES_PROVES)
            if after is None and is_proof and worker.fits:
                after = self._write(state, "prove_sent", Actor.CONSUMER, by=i)
            yield state if after is None else self._follow(after)

    def _crash(self, state: State, i: int) -> Iterator[Step]:
        if state.crashes_left and state.workers[i].phase not in EMPTY_HANDED:
            yield "a consumer is killed", False, self._dead(state, i)._replace(crashes_left=state.crashes_left - 1)

    def _dead(self, state: State, i: int) -> State:
        worker = state.workers[i]
        keeps_line = worker.phase in HAS_JOURNAL_LINE
        dead = worker._replace(phase=Phase.DEAD) if keeps_line else Worker(Phase.DEAD)
        # What nobody has acknowledged is delivered again.
        redelivered = self.run.with_broker and self._keeps(Rule.ACK_LAST)
        return _at(state, i, dead)._replace(hint=state.hint or redelivered)

    def _come_back(self, state: State, i: int) -> Iterator[Step]:
        if state.workers[i].answer and self._keeps(Rule.JOURNAL):
            for after in self._recorded(state, i):
                yield "a dead consumer's journal is replayed", True, _at(after, i, Worker(Phase.DEAD))
        else:
            yield "a consumer starts", True, _at(state, i, Worker())

    # --- relay and broker ---------------------------------------------------------------------------------------------

    def _relay(self, state: State) -> Iterator[Step]:
        """It may mark before it publishes or after it has: both orders are tried, and its death in between."""
        is_due = state.status == ACCEPTED and state.clock >= OVER
        if state.relay == Relay.IDLE and is_due:
            yield "the relay publishes a hint", True, _with_hint(state, relay=Relay.PUBLISHED)
            queued = self._write(state, "queue", Actor.RELAY, clock=OVER, relay=Relay.MARKED)
            if queued is not None:
                yield "the relay marks it queued and is about to publish", True, queued
        elif state.relay != Relay.IDLE:
            idle = state._replace(relay=Relay.IDLE)
            yield "the relay dies half-way", False, idle
            if state.relay == Relay.MARKED:
                yield "the relay publishes a hint", True, _with_hint(state, relay=Relay.IDLE)
                yield from self._refused_by_broker(idle)
            else:
                queued = self._write(idle, "queue", Actor.RELAY, clock=OVER) if is_due else None
                yield "the relay marks it queued", True, queued or idle

    def _refused_by_broker(self, state: State) -> Iterator[Step]:
        if Actor.RELAY in self._table["reopen"][2].actors:
            reopened = self._write(state, "reopen", Actor.RELAY, clock=OVER)
            yield "the broker takes no hint, the relay reopens it", False, reopened or state

    def _broker_trouble(self, state: State) -> Iterator[Step]:
        if state.status in FINAL:
            return  # hints about it can do neither good nor harm any more
        if state.hint:
            yield "the broker loses the hint", False, state._replace(hint=False)
        elif any(each.phase not in EMPTY_HANDED for each in state.workers):
            yield "the broker delivers a hint twice", False, state._replace(hint=True)

    # --- the sweeper --------------------------------------------------------------------------------------------------

    def _sweep(self, state: State) -> Iterator[Step]:
        one_host = not self.run.with_broker
        if (
            one_host
            and self._keeps(Rule.JOURNAL)
            and any(each.phase == Phase.DEAD and each.answer for each in state.workers)
        ):
            return  # the journals first: `_come_back`
        nobody_lives = one_host and all(each.phase == Phase.DEAD for each in state.workers)
        whoever_holds = nobody_lives or not self._keeps(Rule.ONE_PLATFORM)
        if self.run.with_broker and self._keeps(Rule.REOPEN):
            yield from _swept("reopen", self._write(state, "reopen", Actor.SWEEPER, clock=OVER))
        if self._keeps(Rule.RELEASE_STALLED) and (state.clock >= OVER or whoever_holds):
            yield from self._release_stalled(state)
        patience = GRACE_OVER if self._keeps(Rule.GRACE) else OVER
        if self._keeps(Rule.DOUBT_STALLED) and (state.clock >= patience or whoever_holds):
            doubted = self._write(state, "doubt_stalled", Actor.SWEEPER, tries=state.tries + 1)
            follows = doubted is not None and self._keeps(Rule.EARLY_NEWS)
            yield from _swept("doubt_stalled", self._follow(doubted) if follows else doubted)
        if self._keeps(Rule.SETTLE_UNKNOWN) and state.clock >= OVER and self._finds(state, "resend_unknown"):
            yield from self._settle_unknown(state)

    def _release_stalled(self, state: State) -> Iterator[Step]:
        crashes = self._one_more_crash(state)
        if crashes >= self.run.poison_after:
            yield from _swept("set_aside", self._write(state, "set_aside", Actor.SWEEPER, crashes=crashes))
        else:
            after = self._write(state, "release_stalled", Actor.SWEEPER, crashes=crashes, clock=OVER)
            yield from _swept("release_stalled", after)

    def _settle_unknown(self, state: State) -> Iterator[Step]:
        may_resend = self.run.rule == "resend" or not self._keeps(Rule.HOLD)
        if not may_resend or state.tries >= self.run.max_attempts:
            yield from _swept("give_up_unknown", self._write(state, "give_up_unknown", Actor.SWEEPER))
            return
        knows = any(each.phase == Phase.DEAD and each.answer == Answer.YES and each.current for each in state.workers)
        if knows and not self.run.with_broker:  # with a broker the journal may lie on another host
            raise Broken("It is sent again although a journal on this host knows that it went out.")
        flagged = state.flagged or self._keeps(Rule.FLAG)
        after = self._write(state, "resend_unknown", Actor.SWEEPER, clock=OVER, flagged=flagged)
        yield from _swept("resend_unknown", after)

    # --- the world ----------------------------------------------------------------------------------------------------

    def _time_passes(self, state: State) -> Iterator[Step]:
        if state.status in (ACCEPTED, CLAIMED, SENDING, UNKNOWN) and state.clock == RUNNING:
            yield "its wait or lease is over", True, state._replace(clock=OVER)
        elif state.status == SENDING and state.clock == OVER:
            if not any(each.current and each.phase in HANDING_OVER for each in state.workers):
                yield "its grace is over", True, state._replace(clock=GRACE_OVER)
            elif state.freezes_left:
                frozen = state._replace(clock=GRACE_OVER, freezes_left=state.freezes_left - 1)
                yield "the consumer is frozen until its grace is over", False, frozen

    def _news(self, state: State) -> Iterator[Step]:
        if state.copies:
            for news in range(state.news + 1, CAME_BACK + 1):
                yield "the provider tells what came of it", False, self._follow(state._replace(news=news))

    def _follow(self, state: State) -> State:
        """What the provider has told so far moves the status forward."""
        if state.news:
            state = self._write(state, "prove_sent", Actor.PROVIDER_NEWS) or state
            name = "confirm" if state.news == ARRIVED else "bounce"
            state = self._write(state, name, Actor.PROVIDER_NEWS) or state
        return state

    def _people(self, state: State) -> Iterator[Step]:
        wishes = [("cancel", Actor.CLIENT, {}), ("expire", Actor.SWEEPER, {}), ("give_up_unknown", Actor.OPERATOR, {})]
        if state.copies:
            wishes.append(("prove_sent", Actor.OPERATOR, {}))  # whoever settles a doubt has looked
        if state.replays_left:
            again = {"clock": OVER, "tries": 0, "crashes": 0, "replays_left": state.replays_left - 1}
            wishes.append(("replay", Actor.OPERATOR, again | {"flagged": state.flagged or state.doubted}))
        for name, actor, columns in wishes:
            after = self._write(state, name, actor, **columns)
            if after is not None:
                yield f"by hand or too late: {name}", False, after


def _at(state: State, i: int, worker: Worker) -> State:
    """The state with that consumer changed."""
    workers = state.workers
    return state._replace(workers=(worker, workers[1]) if i == 0 else (workers[0], worker))


def _with_hint(state: State, *, relay: str) -> State:
    return state._replace(hint=True, relay=relay)


def _swept(name: str, after: State | None) -> Iterator[Step]:
    if after is not None:
        yield f"the sweeper: {name}", True, after
