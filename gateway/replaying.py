"""Use case: give dead letters another life, but never what a provider has taken."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from gateway import statuses
from gateway.channel_contract import Outcome
from gateway.models import DeliveryAttempt, Notification, ProviderEvent
from gateway.outbox import Held, Verdict, settle

#: A replayed dead letter may be sent for so long.
REPLAY_TTL = timedelta(hours=72)


@transaction.atomic
def replay(ids: Collection[UUID], *, who: str, why: str, include_doubtful: bool = False) -> set[UUID]:
    """Give dead letters another life: a new series of tries under the same id. Returns those that got one.

    Never what a provider has taken, nor what has lost its content by age. What it may have taken only when asked
    for, and flagged: it may arrive twice.
    """
    waiting = Notification.objects.dead_letters().with_content().filter(pk__in=ids).select_for_update().order_by("pk")
    reasons = dict(waiting.values_list("pk", "reason"))
    taken, doubtful = _evidence(reasons)
    doubtful |= {pk for pk, reason in reasons.items() if reason == "outcome_unknown"}
    chosen = reasons.keys() - taken - (set() if include_doubtful else doubtful)
    return settle([(Held(pk), _replay_verdict(who, why, is_doubtful=pk in doubtful)) for pk in chosen])


def _evidence(ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Which of these a provider has for sure, and which it may have. An answer that comes just now is waited for."""
    attempts = DeliveryAttempt.objects.filter(notification_id__in=ids).select_for_update().order_by("pk")
    answers = list(attempts.values_list("notification_id", "outcome"))
    taken = {pk for pk, outcome in answers if outcome == Outcome.ACCEPTED}
    taken |= set(ProviderEvent.objects.filter(notification_id__in=ids).values_list("notification_id", flat=True))
    return taken, {pk for pk, outcome in answers if outcome in (None, Outcome.UNKNOWN)}


def _replay_verdict(who: str, why: str, *, is_doubtful: bool) -> Verdict:
    fresh = {"tries_used": 0, "crash_count": 0, "expires_at": Now() + REPLAY_TTL, "dead_lettered_at": None}
    return Verdict(
        change=statuses.REPLAY,
        reason="waiting",
        data={"who": who, "why": why},
        available=timedelta(0),
        columns=fresh | ({"possible_duplicate": True} if is_doubtful else {}),
        event="replayed",
    )
