"""Compares what was acknowledged, what the provider took and what the database says; knows nothing of how that came."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

RESEND, HOLD = "resend", "hold"
#: The provider took it, says the row.
TAKEN = frozenset({"sent", "delivered"})
#: Decided against, with a reason anybody can read.
DECIDED = frozenset({"failed", "bounced", "suppressed", "cancelled", "expired"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the database says of one notification."""

    status: str
    rule: str = RESEND
    request_id: str = ""
    reason: str = ""
    is_flagged: bool = False
    #: The types of its events, in their order.
    events: tuple[str, ...] = ()
    #: The outcomes of its attempts, in their order; None for one without an answer.
    attempts: tuple[str | None, ...] = ()
    crash_count: int = 0
    publish_count: int = 0

    @property
    def resent(self) -> int:
        """How often a doubt was settled by sending again."""
        return self.events.count("possible_duplicate")

    @property
    def recorded(self) -> int:
        """Acceptances that were written down before anybody doubted them. An answer after the doubt replaces that."""
        answered_late = self.doubts - self.attempts.count("unknown")
        return max(0, self.attempts.count("accepted") - answered_late)

    @property
    def doubts(self) -> int:
        """How many attempts were called unknown, if only for a while."""
        return max(self.events.count("unknown"), self.attempts.count("unknown"))

    @property
    def was_recovered(self) -> bool:
        """Something had died or was lost over it, and it went on."""
        return bool(self.crash_count or self.publish_count > 1 or "unknown" in self.events or "released" in self.events)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Three logs, each by somebody else."""

    #: The client's: what it asked for.
    asked: frozenset[str]
    #: The client's: the id it was given for each request, every time.
    acknowledged: Sequence[tuple[str, UUID]]
    #: The provider's: a line each time it took responsibility.
    taken: Sequence[UUID]
    #: The database's.
    rows: Mapping[UUID, Row]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What the comparison brought to light. The three lists of ids after `faults` are what a run is judged by."""

    #: Sentences about broken promises, by notification; none is the aim.
    faults: Mapping[UUID, list[str]]
    lost: frozenset[UUID]
    #: Twice where nothing explains it, or where doubts are held.
    unexpected: frozenset[UUID]
    hold_duplicates: frozenset[UUID]
    #: Not at an end when the logs were read.
    unsettled: frozenset[UUID]
    acknowledged: int
    delivered: int
    #: Notifications with more than one copy, the copies beyond the first, and those of them a doubt explains.
    duplicated: int
    copies_beyond: int
    explained: int
    #: Held back in doubt, for an operator to settle.
    held_in_doubt: frozenset[UUID]
    #: Decided against, by reason.
    given_up: Mapping[str, int]
    recovered: int
    #: D*: what was taken and neither journalled nor recorded when its process died or ran out of time, under `resend`.
    fewest_possible: int
    #: Copies beyond the first under `resend`; never more than D*.
    resend_duplicates: int
    #: Rows of requests the client asked for and never got an answer to.
    unanswered: int


@dataclass(slots=True)
class _Verdict:
    """About one notification."""

    faults: list[str] = field(default_factory=list)
    is_lost: bool = False
    is_unsettled: bool = False
    explained: int = 0
    is_unexpected: bool = False


def judge(evidence: Evidence) -> Findings:
    """Every promise, notification by notification."""
    copies = Counter(evidence.taken)
    given = {id_: request for request, id_ in evidence.acknowledged}
    verdicts = {id_: _Verdict() for id_ in {*given, *copies, *evidence.rows}}
    for id_, fault in _strangers(evidence, copies, given):
        verdicts[id_].faults.append(fault)
        verdicts[id_].is_unexpected |= copies[id_] > 0
    for id_, verdict in verdicts.items():
        row = evidence.rows.get(id_)
        if row is not None:
            _judge_row(row, copies[id_], verdict)
        elif id_ in given:
            verdict.is_lost = True
            verdict.faults.append("lost: acknowledged, and not in the database")
    return _findings(evidence, copies, given, verdicts)


