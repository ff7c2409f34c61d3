"""Use cases from the hand-over on: open attempts, record outcomes, settle doubts, record provider news.

Together with `outbox.py` the only file that writes a status. No transaction is open while a provider is called:
`open_attempts` commits before the first byte leaves, `record_outcomes` begins when the answers are known.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from gateway import callbacks, statuses
from gateway.channel_contract import LENGTHS, EventType, Outcome, ProviderNews, SendResult, storable
from gateway.consequences import NOT_CONCERNED, follow_answers, follow_news
from gateway.database_clock import now_sql
from gateway.failpoints import failpoint
from gateway.many_rows import insert_all, insert_values, update_each
from gateway.models import DeliveryAttempt, Notification, NotificationEvent, ProviderEvent
from gateway.outbox import Held, Verdict, settle
from gateway.statuses import Status
from gateway.time_scale import scaled
from templates_app.models import OnUnknown
from users.channels import Channel

#: From the hand-over on: how long until a silent consumer counts as dead. Longer than any provider call (30 s).
SENDING_LEASE = scaled(timedelta(seconds=45))
#: On top of the lease, before the sweeper calls the outcome unknown.
SENDING_GRACE = scaled(timedelta(seconds=60))
#: How long a doubt waits for evidence before a message that may be sent again is sent again.
RESEND_AFTER = {Channel.EMAIL: scaled(timedelta(seconds=60)), Channel.PUSH: scaled(timedelta(seconds=10))}
#: As above, for what is simulated.
RESEND_SIMULATED_AFTER = scaled(timedelta(seconds=1))
#: How long a doubt is held when it must not be sent again.
HOLD_FOR = timedelta(days=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """One notification about to be handed to a provider: its holder and one attempt per message."""

    held: Held
    number: int
    attempts: tuple[tuple[UUID, UUID | None], ...]  # (attempt id, device id)
    #: Attempt id → provider, for those that go by another than the rest.
    providers: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """A provider's answer to one attempt."""

    attempt_id: UUID
    result: SendResult
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """All that came of one hand-over of one notification, and what follows from it."""

    held: Held
    provider: str
    attempts: tuple[AttemptResult, ...]
    #: None when there is nothing to conclude yet (a journal that was cut off half-way).
    verdict: Verdict | None


@transaction.atomic
def open_attempts(hand_overs: Sequence[HandOver], *, provider: str, reports_delivery: bool) -> set[UUID]:
    """Mark the hand-over: from here on nobody may steal. Returns the notifications we still held in time.

    Those missing in the answer were stolen, cancelled or held for too long: they must not be sent.
    """
    wanted = {each.held.id: each for each in hand_overs}
    in_time = Notification.objects.among(wanted).filter(
        status__in=statuses.HAND_OVER.sources, lease_expires_at__gt=Now()
    )
    rows = in_time.select_for_update().order_by("pk").values_list("pk", "claim_token")
    ours = {pk for pk, token in rows if wanted[pk].held.token == token}
    Notification.objects.among(ours).update(
        status=statuses.HAND_OVER.target,
        reason="sending",
        reason_data={"provider": provider},
        provider=provider,
        awaits_news=reports_delivery,
        attempt_count=F("attempt_count") + 1,
        lease_expires_at=Now() + SENDING_LEASE,
        news_count=F("news_count") + 1,
        updated_at=Now(),
    )
    callbacks.owe((pk, callbacks.SENDING) for pk in ours)
    attempts: list[dict[str, Any]] = [
        {
            "id": attempt_id,
            "notification_id": pk,
            "number": each.number,
            "provider": each.providers.get(attempt_id, provider),
            "device_id": device_id,
            "claim_token": each.held.token,
            **_NO_ANSWER,
        }
        for pk, each in wanted.items()
        if pk in ours
        for attempt_id, device_id in each.attempts
    ]
    insert_values(DeliveryAttempt, attempts)
    return ours


