"""Use cases: delete what is past its time, each kind of data after its own.

* Values of sensitive variables go as soon as the message was sent, or will not be. A dead letter keeps them, for it may
  have another life, until somebody lays it aside.
* What was sent (variables, captured copies) goes after CONTENT_DAYS.
* The record goes after RECORD_DAYS, and with it the memory of its request id.

What has not ended is never touched. All of it in batches; any number may run.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string

from gateway import attachments
from gateway.database_clock import database_now
from gateway.models import Notification
from gateway.querysets import NotificationQuerySet
from gateway.statuses import ENDED, Status
from users.masking import sensitive_names

#: Rows under one commit.
BATCH = 500


def with_sensitive() -> NotificationQuerySet:
    """Those whose sensitive values serve nobody any more, oldest change first."""
    is_over = Q(status__in=ENDED - {Status.FAILED}) | Q(status=Status.FAILED, discarded_at__isnull=False)
    return Notification.objects.filter(is_over, has_sensitive=True).order_by("updated_at")


def with_old_content() -> NotificationQuerySet:
    """Those whose content is past its time, oldest first."""
    before = Now() - timedelta(days=settings.CONTENT_DAYS)
    old = Notification.objects.filter(status__in=sorted(ENDED), content_deleted_at__isnull=True, created_at__lte=before)
    return old.order_by("created_at")


def past_their_time() -> NotificationQuerySet:
    """Those whose record is past its time, oldest first: the order of the keys is the order of time."""
    before = first_id_at(database_now() - timedelta(days=settings.RECORD_DAYS))
    return Notification.objects.filter(pk__lt=before, status__in=ENDED).order_by("pk")


@transaction.atomic
def erase_sensitive(*, limit: int = BATCH) -> int:
    """Drop the values of sensitive variables that have done their work. Returns how many rows."""
    rows = list(_locked(with_sensitive().select_related("template_version"))[:limit])
    for row in rows:
        secret = sensitive_names(row.template_version.variables)
        row.variables = {name: value for name, value in row.variables.items() if name not in secret}
        row.has_sensitive = False
    Notification.objects.bulk_update(rows, ["variables", "has_sensitive"])
    return len(rows)


@transaction.atomic
def delete_content(*, limit: int = BATCH) -> int:
    """Delete variables and captured copies of what was sent long ago. Returns how many notifications."""
    ids = list(_locked(with_old_content()).values_list("pk", flat=True)[:limit])
    if ids:
        for delete in _content_kept_elsewhere():
            delete(ids)
        Notification.objects.filter(pk__in=ids).update(variables={}, has_sensitive=False, content_deleted_at=Now())
    return len(ids)


@transaction.atomic
def delete_records(*, limit: int = BATCH) -> int:
    """Delete notifications whose time is over, with all that belongs to them. Returns how many."""
    ids = list(_locked(past_their_time()).values_list("pk", flat=True)[:limit])
    if ids:
        attachments.delete_content(ids)
        Notification.objects.filter(pk__in=ids).delete()
    return len(ids)


#: What there is to do, by name, in the order it is done.
KINDS: dict[str, tuple[Callable[[], NotificationQuerySet], Callable[..., int]]] = {
    "sensitive": (with_sensitive, erase_sensitive),
    "content": (with_old_content, delete_content),
    "records": (past_their_time, delete_records),
}


def foretell_pruning(*, most: int) -> dict[str, int]:
    """How many rows of each kind are past their time; at `most` there may be more. Changes nothing."""
    return {name: len(rows().values_list("pk", flat=True)[:most]) for name, (rows, _) in KINDS.items()}


def prune(*, on_batch: Callable[[int], None] = lambda count: None) -> dict[str, int]:
    """Delete all that is past its time; returns how many of each kind. `on_batch` hears of each commit."""
    done = dict.fromkeys(KINDS, 0)
    for name, (_, delete) in KINDS.items():
        while count := delete(limit=BATCH):
            done[name] += count
            on_batch(count)
    return done


def first_id_at(moment: datetime) -> UUID:
    """The smallest id that can have been made at that moment (RFC 9562, section 5.7)."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80)


def _locked(rows: NotificationQuerySet) -> NotificationQuerySet:
    return rows.select_for_update(skip_locked=True, of=("self",))


def _content_kept_elsewhere() -> list[Callable[[list[UUID]], object]]:
    return [import_string(path) for path in settings.CONTENT_KEPT]
