"""The inbox of captured pushes. No query counts."""

from uuid import UUID

from channels_push.models import CapturedPush
from gateway.inbox_pages import page_of


def newest(*, search: str = "", older_than: UUID | None = None) -> tuple[list[CapturedPush], bool]:
    """A page of pushes, newest first, and whether there are older ones. `search`: title, text and device."""
    searched = ("title", "body", "device_name")
    return page_of(CapturedPush.objects.all(), searched=searched, search=search, older_than=older_than)


def delete_content(notification_ids: list[UUID]) -> None:
    """Delete the pushes of these notifications: their time is over."""
    CapturedPush.objects.filter(notification_id__in=notification_ids).delete()


def empty_inbox() -> int:
    """Delete every captured push; returns how many. The notifications stay."""
    return CapturedPush.objects.all().delete()[0]
