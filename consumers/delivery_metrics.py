"""What consumers count of their hand-overs for /metrics."""

from collections.abc import Sequence
from datetime import UTC, datetime

from consumers.hand_over import InHand
from gateway import metrics, priorities
from gateway.channel_contract import Outcome
from gateway.simulation import SIMULATOR


def count(in_hand: Sequence[InHand], *, channel: str) -> None:
    """Without tests. The clock is this process's: durations bear the difference."""
    now = datetime.now(UTC)
    for each in in_hand:
        for one in each.tries:
            if one.leg.provider.name == SIMULATOR:
                continue
            took = one.result.duration_ms if one.result else None
            metrics.note_attempt(
                channel=channel,
                provider=one.leg.provider.name,
                outcome=one.answer.outcome,
                seconds=None if took is None else took / 1000,
            )
        notification = each.ready.notification
        if not notification.is_simulated and any(one.answer.outcome is Outcome.ACCEPTED for one in each.tries):
            asked_for = notification.send_at or notification.created_at
            lane = priorities.lane(notification.priority)
            metrics.note_end_to_end(channel=channel, lane=lane, seconds=(now - asked_for).total_seconds())
