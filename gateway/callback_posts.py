"""Use cases of the sender: find due callbacks, claim them under a lease, record what the receiver answered.

No transaction is open during a post. Of one notification and endpoint only the earliest owed callback can be claimed,
so that news arrives in order. Whoever claims, sends, and dies before it is recorded has sent: it is sent again.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from gateway.callback_bodies import body_of
from gateway.callback_models import CallbackEndpoint, CallbackTry, StatusCallback
from users import lately

#: How long a sender may take over what it claimed; much longer than a turn of its takes (`callback_sender.py`).
LEASE = timedelta(seconds=60)
#: After a failed try, until the next one. After the last wait there is one more try, then it has failed.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
#: On top of each wait, so that a crowd does not come back at once.
JITTER = 0.1
#: A receiver that asks for more time than this is asked again sooner anyway.
LONGEST_RETRY_AFTER = timedelta(hours=24)
#: Statuses with which a receiver may say when to come again.
MAY_DELAY = frozenset({429, 502, 503, 504})
GONE = 410
#: An endpoint that has only failed for so long is left alone.
PATIENCE = timedelta(days=5)

Disabled, State = CallbackEndpoint.Disabled, StatusCallback.State


@dataclass(frozen=True, slots=True, kw_only=True)
class TryResult:
    """What came of one post."""

    #: None where there was no answer; `error` then says why.
    status_code: int | None = None
    error: str = ""
    retry_after: timedelta | None = None
    duration_ms: int

    @property
    def is_success(self) -> bool:
        """Any 2xx; a redirect is none."""
        return self.status_code is not None and 200 <= self.status_code < 300


def _claimable() -> QuerySet[StatusCallback]:
    """Due, in nobody's hands, and nothing earlier about the same notification waits at the same endpoint."""
    pending = StatusCallback.objects.filter(state=State.PENDING)
    earlier = pending.filter(
        endpoint=OuterRef("endpoint"), notification=OuterRef("notification"), sequence__lt=OuterRef("sequence")
    )
    is_free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=Now())
    return pending.filter(is_free, ~Exists(earlier), next_attempt_at__lte=Now())


def due_endpoints() -> list[UUID]:
    """Endpoints for which there is something to do now, those of the longest silence first."""
    # The first one of each is looked up by itself: asked for all at once, PostgreSQL would read everything that waits.
    first = Subquery(_claimable().filter(endpoint=OuterRef("pk")).order_by("next_attempt_at").values("pk")[:1])
    due = CallbackEndpoint.objects.filter(enabled=True).annotate(first=first).filter(first__isnull=False)
    return list(due.order_by(F("last_success_at").asc(nulls_first=True)).values_list("pk", flat=True))


@transaction.atomic
def claim(endpoint_id: UUID, *, limit: int) -> list[StatusCallback]:
    """Take due callbacks of an endpoint under a new token and lease, oldest first; each has its body and endpoint."""
    endpoint = CallbackEndpoint.objects.filter(pk=endpoint_id, enabled=True).first()
    if endpoint is None:
        return []
    due = _claimable().filter(endpoint=endpoint_id).order_by("next_attempt_at")  # by this alone: as the index has it
    related = due.select_related("notification__template", "notification__template_version")
    rows = list(related.select_for_update(skip_locked=True, of=("self",))[:limit])
    token = uuid4()
    new = [row for row in rows if not row.body]
    for row in rows:
        row.endpoint, row.claim_token = endpoint, token
    for row in new:
        row.body = body_of(row)
    StatusCallback.objects.bulk_update(new, ["body"])
    taken = StatusCallback.objects.filter(pk__in=[row.pk for row in rows])
    taken.update(claim_token=token, lease_expires_at=Now() + LEASE)
    return rows


def give_back(callbacks: Sequence[StatusCallback]) -> None:
    """Claimed and not sent: due again at once."""
    if callbacks:
        held = StatusCallback.objects.filter(
            pk__in=[each.pk for each in callbacks], claim_token=callbacks[0].claim_token
        )
        held.update(claim_token=None, lease_expires_at=None)


