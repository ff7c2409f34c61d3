"""The inbox of captured pushes: list left, and right the push as a phone or a browser shows it."""

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from channels_push.inbox import empty_inbox, newest
from channels_push.models import CapturedPush
from users.models import Device
from users.staff_pages import ReadOnlyAdmin, action, ask_first


@admin.register(CapturedPush)
class CapturedPushAdmin(ReadOnlyAdmin):
    """What the capture provider kept instead of sending it."""

    actions_list = ("delete_all",)

    def has_delete_all_permission(self, request: HttpRequest) -> bool:
        """Empty the inbox."""
        return request.user.has_perm("channels_push.delete_capturedpush")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and beside it the newest push; `?notification=` leads to the push of that notification."""
        if notification := request.GET.get("notification"):
            return self._of_notification(request, notification)
        return self._inbox(request, opened=None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One push, and beside it the list."""
        push = CapturedPush.objects.filter(pk__in=_identifiers(object_id)).first()
        if push is None:
            messages.warning(request, _("This message is not in the inbox any more."))
            return redirect("admin:channels_push_capturedpush_changelist")
        return self._inbox(request, opened=push)

    @action(description=gettext_lazy("Delete all"), permissions=["delete_all"], icon="delete", is_dangerous=True)
    def delete_all(self, request: HttpRequest) -> HttpResponse:
        """Empty the inbox, after a question."""
        back = reverse("admin:channels_push_capturedpush_changelist")
        if request.method != "POST":
            return ask_first(
                request,
                self,
                title=_("Delete all captured pushes?"),
                question=_("They are gone for good. The notifications and their timelines stay."),
                button=_("Delete all captured pushes"),
                back=back,
            )
        count = empty_inbox()
        words = ngettext("{count} captured push was deleted.", "{count} captured pushes were deleted.", count)
        messages.success(request, words.format(count=count))
        return redirect(back)

    def _check_may_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _of_notification(self, request: HttpRequest, notification: str) -> HttpResponse:
        self._check_may_view(request)
        push = CapturedPush.objects.filter(notification__in=_identifiers(notification)).only("pk").first()
        if push is not None:
            return redirect("admin:channels_push_capturedpush_change", push.pk)
        messages.warning(request, _("No push of this notification is in the inbox; it may have been deleted."))
        return redirect("admin:channels_push_capturedpush_changelist")

    def _inbox(self, request: HttpRequest, *, opened: CapturedPush | None) -> HttpResponse:
        self._check_may_view(request)
        search = request.GET.get("q", "").strip()
        before = _identifiers(request.GET.get("before", ""))
        pushes, has_older = newest(search=search, older_than=before[0] if before else None)
        shown = opened or (pushes[0] if pushes else None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Captured pushes"),
            "pushes": pushes,
            "older": pushes[-1].pk if has_older else None,
            "search": search,
            "shown": shown,
            "is_opened": opened is not None,
            "platforms": Device.Platform.choices,
            "platform_label": Device.Platform(shown.platform).label if shown else "",
            "data": json.dumps(shown.data, indent=2, ensure_ascii=False) if shown else "",
            "may_delete_all": self.has_delete_all_permission(request),
            "may_see_mails": request.user.has_perm("channels_email.view_capturedemail"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/channels_push/capturedpush/inbox.html", context)


def _identifiers(text: str) -> list[UUID]:
    """The id in an address; none when it is no id."""
    with suppress(ValueError):
        return [UUID(text)]
    return []