#: What an attempt says before its provider does.
_NO_ANSWER = {"error_code": "", "provider_code": "", "detail": "", "provider_message_id": ""}


@transaction.atomic
def record_outcomes(recorded: Sequence[Recorded]) -> set[UUID]:
    """Write down what providers answered; returns the notifications whose status followed.

    Repeatable: the second time changes nothing. An answer that comes after the row was taken away from its holder is
    kept with its attempt, and proves a doubtful notification sent.
    """
    concluded = [(each.held, each.verdict) for each in recorded if each.verdict is not None]
    followed = settle(concluded)
    # Notifications are locked before their attempts, as `doubt_stalled` does: else the two could wait for each other.
    _close_attempts(result for each in recorded for result in each.attempts)
    follow_answers((one.attempt_id, one.result) for each in recorded for one in each.attempts)
    late = [
        each
        for each in recorded
        if each.held.id not in followed and any(one.result.outcome is Outcome.ACCEPTED for one in each.attempts)
    ]
    if late:
        followed |= _prove_sent(late)
    _apply_early_news(followed)
    return followed


def _close_attempts(results: Iterable[AttemptResult]) -> None:
    """An attempt with an answer keeps its first one, a doubt gives way."""
    kept: dict[UUID, AttemptResult] = {}
    for each in results:
        if each.attempt_id not in kept or kept[each.attempt_id].result.outcome is Outcome.UNKNOWN:
            kept[each.attempt_id] = each
    update_each(
        DeliveryAttempt,
        [_answer_columns(each) for each in kept.values()],
        and_set=f"ended_at = {now_sql()}",
        only_if="{table}.outcome IS NULL OR {table}.outcome = 'unknown'",
    )


def _answer_columns(each: AttemptResult) -> dict[str, Any]:
    result = each.result
    return {
        "id": each.attempt_id,
        "outcome": result.outcome.value,
        "error_code": result.error_code,
        "provider_code": result.provider_code,
        "detail": result.detail,
        "retry_after": None if result.retry_after is None else int(result.retry_after.total_seconds()),
        "provider_message_id": result.provider_message_id,
        "duration_ms": each.duration_ms,
    }


def _prove_sent(late: Sequence[Recorded]) -> set[UUID]:
    """A late worker's answer settles a doubt that is still its own; otherwise it is only noted."""
    tokens = dict(
        Notification.objects.filter(pk__in=[each.held.id for each in late], status__in=statuses.PROVE_SENT.sources)
        .select_for_update()
        .values_list("pk", "claim_token")
    )
    proof = [each for each in late if tokens.get(each.held.id) == each.held.token and each.held.token]
    noted = [each for each in late if each not in proof]
    _note_late_answers(noted)
    return settle(
        [
            (each.held, sent_verdict(change=statuses.PROVE_SENT, provider=each.provider, event="late_answer"))
            for each in proof
        ]
    )


def _note_late_answers(noted: Sequence[Recorded]) -> None:
    """Somebody else decided meanwhile: the row stays as it is, the answer is not lost. Told once per hand-over."""
    known = set(
        NotificationEvent.objects.filter(
            notification_id__in=[each.held.id for each in noted], type="late_answer"
        ).values_list("notification_id", "data__token")
    )
    sent_by_us = set(
        Notification.objects.filter(pk__in=[each.held.id for each in noted], status__in=_PROVEN).values_list(
            "pk", flat=True
        )
    )
    late_answers = [
        NotificationEvent(
            notification_id=each.held.id,
            type="late_answer",
            reason="sent",
            data={"provider": each.provider, "token": str(each.held.token)},
        )
        for each in noted
        if each.held.id not in sent_by_us and (each.held.id, str(each.held.token)) not in known
    ]
    insert_all(late_answers)


#: Statuses after which a repeated record is no news.
_PROVEN = frozenset({Status.SENT, Status.DELIVERED, Status.BOUNCED})


