"""The inbox of captured e-mails: list left, mail right."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin

from channels_email.inbox import empty_inbox, newest, open_mail
from channels_email.models import CapturedEmail
from gateway.admin.inbox import InboxAdmin, InboxWords
from templates_app.mail_frame import mail_frame


def _deleted(count: int) -> str:
    words = ngettext("{count} captured e-mail was deleted.", "{count} captured e-mails were deleted.", count)
    return words.format(count=count)


@admin.register(CapturedEmail)
class CapturedEmailAdmin(InboxAdmin):
    """What the capture provider kept instead of sending it."""

    words = InboxWords(
        title=_("Captured e-mails"),
        none_of_notification=_("No e-mail of this notification is in the inbox; it may have been deleted."),
        delete_title=_("Delete all captured e-mails?"),
        delete_button=_("Delete all captured e-mails"),
        deleted=_deleted,
    )

    def empty(self) -> int:
        """Delete every captured mail; returns how many."""
        return empty_inbox()

    def get_urls(self) -> list[URLPattern]:
        """One more: the mail's HTML for the frame, under its own policy."""
        preview = self.admin_site.admin_view(xframe_options_sameorigin(self.preview_view))
        return [
            path("<uuid:mail_id>/preview/", preview, name="channels_email_capturedemail_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
        """The mail's HTML alone."""
        self.check_may_view(request)
        source = CapturedEmail.objects.filter(pk=mail_id).values_list("source", flat=True).first()
        if source is None:
            raise Http404
        return mail_frame(request, open_mail(source).html)

    def page(
        self, request: HttpRequest, *, search: str, older_than: UUID | None, opened: CapturedEmail | None
    ) -> dict[str, Any]:
        """The list without sources, and one mail taken apart."""
        mails, has_older = newest(search=search, older_than=older_than)
        shown = opened or (CapturedEmail.objects.filter(pk=mails[0].pk).first() if mails else None)
        return {
            "mails": mails,
            "older": mails[-1].pk if has_older else None,
            "shown": shown,
            "parts": open_mail(shown.source) if shown else None,
            "may_see_pushes": request.user.has_perm("channels_push.view_capturedpush"),
        }
