"""The checker finds every kind of falsified log."""

import uuid
from dataclasses import replace

import pytest

from tests.chaos.checker import HOLD, RESEND, Evidence, Row, judge

A, B, C = (uuid.UUID(int=number) for number in (1, 2, 3))
SENT = ("sent",)
ONCE = Row(status="sent", events=SENT, attempts=("accepted",))
TWICE = Row(
    status="sent",
    is_flagged=True,
    events=("unknown", "possible_duplicate", "sent"),
    attempts=("unknown", "accepted"),
)
#: Sent again although nobody had ever doubted it.
NEEDLESS = replace(TWICE, events=("possible_duplicate", "sent"), attempts=("accepted", "accepted"))
IN_DOUBT = Row(status="unknown", rule=HOLD, events=("unknown",), attempts=("unknown",))


def evidence(taken, rows, *, acknowledged=(("a", A), ("b", B)), asked=("a", "b")) -> Evidence:
    """Rows answer to the requests a, b, c unless they say otherwise."""
    named = {A: "a", B: "b", C: "c"}
    return Evidence(
        asked=frozenset(asked),
        acknowledged=acknowledged,
        taken=taken,
        rows={id_: replace(row, request_id=row.request_id or named[id_]) for id_, row in rows.items()},
    )


@pytest.mark.parametrize(
    ("taken", "rows"),
    [
        ([A, B], {A: ONCE, B: ONCE}),
        ([A, B, A], {A: TWICE, B: ONCE}),
        # Sent again, and the first copy turned out never to have left.
        ([A, B], {A: TWICE, B: ONCE}),
        # Held: it went out, or it did not.
        ([A, B], {A: ONCE, B: IN_DOUBT}),
        ([A], {A: ONCE, B: IN_DOUBT}),
        # Decided against, with a reason.
        ([A], {A: ONCE, B: Row(status="failed", reason="poison")}),
        ([A], {A: ONCE, B: Row(status="expired", reason="expired", attempts=("transient",))}),
        # Given up in doubt: the provider may have it.
        ([A, B], {A: ONCE, B: replace(IN_DOUBT, status="failed", reason="outcome_unknown")}),
        # A frozen process woke up after somebody else had sent it again.
        ([A, A, B], {A: replace(TWICE, attempts=("accepted", "accepted")), B: ONCE}),
        # A provider's news or a late answer proved it sent before it was sent again.
        ([A, B], {A: replace(ONCE, events=("unknown", "sent"), attempts=("unknown",)), B: ONCE}),
        ([A, B], {A: replace(ONCE, events=("unknown", "late_answer")), B: ONCE}),
    ],
)
def test_what_agrees_has_no_faults(taken, rows):
    found = judge(evidence(taken, rows))
    assert not found.faults
    assert not found.lost | found.unexpected | found.hold_duplicates | found.unsettled


@pytest.mark.parametrize(
    ("taken", "rows", "who", "fault"),
    [
        ([A], {A: ONCE, B: ONCE}, B, "lost: called sent, the provider never had it"),
        ([A], {A: ONCE, B: replace(ONCE, status="delivered")}, B, "lost: called delivered, the provider never had it"),
        ([A, B], {A: ONCE}, B, "lost: acknowledged, and not in the database"),
        ([A, B], {A: ONCE}, B, "the provider has it, the database does not"),
        ([A], {A: ONCE, B: Row(status="failed")}, B, "ended failed without a reason"),
        ([A, B, B], {A: ONCE, B: ONCE}, B, "2 copies, not flagged, sent again 0 times, 0 attempts in doubt"),
        (
            [A, B, B],
            {A: ONCE, B: replace(TWICE, is_flagged=False)},
            B,
            "2 copies, not flagged, sent again 1 times, 1 attempts in doubt",
        ),
        ([A, B, B, B], {A: ONCE, B: TWICE}, B, "3 copies, flagged, sent again 1 times, 1 attempts in doubt"),
        ([A, B, B, B], {A: ONCE, B: TWICE}, B, "3 copies, but only 2 attempts"),
        (
            [A, B, B],
            {A: ONCE, B: NEEDLESS},
            B,
            "sent again although 2 acceptances were recorded in time",
        ),
        ([A, B], {A: ONCE, B: replace(TWICE, status="unknown")}, B, "never came to an end: unknown"),
        ([A], {A: ONCE, B: Row(status="queued")}, B, "never came to an end: queued"),
        (
            [A, B],
            {A: ONCE, B: replace(ONCE, attempts=("accepted", "accepted"))},
            B,
            "2 attempts called accepted, the provider has 1 copies",
        ),
        (
            [A, B],
            {A: ONCE, B: Row(status="failed", reason="rejected", attempts=("permanent",))},
            B,
            "called failed, but the provider has it and no attempt is in doubt",
        ),
        ([A, B], {A: ONCE, B: replace(ONCE, attempts=())}, B, "1 copies, but only 0 attempts"),
        ([A, B, C], {A: ONCE, B: ONCE}, C, "the provider has it, the database does not"),
        ([A, B, C], {A: ONCE, B: ONCE, C: ONCE}, C, "the database has it, nobody asked for it"),
        ([A, B], {A: ONCE, B: replace(ONCE, request_id="a")}, B, "acknowledged for request b, stored for a"),
    ],
)
def test_a_falsified_log_is_found_when_doubts_are_sent_again(taken, rows, who, fault):
    assert fault in judge(evidence(taken, rows)).faults[who]