@lru_cache(maxsize=100)
def sent_verdict(*, change: statuses.Change, provider: str, event: str = "") -> Verdict:
    """The provider took it. Nearly all verdicts are this one, and the same for thousands."""
    return Verdict(change=change, reason="sent", data={"provider": provider}, columns={"sent_at": Now()}, event=event)


@transaction.atomic
def doubt_stalled(*, limit: int, whoever_holds: bool = False) -> int:
    """Hand-overs nobody reported back from may or may not have gone out: say so. Returns how many.

    `whoever_holds` takes also what is still under a lease: only when nothing else can be alive.
    """
    source = Notification.objects.filter(status__in=statuses.DOUBT_STALLED.sources)
    stalled = source if whoever_holds else Notification.objects.stalled(statuses.DOUBT_STALLED, grace=SENDING_GRACE)
    rows = list(stalled.select_for_update(skip_locked=True).values_list("pk", "claim_token", "provider")[:limit])
    DeliveryAttempt.objects.filter(notification_id__in=[row[0] for row in rows], outcome=None).update(
        outcome=Outcome.UNKNOWN, ended_at=Now()
    )
    doubted = settle(
        [(Held(pk, token), doubt_verdict(statuses.DOUBT_STALLED, provider)) for pk, token, provider in rows]
    )
    _apply_early_news(doubted)
    if doubted:
        failpoint("sweeper.doubt_stalled")
    return len(doubted)


def doubt_verdict(change: statuses.Change, provider: str) -> Verdict:
    """The hand-over was cut short: it may have gone out."""
    return Verdict(change=change, reason="outcome_unknown", data={"provider": provider}, uses_attempt=True)


@transaction.atomic
def settle_unknown(*, limit: int, max_attempts: Callable[[str, str], int]) -> int:
    """Let the template's rule decide doubts that no evidence has settled. Returns how many were settled.

    `max_attempts` knows how many tries a channel and a provider allow.
    """
    resend = Q(template__on_unknown=OnUnknown.RESEND)
    waited = Q(is_simulated=True, updated_at__lte=Now() - RESEND_SIMULATED_AFTER)
    for channel, wait in RESEND_AFTER.items():
        waited |= Q(channel=channel, updated_at__lte=Now() - wait)
    held_long = Q(template__on_unknown=OnUnknown.HOLD, updated_at__lte=Now() - HOLD_FOR)
    doubtful = Notification.objects.filter((resend & waited) | held_long, status__in=statuses.RESEND_UNKNOWN.sources)
    rows = list(
        doubtful.select_for_update(skip_locked=True, of=("self",)).values_list(
            "pk", "claim_token", "channel", "provider", "tries_used", "template__on_unknown"
        )[:limit]
    )
    verdicts = []
    for pk, token, name, provider, tries_used, rule in rows:
        again = rule == OnUnknown.RESEND and tries_used < max_attempts(name, provider)
        verdicts.append((Held(pk, token), _resend_verdict() if again else _hopeless_verdict(provider)))
    settled = settle(verdicts)
    if settled:
        failpoint("sweeper.settle_unknown")
    return len(settled)


def _resend_verdict() -> Verdict:
    return Verdict(
        change=statuses.RESEND_UNKNOWN,
        reason="waiting",
        available=timedelta(0),
        columns={"possible_duplicate": True},
        event="possible_duplicate",
    )


def _hopeless_verdict(provider: str) -> Verdict:
    return Verdict(change=statuses.GIVE_UP_UNKNOWN, reason="outcome_unknown", data={"provider": provider})


