"""Failed sign-ins to the admin, and the way back in for who locked themselves out."""

from typing import cast

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users.audit import note
from users.models import User
from users.staff_pages import ReadOnlyAdmin, action, display
from users.templatetags.staff_pages import moment


@admin.register(AccessAttempt)
class FailedSignInAdmin(ReadOnlyAdmin):
    """Which accounts were tried in vain, and from where. A lock holds for that account from that address alone."""

    list_display = ("account", "ip_address", "failures_since_start", "state", "last_try")
    fields = readonly_fields = ("account", "ip_address", "failures_since_start", "state", "last_try")
    ordering = ("-attempt_time",)
    actions_detail = ("unlock",)
    empty_title = gettext_lazy("No failed sign-ins")
    empty_text = gettext_lazy("Whoever gives a wrong password is listed here until they sign in.")

    def has_unlock_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Whoever looks after the accounts of staff."""
        return request.user.has_perm("users.manage_staff")

    @action(description=gettext_lazy("Let them try again"), permissions=["unlock"], icon="lock_open")
    def unlock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Forget the failures."""
        attempt = self.get_object(request, object_id)
        if attempt is not None:
            who, address = cast(User, request.user), request.META.get("REMOTE_ADDR", "")
            note(who=who, what="sign_in.unlocked", about=f"{attempt.username}, {attempt.ip_address}", address=address)
            attempt.delete()
            messages.success(request, _("They can try again now."))
        return redirect(reverse("admin:axes_accessattempt_changelist"))

    @display(description=gettext_lazy("Account"))
    def account(self, attempt: AccessAttempt) -> str:
        """Its masked address, without what tells it apart."""
        return str(attempt.username or "–").partition(" ")[0]

    @display(description=gettext_lazy("State"))
    def state(self, attempt: AccessAttempt) -> SafeString:
        """Locked, or how it stands."""
        is_locked = attempt.failures_since_start >= settings.AXES_FAILURE_LIMIT
        tone, words = ("danger", _("Locked")) if is_locked else ("plain", _("May try"))
        return format_html('<span class="nt-chip nt-{}">{}</span>', tone, words)

    @display(description=gettext_lazy("Last try"))
    def last_try(self, attempt: AccessAttempt) -> str:
        """When."""
        return moment(attempt.attempt_time)
