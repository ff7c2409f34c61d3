"""The checker of the kill test finds every kind of falsified log."""

import uuid

import pytest

from tests.journeys.kill_checker import HOLD, RESEND, Row, compare

A, B, STRANGER = (uuid.UUID(int=number) for number in (1, 2, 3))
SENT = Row(status="sent")
IN_DOUBT = Row(status="unknown")
TWICE = Row(status="sent", is_flagged=True, resent=1)


def faults(taken, rows, *, rule: str = RESEND) -> list[str]:
    return compare(accepted=dict.fromkeys((A, B), rule), taken=taken, rows=rows).faults


@pytest.mark.parametrize(
    ("rule", "taken", "rows"),
    [
        (RESEND, [A, B], {A: SENT, B: SENT}),
        (RESEND, [A, B, A], {A: TWICE, B: SENT}),
        # Sent again, and the first copy turned out never to have left.
        (RESEND, [A, B], {A: TWICE, B: SENT}),
        (HOLD, [A, B], {A: SENT, B: IN_DOUBT}),
        (HOLD, [A], {A: SENT, B: IN_DOUBT}),
    ],
)
def test_what_agrees_has_no_faults(rule, taken, rows):
    assert faults(taken, rows, rule=rule) == []


@pytest.mark.parametrize(
    ("taken", "rows", "fault"),
    [
        ([A], {A: SENT, B: SENT}, f"{B}: lost: the provider never had it"),
        ([A, B], {A: SENT}, f"{B}: accepted and not in the database"),
        ([A, B, B], {A: SENT, B: SENT}, f"{B}: 2 copies and not flagged"),
        ([A, B, B, B], {A: SENT, B: TWICE}, f"{B}: 3 copies, but sent again only 1 times"),
        ([A, B], {A: SENT, B: IN_DOUBT}, f"{B}: ended unknown, not sent"),
        ([A, B], {A: SENT, B: Row(status="failed")}, f"{B}: ended failed, not sent"),
        ([A, B, STRANGER], {A: SENT, B: SENT}, f"{STRANGER}: the provider has it, nobody asked for it"),
        ([A, B], {A: SENT, B: SENT, STRANGER: SENT}, f"{STRANGER}: the database has it, nobody asked for it"),
    ],
)
def test_a_falsified_log_is_found_when_doubts_are_sent_again(taken, rows, fault):
    assert fault in faults(taken, rows)


@pytest.mark.parametrize(
    ("taken", "rows", "fault"),
    [
        ([A, B, B], {A: SENT, B: SENT}, f"{B}: 2 copies although doubts are held"),
        ([A, B, B], {A: SENT, B: TWICE}, f"{B}: sent again although doubts are held"),
        ([A], {A: SENT, B: SENT}, f"{B}: lost: called sent, the provider never had it"),
        ([A], {A: SENT, B: Row(status="accepted")}, f"{B}: ended accepted, neither sent nor in doubt"),
    ],
)
def test_a_falsified_log_is_found_when_doubts_are_held(taken, rows, fault):
    assert fault in faults(taken, rows, rule=HOLD)


def test_doubts_are_named_and_explained_copies_counted():
    found = compare(accepted={A: RESEND, B: HOLD}, taken=[A, A, B], rows={A: TWICE, B: IN_DOUBT})
    assert found.faults == []
    assert found.in_doubt == {B}
    assert found.explained_copies == 1
