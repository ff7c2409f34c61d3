"""The inbox of captured pushes. No query counts."""

from uuid import UUID

from django.db.models import Q

from channels_push.models import CapturedPush

#: Pushes per page of the list.
PAGE = 30


def newest(*, search: str = "", older_than: UUID | None = None) -> tuple[list[CapturedPush], bool]:
    """A page of pushes, newest first, and whether there are older ones. `search`: title, text and device."""
    pushes = CapturedPush.objects.all()
    if search:
        pushes = pushes.filter(
            Q(title__icontains=search) | Q(body__icontains=search) | Q(device_name__icontains=search)
        )
    if older_than is not None:
        pushes = pushes.filter(pk__lt=older_than)  # UUIDv7: the order of the keys is the order of time
    rows = list(pushes[: PAGE + 1])
    return rows[:PAGE], len(rows) > PAGE


def empty_inbox() -> int:
    """Delete every captured push; returns how many. The notifications stay."""
    return CapturedPush.objects.all().delete()[0]