def _strangers(evidence: Evidence, copies: Mapping[UUID, int], given: Mapping[UUID, str]) -> Iterator[tuple[UUID, str]]:
    """What one log knows and another cannot confirm."""
    first: dict[str, UUID] = {}
    for request, id_ in evidence.acknowledged:
        if first.setdefault(request, id_) != id_:
            yield id_, f"a second notification for request {request}: the first is {first[request]}"
        if request not in evidence.asked:
            yield id_, f"request {request} was acknowledged and nobody had asked"
    for id_ in copies.keys() - evidence.rows.keys():
        yield id_, "the provider has it, the database does not"
    for id_, row in evidence.rows.items():
        if row.request_id not in evidence.asked:
            yield id_, "the database has it, nobody asked for it"
        elif given.get(id_, row.request_id) != row.request_id:
            yield id_, f"acknowledged for request {given[id_]}, stored for {row.request_id}"


def _judge_row(row: Row, copies: int, verdict: _Verdict) -> None:
    _judge_end(row, copies, verdict)
    if row.attempts.count("accepted") > copies:
        accepted = row.attempts.count("accepted")
        verdict.faults.append(f"{accepted} attempts called accepted, the provider has {copies} copies")
    if copies > len(row.attempts):
        verdict.faults.append(f"{copies} copies, but only {len(row.attempts)} attempts")
    if row.rule == HOLD and (row.is_flagged or row.resent):
        verdict.faults.append("sent again although doubts are held")
    if copies > 1:
        _judge_copies(row, copies, verdict)


def _judge_end(row: Row, copies: int, verdict: _Verdict) -> None:
    faults = verdict.faults
    if row.status in TAKEN and not copies:
        verdict.is_lost = True
        faults.append(f"lost: called {row.status}, the provider never had it")
    elif row.status in DECIDED and copies and not row.doubts:
        faults.append(f"called {row.status}, but the provider has it and no attempt is in doubt")
    elif row.status in DECIDED and not row.reason:
        verdict.is_lost = not copies
        faults.append(f"ended {row.status} without a reason")
    elif row.status not in TAKEN | DECIDED and not (row.status == "unknown" and row.rule == HOLD):
        verdict.is_unsettled = True
        faults.append(f"never came to an end: {row.status}")


def _judge_copies(row: Row, copies: int, verdict: _Verdict) -> None:
    """Each copy beyond the first needs a doubt, a decision to send again, and the flag. Under `hold` there is none."""
    if row.rule == HOLD:
        verdict.is_unexpected = True
        verdict.faults.append(f"{copies} copies although doubts are held")
        return
    verdict.explained = min(copies - 1, row.resent, row.doubts) if row.is_flagged else 0
    if verdict.explained < copies - 1:
        verdict.is_unexpected = True
        flagged = "flagged" if row.is_flagged else "not flagged"
        verdict.faults.append(
            f"{copies} copies, {flagged}, sent again {row.resent} times, {row.doubts} attempts in doubt"
        )
    if copies - 1 > copies - row.recorded:
        verdict.is_unexpected = True
        verdict.faults.append(f"sent again although {row.recorded} acceptances were recorded in time")


def _findings(
    evidence: Evidence, copies: Mapping[UUID, int], given: Mapping[UUID, str], verdicts: Mapping[UUID, _Verdict]
) -> Findings:
    rows = evidence.rows
    resend = [id_ for id_, row in rows.items() if row.rule == RESEND]
    decided = (row for row in rows.values() if row.status in DECIDED)

    def those(condition) -> frozenset[UUID]:
        return frozenset(id_ for id_, verdict in verdicts.items() if condition(id_, verdict))

    return Findings(
        faults={id_: verdict.faults for id_, verdict in verdicts.items() if verdict.faults},
        lost=those(lambda id_, verdict: verdict.is_lost),
        unexpected=those(lambda id_, verdict: verdict.is_unexpected),
        hold_duplicates=those(lambda id_, verdict: id_ in rows and rows[id_].rule == HOLD and copies[id_] > 1),
        unsettled=those(lambda id_, verdict: verdict.is_unsettled),
        acknowledged=len(given),
        delivered=sum(copies[id_] > 0 for id_ in given),
        duplicated=sum(count > 1 for count in copies.values()),
        copies_beyond=sum(count - 1 for count in copies.values()),
        explained=sum(verdict.explained for verdict in verdicts.values()),
        held_in_doubt=those(lambda id_, verdict: id_ in rows and rows[id_].status == "unknown"),
        given_up=Counter(row.reason for row in decided),
        recovered=sum(row.was_recovered for row in rows.values()),
        fewest_possible=sum(max(0, copies[id_] - rows[id_].recorded) for id_ in resend),
        resend_duplicates=sum(max(0, copies[id_] - 1) for id_ in resend),
        unanswered=sum(id_ not in given for id_ in rows),
    )
