"""The inbox of captured pushes: list left, and right the push as a phone or a browser shows it."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from channels_push.inbox import empty_inbox, newest
from channels_push.models import CapturedPush
from gateway.admin.inbox import InboxAdmin, InboxWords
from users.models import Device


def _deleted(count: int) -> str:
    words = ngettext("{count} captured push was deleted.", "{count} captured pushes were deleted.", count)
    return words.format(count=count)


@admin.register(CapturedPush)
class CapturedPushAdmin(InboxAdmin):
    """What the capture provider kept instead of sending it."""

    words = InboxWords(
        title=_("Captured pushes"),
        search_hint=_("Title, text or device"),
        none_of_notification=_("No push of this notification is in the inbox; it may have been deleted."),
        delete_title=_("Delete all captured pushes?"),
        delete_button=_("Delete all captured pushes"),
        deleted=_deleted,
    )

    def empty(self) -> int:
        """Delete every captured push; returns how many."""
        return empty_inbox()

    def page(
        self, request: HttpRequest, *, search: str, older_than: UUID | None, opened: CapturedPush | None
    ) -> dict[str, Any]:
        """The list, and one push with its device."""
        pushes, has_older = newest(search=search, older_than=older_than)
        shown = opened or (pushes[0] if pushes else None)
        return {
            "rows": pushes,
            "older": pushes[-1].pk if has_older else None,
            "shown": shown,
            "platforms": Device.Platform.choices,
            "platform_label": Device.Platform(shown.platform).label if shown else "",
            "data": json.dumps(shown.data, indent=2, ensure_ascii=False) if shown else "",
        }