@pytest.mark.parametrize(
    ("taken", "row", "fault"),
    [
        ([A, B, B], replace(ONCE, rule=HOLD), "2 copies although doubts are held"),
        ([A, B, B], replace(TWICE, rule=HOLD), "2 copies although doubts are held"),
        ([A, B], replace(TWICE, rule=HOLD), "sent again although doubts are held"),
        ([A], replace(ONCE, rule=HOLD), "lost: called sent, the provider never had it"),
        ([A], Row(status="accepted", rule=HOLD), "never came to an end: accepted"),
        ([A], Row(status="sending", rule=HOLD), "never came to an end: sending"),
    ],
)
def test_a_falsified_log_is_found_when_doubts_are_held(taken, row, fault):
    assert fault in judge(evidence(taken, {A: ONCE, B: row})).faults[B]


def test_a_client_that_was_given_two_notifications_for_one_request_is_heard():
    twice = (("a", A), ("b", B), ("b", C))
    found = judge(evidence([A, B, C], {A: ONCE, B: ONCE, C: replace(ONCE, request_id="b")}, acknowledged=twice))
    assert found.faults[C] == [f"a second notification for request b: the first is {B}"]
    assert C in found.unexpected


def test_an_answer_to_a_question_nobody_asked_is_a_fault():
    assert judge(evidence([A, B], {A: ONCE, B: ONCE}, asked=("a",))).faults[B]


def test_an_answer_that_never_reached_the_client_is_no_fault():
    found = judge(evidence([A, B], {A: ONCE, B: ONCE}, acknowledged=[("a", A)]))
    assert not found.faults
    assert (found.acknowledged, found.unanswered) == (1, 1)


def test_the_figures_say_what_was_found():
    rows = {A: TWICE, B: IN_DOUBT, C: Row(status="failed", reason="poison", crash_count=5)}
    three = {"acknowledged": [("a", A), ("b", B), ("c", C)], "asked": ("a", "b", "c")}
    found = judge(evidence([A, A, B], rows, **three))
    assert not found.faults
    assert (found.acknowledged, found.delivered, found.duplicated, found.explained) == (3, 2, 1, 1)
    assert found.held_in_doubt == {B}
    assert found.given_up == {"poison": 1}
    assert found.recovered == 3
    assert (found.fewest_possible, found.resend_duplicates) == (1, 1)


def test_a_copy_that_evidence_saved_from_being_sent_again_counts_for_the_fewest_possible_only():
    proved = replace(ONCE, events=("unknown", "late_answer"))
    found = judge(evidence([A, B], {A: proved, B: ONCE}))
    assert (found.fewest_possible, found.resend_duplicates) == (1, 0)


def test_what_is_sent_again_without_need_is_more_than_the_fewest_possible():
    found = judge(evidence([A, A, B], {A: NEEDLESS, B: ONCE}))
    assert found.resend_duplicates > found.fewest_possible
    assert A in found.unexpected


def test_lost_and_doubled_ones_are_named():
    rows = {A: ONCE, B: replace(ONCE, rule=HOLD), C: ONCE}
    three = {"acknowledged": [("a", A), ("b", B), ("c", C)], "asked": ("a", "b", "c")}
    found = judge(evidence([A, A, B, B], rows, **three))
    assert found.lost == {C}
    assert found.unexpected == {A, B}
    assert found.hold_duplicates == {B}


def test_resend_and_hold_are_the_words_of_the_templates():
    from templates_app.models import OnUnknown

    assert {RESEND, HOLD} == set(OnUnknown.values)
