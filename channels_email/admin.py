"""The inbox of captured e-mails: list left, mail right. On a phone they are two pages."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.clickjacking import xframe_options_sameorigin

from channels_email.inbox import empty_inbox, newest, open_mail
from channels_email.models import CapturedEmail
from templates_app.mail_frame import mail_frame
from users.staff_pages import ReadOnlyAdmin, action, ask_first


@admin.register(CapturedEmail)
class CapturedEmailAdmin(ReadOnlyAdmin):
    """What the capture provider kept instead of sending it."""

    actions_list = ("delete_all",)

    def has_delete_all_permission(self, request: HttpRequest) -> bool:
        """Empty the inbox."""
        return request.user.has_perm("channels_email.delete_capturedemail")

    def get_urls(self) -> list[URLPattern]:
        """One more: the mail's HTML for the frame, under its own policy."""
        preview = self.admin_site.admin_view(xframe_options_sameorigin(self.preview_view))
        return [
            path("<uuid:mail_id>/preview/", preview, name="channels_email_capturedemail_preview"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, and beside it the newest mail; `?notification=` leads to the mail of that notification."""
        if notification := request.GET.get("notification"):
            return self._of_notification(request, notification)
        return self._inbox(request, opened=None)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One mail, and beside it the list."""
        mail = CapturedEmail.objects.filter(pk__in=_identifiers(object_id)).first()
        if mail is None:
            messages.warning(request, _("This message is not in the inbox any more."))
            return redirect("admin:channels_email_capturedemail_changelist")
        return self._inbox(request, opened=mail)

    def preview_view(self, request: HttpRequest, mail_id: UUID) -> HttpResponseBase:
        """The mail's HTML alone."""
        self._check_may_view(request)
        source = CapturedEmail.objects.filter(pk=mail_id).values_list("source", flat=True).first()
        if source is None:
            raise Http404
        return mail_frame(request, open_mail(source).html)

    @action(description=gettext_lazy("Delete all"), permissions=["delete_all"], icon="delete", is_dangerous=True)
    def delete_all(self, request: HttpRequest) -> HttpResponse:
        """Empty the inbox, after a question."""
        back = reverse("admin:channels_email_capturedemail_changelist")
        if request.method != "POST":
            return ask_first(
                request,
                self,
                title=_("Delete all captured e-mails?"),
                question=_("They are gone for good. The notifications and their timelines stay."),
                button=_("Delete all captured e-mails"),
                back=back,
            )
        count = empty_inbox()
        words = ngettext("{count} captured e-mail was deleted.", "{count} captured e-mails were deleted.", count)
        messages.success(request, words.format(count=count))
        return redirect(back)

    def _check_may_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _of_notification(self, request: HttpRequest, notification: str) -> HttpResponse:
        self._check_may_view(request)
        mail = CapturedEmail.objects.filter(notification__in=_identifiers(notification)).only("pk").first()
        if mail is not None:
            return redirect("admin:channels_email_capturedemail_change", mail.pk)
        messages.warning(request, _("No e-mail of this notification is in the inbox; it may have been deleted."))
        return redirect("admin:channels_email_capturedemail_changelist")

    def _inbox(self, request: HttpRequest, *, opened: CapturedEmail | None) -> HttpResponse:
        self._check_may_view(request)
        search = request.GET.get("q", "").strip()
        before = _identifiers(request.GET.get("before", ""))
        mails, has_older = newest(search=search, older_than=before[0] if before else None)
        shown = opened or (CapturedEmail.objects.filter(pk=mails[0].pk).first() if mails else None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Captured e-mails"),
            "mails": mails,
            "older": mails[-1].pk if has_older else None,
            "search": search,
            "shown": shown,
            "is_opened": opened is not None,
            "parts": open_mail(shown.source) if shown else None,
            "may_delete_all": self.has_delete_all_permission(request),
            "may_see_pushes": request.user.has_perm("channels_push.view_capturedpush"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/channels_email/capturedemail/inbox.html", context)


def _identifiers(text: str) -> list[UUID]:
    """The id in an address; none when it is no id."""
    with suppress(ValueError):
        return [UUID(text)]
    return []
