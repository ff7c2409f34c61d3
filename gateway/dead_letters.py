"""Use cases for dead letters: group them, foretell a replay, replay many of them at a rate, discard them.

Which single ones may have another life decides `replaying.replay`; here they are chosen, in batches.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, Max, Min, OuterRef, Q
from django.db.models.functions import Now

from gateway import priorities, replaying
from gateway.channel_contract import Outcome
from gateway.database_clock import database_now
from gateway.models import DeliveryAttempt, Notification, NotificationEvent, ProviderEvent
from gateway.querysets import NotificationQuerySet
from users.delivery_policy import Suppress, decide
from users.recipients import load_categories, load_recipients

#: So many of the newest are looked at for groups and forecasts: there may be millions.
LOOKED_AT = 10_000
#: Under one commit.
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which dead letters are meant; None asks for nothing."""

    reason: str | None = None
    #: Whoever had it last; empty for what was never handed over.
    provider: str | None = None
    #: A template's code.
    template: str | None = None
    channel: str | None = None
    ids: frozenset[UUID] | None = None
    #: Tests (True) or what was meant for people (False).
    is_simulated: bool | None = None
    #: Given up since then, or since so long ago.
    since: datetime | timedelta | None = None

    def of(self, rows: NotificationQuerySet) -> NotificationQuerySet:
        """Those of `rows` that are meant."""
        asked = {
            "reason": self.reason,
            "provider": self.provider,
            "template__code": self.template,
            "channel": self.channel,
            "pk__in": self.ids,
            "is_simulated": self.is_simulated,
            "updated_at__gte": Now() - self.since if isinstance(self.since, timedelta) else self.since,
        }
        return rows.filter(**{name: value for name, value in asked.items() if value is not None})