@transaction.atomic
def record_news(news: Sequence[ProviderNews]) -> int:
    """Keep later news from providers and let statuses follow. Repeats change nothing. Returns how many were new.

    News about notifications we do not know is dropped: the provider talks about somebody else's message.
    """
    known = set(
        Notification.objects.filter(pk__in={each.notification_id for each in news}).values_list("pk", flat=True)
    )
    keys = {(each.provider, each.event_id) for each in news}
    told = set(
        ProviderEvent.objects.filter(event_id__in=[event_id for _, event_id in keys]).values_list(
            "provider", "event_id"
        )
    )
    fresh = {
        (each.provider, each.event_id): each
        for each in news
        if each.notification_id in known and (each.provider, each.event_id) not in told
    }
    # Somebody else may record the same at this moment: the constraint keeps one.
    ProviderEvent.objects.bulk_create((_row(each) for each in fresh.values()), ignore_conflicts=True)
    _follow(fresh.values())
    follow_news(fresh.values())
    return len(fresh)


def _row(news: ProviderNews) -> ProviderEvent:
    return ProviderEvent(
        provider=news.provider,
        event_id=news.event_id,
        notification_id=news.notification_id,
        type=news.type,
        occurred_at=news.occurred_at,
        reason=news.reason if news.type is EventType.BOUNCED else "",
        detail=news.detail,
        code=storable(news.code, LENGTHS["provider_code"]),
        is_about_address=news.is_about_address,
    )


def _follow(news: Iterable[ProviderNews]) -> None:
    """Move statuses forward, never back: a doubt is settled first, then delivered, then bounced."""
    by_type: defaultdict[EventType, dict[UUID, ProviderNews]] = defaultdict(dict)
    for each in news:
        by_type[each.type][each.notification_id] = each
    arrived = by_type[EventType.DELIVERED] | by_type[EventType.BOUNCED] | by_type[EventType.COMPLAINED]
    settle(
        [(Held(pk), sent_verdict(change=statuses.PROVE_SENT, provider=each.provider)) for pk, each in arrived.items()]
    )
    settle([(Held(pk), _delivered_verdict(each)) for pk, each in by_type[EventType.DELIVERED].items()])
    settle([(Held(pk), _bounced_verdict(each)) for pk, each in by_type[EventType.BOUNCED].items()])
    complaints = by_type[EventType.COMPLAINED]
    Notification.objects.filter(pk__in=complaints).update(complained=True, news_count=F("news_count") + 1)
    callbacks.owe((pk, callbacks.COMPLAINED) for pk in complaints)


def _delivered_verdict(news: ProviderNews) -> Verdict:
    return Verdict(
        change=statuses.CONFIRM,
        reason="delivered",
        data={"provider": news.provider}
        | ({"domain": news.detail} if news.detail else {})
        | ({"device": "yes"} if news.is_from_device else {}),
        columns={"delivered_at": Now()},
    )


def _bounced_verdict(news: ProviderNews) -> Verdict:
    return Verdict(
        change=statuses.BOUNCE,
        reason=news.reason,
        data={"provider": news.provider, "error": news.detail}
        | ({"code": news.code} if news.code else {})
        | ({} if news.is_about_address else {"address": NOT_CONCERNED}),
    )


def _apply_early_news(ids: Collection[UUID]) -> None:
    """News that overtook our own record of the hand-over counts now."""
    early = ProviderEvent.objects.filter(notification__id__among=ids).annotate(channel=F("notification__channel"))
    _follow(
        ProviderNews(
            provider=each.provider,
            event_id=each.event_id,
            notification_id=each.notification_id,
            type=EventType(each.type),
            reason=each.reason or "bounced",
            detail=each.detail,
            is_from_device=each.channel == Channel.PUSH,
            code=each.code,
            is_about_address=each.is_about_address,
        )
        for each in early
    )


def settle_by_hand(notification_id: UUID, *, who: str, arrived: bool) -> bool:
    """An operator settles a doubt: it arrived, or it is given up (and may be replayed). False when there was none."""
    if arrived:
        verdict = Verdict(change=statuses.PROVE_SENT, reason="sent", data={"who": who}, columns={"sent_at": Now()})
    else:
        verdict = Verdict(change=statuses.GIVE_UP_UNKNOWN, reason="outcome_unknown", data={"who": who})
    return bool(settle([(Held(notification_id), verdict)]))
