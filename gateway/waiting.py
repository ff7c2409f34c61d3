"""Use case: somebody changed their wishes or moved to another zone, so what waits for their silence is decided again.

A change is noted with the person (`users/changed_wishes.py`); the sweeper asks for the notes. What was accepted
elsewhere by the old wishes just before is still found: a note is kept for some seconds and read again.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from gateway.database_clock import database_now
from gateway.decision import FirstStatus, first_status, promised
from gateway.models import Notification, WaitingFor
from gateway.outbox import Wait, rearrange
from gateway.statuses import Status
from users.models import ChangedWishes
from users.recipients import CategoryRules, Recipient, load_categories, load_recipients

#: Longer than a submission may take between reading a person and storing what was decided.
NOTES_KEPT_FOR = timedelta(seconds=10)


@transaction.atomic
def redecide_waiting(*, limit: int) -> int:
    """Decide again what waits for people whose wishes have changed. Returns how many notifications got another moment.

    At most `limit` people in one go; six statements, however many rows wait.
    """
    notes = list(ChangedWishes.objects.select_for_update(skip_locked=True).order_by("changed_at")[:limit])
    if not notes:
        return 0
    now = database_now()
    rows = _waiting(note.user_id for note in notes)
    people = {
        channel: load_recipients({row.user_id for row in rows if row.channel == channel}, channel=channel)
        for channel in {row.channel for row in rows}
    }
    categories = load_categories() if rows else {}
    waits = [
        wait
        for row in rows
        if (recipient := people[row.channel].get(row.user_id))
        and (wait := _other_wait(row, recipient, categories[row.category_code], now))
    ]
    count = rearrange(waits)
    ChangedWishes.objects.filter(
        user_id__in=[note.user_id for note in notes], changed_at__lte=now - NOTES_KEPT_FOR
    ).delete()
    return count


def _waiting(user_ids: Iterable[UUID]) -> list[Notification]:
    rows = Notification.objects.filter(
        user_id__in=list(user_ids), status=Status.ACCEPTED, waiting_for=WaitingFor.QUIET_HOURS
    )
    columns = ("user_id", "channel", "category_code", "priority", "send_at", "available_at", "reason", "reason_data")
    return list(rows.select_for_update(skip_locked=True).only(*columns))


def _other_wait(row: Notification, recipient: Recipient, category: CategoryRules, now: datetime) -> Wait | None:
    """None where it stays as it is. What is not wanted any more is due at once: its consumer ends it and says why."""
    first = first_status(
        recipient=recipient,
        channel=row.channel,
        category=category,
        priority=row.priority,
        send_at=row.send_at,
        now=now,
    )
    if _stays(row, first):
        return None
    if first.status == Status.SUPPRESSED:
        return Wait(row.pk, "", "waiting", {}, now)
    return Wait(row.pk, first.waiting_for, first.reason, first.data, first.due_at)


def _stays(row: Notification, first: FirstStatus) -> bool:
    return (first.reason, first.data, first.available_at) == (
        row.reason,
        row.reason_data,
        promised(row.available_at, row.reason),
    )
