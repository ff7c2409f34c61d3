"""Compares what was accepted, what the provider took and what the database says; knows nothing of how it came about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

RESEND, HOLD = "resend", "hold"


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the database says of one notification."""

    status: str
    is_flagged: bool = False
    #: How often a doubt was settled by sending again.
    resent: int = 0


@dataclass(frozen=True)
class Findings:
    """What the comparison brought to light."""

    #: Sentences about broken promises; none is the aim.
    faults: list[str] = field(default_factory=list)
    #: Copies beyond the first, each explained by a doubt.
    explained_copies: int = 0
    #: Held back in doubt, for an operator to settle.
    in_doubt: frozenset[UUID] = frozenset()


def compare(*, accepted: Mapping[UUID, str], taken: Sequence[UUID], rows: Mapping[UUID, Row]) -> Findings:
    """`accepted` says what to do about doubts with each id we answered 202 to; `taken` is the provider's own log."""
    copies = Counter(taken)
    faults = [f"{each}: the provider has it, nobody asked for it" for each in copies.keys() - accepted.keys()]
    faults += [f"{each}: the database has it, nobody asked for it" for each in rows.keys() - accepted.keys()]
    for each, rule in accepted.items():
        row = rows.get(each)
        if row is None:
            faults.append(f"{each}: accepted and not in the database")
        else:
            judge = _judge_resend if rule == RESEND else _judge_hold
            faults += [f"{each}: {fault}" for fault in judge(row, copies[each])]
    return Findings(
        faults=faults,
        explained_copies=sum(copies[each] - 1 for each in accepted if copies[each] > 1),
        in_doubt=frozenset(each for each, row in rows.items() if row.status == "unknown"),
    )


def _judge_resend(row: Row, copies: int) -> list[str]:
    faults = []
    if copies == 0:
        faults.append("lost: the provider never had it")
    if row.status != "sent":
        faults.append(f"ended {row.status}, not sent")
    if copies > 1 and not row.is_flagged:
        faults.append(f"{copies} copies and not flagged")
    if copies - 1 > row.resent:
        faults.append(f"{copies} copies, but sent again only {row.resent} times")
    return faults


def _judge_hold(row: Row, copies: int) -> list[str]:
    faults = []
    if copies > 1:
        faults.append(f"{copies} copies although doubts are held")
    if row.status not in {"sent", "unknown"}:
        faults.append(f"ended {row.status}, neither sent nor in doubt")
    if row.status == "sent" and copies == 0:
        faults.append("lost: called sent, the provider never had it")
    if row.is_flagged or row.resent:
        faults.append("sent again although doubts are held")
    return faults
