"""Walks through every state of the protocol model, breadth first, and checks the promises of delivery in each one.

`protocol_model.py` explains the model; begin there.
"""

import gc
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.gateway.protocol_model import Model
from tests.gateway.protocol_state import DELIVERED, EMPTY_HANDED, FINAL, SENT, STOPPED, UNKNOWN, Broken, Run, State


def broken_promise(state: State, run: Run) -> str:
    """What a state breaks, in words; empty when it is as it should be."""
    if state.copies > 1:
        had_trouble = state.crashes_left < run.crashes or state.freezes_left < run.freezes or state.cut_off
        replays = run.replays - state.replays_left
        if not had_trouble and not replays:
            return "It went out twice although nothing went wrong."
        if not state.flagged:
            return "It went out twice and nobody is told."
        if run.rule == "hold" and state.copies > 1 + replays:
            return "It went out twice although it was to be held."
    if state.status in (SENT, DELIVERED) and not state.copies:
        return "It is called sent and no provider ever took it."
    if state.status in STOPPED and state.copies and not state.doubted:
        return "It is called stopped or failed, went out, and was never in doubt."
    if state.status == UNKNOWN and state.news:
        return "It is in doubt although the provider told what came of it."
    return ""


def _is_over(state: State) -> bool:
    at_rest = all(each.phase in EMPTY_HANDED and not each.answer for each in state.workers)
    return at_rest and state.status in FINAL


@dataclass(frozen=True)
class Explored:
    """What a run of the model came to."""

    count: int
    #: Names of the changes that occurred.
    made: frozenset[str]
    #: (status, copies the provider took) that occurred.
    seen: frozenset[tuple[str, int]]
    #: The first broken promise, or empty, and the shortest way to it.
    broken: str
    way: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.broken, *self.way])


def explore(run: Run, *, only: str = "") -> Explored:
    """Walk through all states, breadth first; stop at the first broken promise, or at the first breach of that one."""
    model = Model(run)
    came_from: CameFrom = {run.first(): None}
    before: dict[State, list[State]] = {}
    with _without_collector():
        broken, last = _walk(model, came_from, before, only)
        if not broken and (lost := _lost(came_from, before)):
            broken, last = "It is lost: from here on no ordinary course of things ever ends it.", lost
    return Explored(
        count=len(came_from),
        made=frozenset(model.made),
        seen=frozenset((state.status, state.copies) for state in came_from),
        broken=broken,
        way=_way(came_from, last) if broken else (),
    )


#: Each known state, and the state and step by which it was first reached.
CameFrom = dict[State, tuple[State, str] | None]


def _walk(model: Model, came_from: CameFrom, before: dict[State, list[State]], only: str) -> tuple[str, State]:
    """Fill `came_from`, and `before` with who ordinarily leads to a state; returns the broken promise and where."""
    waiting = deque(came_from)
    while waiting:
        state = waiting.popleft()
        try:
            steps = list(model.steps(state))
        except Broken as error:
            if str(error).startswith(only):
                return str(error), state
            continue
        for what, is_ordinary, raw in steps:
            first, second = raw.workers
            after = raw if first <= second else raw._replace(workers=(second, first))
            if is_ordinary:
                before.setdefault(after, []).append(state)
            if after not in came_from:
                came_from[after] = (state, what)
                waiting.append(after)
                broken = broken_promise(after, model.run)
                if broken and broken.startswith(only):
                    return broken, after
    return "", state


@contextmanager
def _without_collector() -> Iterator[None]:
    """States are tuples without circles: looking for some would cost a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _lost(came_from: CameFrom, before: Mapping[State, list[State]]) -> State | None:
    """The first state from which, when trouble stops, no end can be reached."""
    saved = {state for state in came_from if _is_over(state)}
    waiting = deque(saved)
    while waiting:
        for earlier in before.get(waiting.popleft(), ()):
            if earlier not in saved:
                saved.add(earlier)
                waiting.append(earlier)
    return next((state for state in came_from if state not in saved), None)


def _way(came_from: CameFrom, state: State) -> tuple[str, ...]:
    lines = [f"  → {state}"]
    while step := came_from[state]:
        state, what = step
        lines.append(f"  {what}")
    return tuple(reversed(lines))
