"""The inbox of captured e-mails: list left, mail right."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin

from channels_email.inbox import OpenedMail, empty_inbox, newest, open_mail
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
        search_hint=_("To or subject"),
        none_of_notification=_("No e-mail of this notification is in the inbox; it may have been deleted."),
        delete_title=_("Delete all captured e-mails?"),
        delete_button=_("Delete all captured e-mails"),
        deleted=_deleted,
    )

    def empty(self) -> int:
        """Delete every captured mail; returns how many."""
        return empty_inbox()

    def get_urls(self) -> list[URLPattern]:
        """Two more: the mail's HTML for the frame, and its files, under their own policy."""
        file = self.admin_site.admin_view(self.file_view)
        preview = self.admin_site.admin_view(xframe_options_sameorigin(self.preview_view))
        return [
            path("<uuid:mail_id>/preview/", preview, name="channels_email_capturedemail_preview"),
            # Below the preview, so that it has its policy: no scripts, nothing loaded.
            path("<uuid:mail_id>/preview/files/<int:number>/", file, name="channels_email_capturedemail_file"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
        """The mail's HTML alone."""
        return mail_frame(request, self._opened(request, mail_id).html_with_images)

    def file_view(self, request: HttpRequest, mail_id: UUID, number: int) -> HttpResponseBase:
        """A file to be stored, never to be shown: whatever it calls itself, a browser does not open it here."""
        for file in self._opened(request, mail_id).files:
            if file.number == number:
                response = HttpResponse(file.content, content_type="application/octet-stream")
                response["Content-Disposition"] = content_disposition_header(True, file.filename)
                response["Cache-Control"] = "no-store"
                return response
        raise Http404

    def _opened(self, request: HttpRequest, mail_id: UUID) -> OpenedMail:
        self.check_may_view(request)
        source = CapturedEmail.objects.filter(pk=mail_id).values_list("source", flat=True).first()
        if source is None:
            raise Http404
        return open_mail(source)

    def page(
        self, request: HttpRequest, *, search: str, older_than: UUID | None, opened: CapturedEmail | None
    ) -> dict[str, Any]:
        """The list without sources, and one mail taken apart."""
        mails, has_older = newest(search=search, older_than=older_than)
        shown = opened or (CapturedEmail.objects.filter(pk=mails[0].pk).first() if mails else None)
        return {
            "rows": mails,
            "older": mails[-1].pk if has_older else None,
            "shown": shown,
            "parts": open_mail(shown.source) if shown else None,
        }