#: What somebody waits for: tests, which fail because they are told to, are looked at by those who ask for them.
REAL = Choice(is_simulated=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Dead letters that came to the same end."""

    reason: str
    provider: str
    template: str
    template_name: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The biggest first."""

    groups: Sequence[Group]
    #: How many in all; when it is capped, there are this many or more.
    total: int
    is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a replay would bring, as far as it can be told beforehand."""

    #: Those that would get another life; when it is capped, there are this many or more.
    count: int
    is_capped: bool
    #: Left alone: a provider has them already.
    taken: int
    #: They may have gone out; left alone unless asked for.
    doubtful: int
    #: Of `count`, those that would end again at once, by reason.
    refused: dict[str, int] = field(default_factory=dict)


def grouped(choice: Choice = REAL, *, limit: int = LOOKED_AT) -> Groups:
    """Reason × provider × template, of the newest `limit` ones. One query."""
    newest = choice.of(Notification.objects.dead_letters()).order_by("-updated_at").values("pk")[:limit]
    columns = {"template_code": "template__code", "template_title": "template__name"}
    rows = (
        Notification.objects.filter(pk__in=newest)
        .values_list("reason", "provider", *columns.values())
        .annotate(count=Count("pk"), first_at=Min("updated_at"), last_at=Max("updated_at"))
        .order_by("-count", "reason", "provider", "template__code")
    )
    groups = [
        Group(
            reason=reason, provider=provider, template=code, template_name=name, count=n, first_at=first, last_at=last
        )
        for reason, provider, code, name, n, first, last in rows
    ]
    total = sum(each.count for each in groups)
    return Groups(groups=groups, total=total, is_capped=total >= limit)


#: A provider has it: it said so, or told news of it.
_TAKEN = Q(Exists(DeliveryAttempt.objects.filter(notification=OuterRef("pk"), outcome=Outcome.ACCEPTED))) | Q(
    Exists(ProviderEvent.objects.filter(notification=OuterRef("pk")))
)
#: A provider may have it.
_DOUBTFUL = Q(reason="outcome_unknown") | Q(
    Exists(DeliveryAttempt.objects.filter(Q(outcome=None) | Q(outcome=Outcome.UNKNOWN), notification=OuterRef("pk")))
)


def foretell(
    choice: Choice = REAL, *, most: int | None = None, include_doubtful: bool = False, limit: int = LOOKED_AT
) -> Forecast:
    """How many of `choice` a replay of `most` would revive, leave alone, and lose again at once. Changes nothing."""
    rows = choice.of(Notification.objects.dead_letters().with_content()).order_by("updated_at")
    columns = ("channel", "user_id", "category_code", "priority", "reason")
    looked_at = list(rows.annotate(is_taken=_TAKEN, is_doubtful=_DOUBTFUL).only(*columns)[:limit])
    untaken = [each for each in looked_at if not each.is_taken]  # type: ignore[attr-defined]  # annotated
    clear = [each for each in untaken if not each.is_doubtful]  # type: ignore[attr-defined]  # annotated
    revived = (untaken if include_doubtful else clear)[:most]
    return Forecast(
        count=len(revived),
        is_capped=len(looked_at) == limit and len(revived) != most,
        taken=len(looked_at) - len(untaken),
        doubtful=len(untaken) - len(clear),
        refused=dict(_refused_again(revived)),
    )


def revivable(choice: Choice, *, include_doubtful: bool) -> NotificationQuerySet:
    """Those of `choice` that a replay would take now; `replaying.replay` decides in the end, under locks."""
    rows = choice.of(Notification.objects.dead_letters().with_content())
    return rows.exclude(_TAKEN if include_doubtful else _TAKEN | _DOUBTFUL)


def _refused_again(rows: Sequence[Notification]) -> Counter[str]:
    """The people's wishes and addresses as they are now; words that failed once fail again."""
    categories, now = load_categories(), database_now()
    refused: Counter[str] = Counter()
    for start in range(0, len(rows), BATCH):
        for channel in {each.channel for each in rows[start : start + BATCH]}:
            part = [each for each in rows[start : start + BATCH] if each.channel == channel]
            people = load_recipients({each.user_id for each in part}, channel=channel)
            for each in part:
                person, category = people.get(each.user_id), categories.get(each.category_code)
                if each.reason == "template_error":
                    refused["template_error"] += 1
                elif person is None:
                    refused["user_inactive"] += 1
                elif category is not None:
                    is_critical = each.priority >= priorities.CRITICAL_FROM
                    fate = decide(person, channel=channel, category=category, is_critical=is_critical, now=now)
                    refused.update([fate.reason] if isinstance(fate, Suppress) else [])
    return refused


def replay_dead_letters(
    choice: Choice,
    *,
    who: str,
    why: str,
    limit: int | None = None,
    per_second: float | None = None,
    include_doubtful: bool = False,
    on_batch: Callable[[int], None] = lambda count: None,
) -> int:
    """Replay those of `choice` that were given up before now, oldest first; returns how many. Any number may do it.

    `on_batch` is told how many after each commit: what it was told of stays replayed, whatever happens then.
    """

    def replay(ids: Sequence[UUID]) -> int:
        return len(replaying.replay(ids, who=who, why=why, include_doubtful=include_doubtful))

    rows = revivable(choice, include_doubtful=include_doubtful)
    return _in_batches(rows, replay, limit=limit, per_second=per_second, on_batch=on_batch)


def discard_dead_letters(
    choice: Choice,
    *,
    who: str,
    why: str,
    limit: int | None = None,
    on_batch: Callable[[int], None] = lambda count: None,
) -> int:
    """Discard those of `choice` that were given up before now, oldest first; returns how many."""
    rows = choice.of(Notification.objects.dead_letters())
    return _in_batches(rows, lambda ids: len(discard(ids, who=who, why=why)), limit=limit, on_batch=on_batch)


@transaction.atomic
def discard(ids: Collection[UUID], *, who: str, why: str) -> set[UUID]:
    """Lay dead letters aside for good: they stay failed, and leave lists, groups and alerts. Returns which."""
    waiting = Notification.objects.dead_letters().filter(pk__in=ids).select_for_update().order_by("pk")
    found = set(waiting.values_list("pk", flat=True))
    Notification.objects.filter(pk__in=found).update(discarded_at=Now())
    NotificationEvent.objects.bulk_create(
        NotificationEvent(notification_id=pk, type="discarded", data={"who": who, "why": why}) for pk in found
    )
    return found


def _in_batches(
    rows: NotificationQuerySet,
    act: Callable[[Sequence[UUID]], int],
    *,
    limit: int | None,
    per_second: float | None = None,
    on_batch: Callable[[int], None],
) -> int:
    size = BATCH if per_second is None else max(1, min(BATCH, round(per_second)))
    done = 0
    for ids in _batches(rows, size=size):
        began = time.monotonic()
        part = ids if limit is None else ids[: limit - done]
        count = act(part)
        done += count
        on_batch(count)
        if limit is not None and done >= limit:
            break
        if per_second is not None and len(part) == size:
            time.sleep(max(0.0, count / per_second - (time.monotonic() - began)))
    return done


def _batches(rows: NotificationQuerySet, *, size: int) -> Iterator[list[UUID]]:
    """Ids of what was given up before now. What fails anew meanwhile is left out: else there might be no end."""
    rows = rows.filter(updated_at__lte=database_now()).order_by("updated_at")
    seen: set[UUID] = set()
    while fresh := [pk for pk in rows.values_list("pk", flat=True)[:LOOKED_AT] if pk not in seen]:
        seen.update(fresh)
        for start in range(0, len(fresh), size):
            yield fresh[start : start + size]