@transaction.atomic
def record(callback: StatusCallback, result: TryResult) -> str:
    """Write down what came of a post; returns why the endpoint was disabled by it, or nothing.

    Somebody else may hold the callback by now: then this post was one too many, and its answer changes nothing.
    """
    columns: dict[str, object] = {"state": State.DELIVERED, "delivered_at": Now()}
    wait = None if result.is_success else wait_after(callback.scheduled_tries + 1, result)
    if not result.is_success:
        columns = {"state": State.FAILED} if wait is None else {"next_attempt_at": Now() + wait}
    held = StatusCallback.objects.filter(pk=callback.pk, claim_token=callback.claim_token, state=State.PENDING)
    if not held.update(
        **columns,
        try_count=F("try_count") + 1,
        scheduled_tries=F("scheduled_tries") + 1,
        claim_token=None,
        lease_expires_at=None,
    ):
        return ""
    if wait is not None or callback.scheduled_tries:
        _move_later_ones(callback, wait or timedelta(0))
    CallbackTry.objects.create(
        callback=callback,
        number=callback.try_count + 1,
        status_code=result.status_code,
        error=result.error,
        duration_ms=result.duration_ms,
    )
    if result.is_success:
        _note_success(callback.endpoint)
        return ""
    return _note_failure(callback.endpoint_id, is_gone=result.status_code == GONE)


def _move_later_ones(callback: StatusCallback, wait: timedelta) -> None:
    """What waits for this one is due no earlier than it is; else a dead endpoint's whole backlog is due at any moment,
    and every look for work would read it. Without a wait they are free to go."""
    if callback.notification_id is not None:
        later = StatusCallback.objects.filter(
            endpoint=callback.endpoint_id,
            notification=callback.notification_id,
            sequence__gt=callback.sequence,
            state=State.PENDING,
        )
        later.update(next_attempt_at=Now() + wait)


def wait_after(tries: int, result: TryResult, *, chance: float | None = None) -> timedelta | None:
    """How long until the next try, after so many of a schedule; None when that was the last. `chance`: 0 to 1."""
    if tries > len(WAITS):
        return None
    wait = WAITS[tries - 1] * (1 + JITTER * (random.random() if chance is None else chance))  # noqa: S311  no secret
    if result.retry_after is not None and result.status_code in MAY_DELAY:
        return max(wait, min(result.retry_after, LONGEST_RETRY_AFTER))
    return wait


def _note_success(endpoint: CallbackEndpoint) -> None:
    """Once a second is enough: a busy endpoint's row is not written for every callback."""
    stale = Q(last_success_at=None) | Q(last_success_at__lte=Now() - timedelta(seconds=1)) | ~Q(failing_since=None)
    CallbackEndpoint.objects.filter(stale, pk=endpoint.pk).update(last_success_at=Now(), failing_since=None)


def _note_failure(endpoint_id: UUID, *, is_gone: bool) -> str:
    """Returns why the endpoint was disabled just now, or nothing."""
    endpoint = CallbackEndpoint.objects.filter(pk=endpoint_id)
    endpoint.update(last_failure_at=Now(), failing_since=Coalesce("failing_since", Now()))
    hopeless = endpoint.filter(enabled=True)
    if not is_gone:
        hopeless = hopeless.filter(failing_since__lte=Now() - PATIENCE)
    reason = Disabled.GONE if is_gone else Disabled.FAILING
    if not hopeless.update(enabled=False, disabled_reason=reason, updated_at=Now()):
        return ""
    lately.forget()
    return reason


def resume(callbacks: QuerySet[StatusCallback]) -> int:
    """Send these anew, now and with a new schedule, under their old ids. Returns how many."""
    return callbacks.update(
        state=State.PENDING,
        scheduled_tries=0,
        next_attempt_at=Now(),
        delivered_at=None,
        claim_token=None,
        lease_expires_at=None,
    )
