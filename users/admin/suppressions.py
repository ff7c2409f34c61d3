"""Blocked addresses in the admin: why, since when, and how to use them again."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from users.admin.table_files import TableFiles, TableKind
from users.models import Suppression
from users.staff_pages import ReadOnlyAdmin, ReasonForm, action, ask_first, display, who_acts
from users.suppressions import AlreadyLifted, lift_suppression
from users.suppressions_import import COLUMNS, import_suppressions
from users.table_exports import SuppressionTable
from users.templatetags.staff_pages import moment


@admin.register(Suppression)
class SuppressionAdmin(TableFiles, ReadOnlyAdmin):
    """Addresses nothing is sent to. They come by themselves, from bounces and complaints."""

    list_display = ("address_in_words", "shown_reason", "scope_in_words", "shown_since", "state_label")
    list_filter = ("reason", "scope", ("lifted_at", admin.EmptyFieldListFilter))
    ordering = ("-id",)
    fields = (
        "address_in_words",
        "shown_reason",
        "scope_in_words",
        "evidence",
        "shown_since",
        "state_label",
        "lifted_by",
        "lifted_why",
    )
    readonly_fields = fields
    actions_detail = ("lift",)
    empty_title = gettext_lazy("No blocked addresses")
    empty_text = gettext_lazy(
        "An address that bounces for good or too often, or whose person complains, appears here by itself."
    )

    table_kind = TableKind(
        name="suppressions",
        title=gettext_lazy("Suppressions as files"),
        table=SuppressionTable,
        columns=COLUMNS,
        import_file=import_suppressions,
        taken_words=gettext_lazy("All blocked addresses, and those that are used again."),
        brought_words=gettext_lazy(
            "Nothing is sent to these addresses any more. A reason is hard_bounce, complaint, unsubscribed or manual; "
            "without one it is manual."
        ),
    )

    def may_take(self, request: HttpRequest) -> bool:
        """Whoever sees the list."""
        return self.has_view_permission(request)

    def may_bring(self, request: HttpRequest) -> bool:
        """Operators."""
        return request.user.has_perm("users.add_suppression")

    def has_lift_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Operators."""
        return request.user.has_perm("users.lift_suppression")

    @action(description=gettext_lazy("Use it again"), permissions=["lift"], icon="lock_open")
    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks why: the next bounce blocks it anew, and harms whoever sends."""
        suppression: Suppression | None = self.get_object(request, object_id)
        if suppression is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]  # Django's own
        back = reverse("admin:users_suppression_change", args=[suppression.pk])
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            return ask_first(
                request,
                self,
                title=_("Use {address} again?").format(address=suppression.shown_address),
                question=_("Make sure that the address is right and its person wants mail."),
                button=_("Use it again"),
                back=back,
                form=form,
                facts=[suppression.get_reason_display(), suppression.evidence or _("No further details were given.")],
                is_dangerous=False,
            )
        try:
            lift_suppression(
                suppression=suppression,
                who=who_acts(request),
                why=form.cleaned_data["reason"],
                network_address=request.META.get("REMOTE_ADDR") or "",
            )
        except AlreadyLifted:
            messages.warning(request, _("It had been lifted already."))
        else:
            messages.success(request, _("{address} is used again.").format(address=suppression.shown_address))
        return redirect(back)

    @display(description=gettext_lazy("Address"), ordering="masked_address")
    def address_in_words(self, suppression: Suppression) -> str:
        """Masked, as it is kept."""
        return suppression.shown_address

    @display(description=gettext_lazy("Why"))
    def shown_reason(self, suppression: Suppression) -> str:
        """In words."""
        return suppression.get_reason_display()

    @display(description=gettext_lazy("What it blocks"))
    def scope_in_words(self, suppression: Suppression) -> str:
        """Everything, or advertising."""
        return suppression.get_scope_display()

    @display(description=gettext_lazy("Since"))
    def shown_since(self, suppression: Suppression) -> Any:
        """When it was blocked."""
        return moment(suppression.since)

    @display(description=gettext_lazy("State"))
    def state_label(self, suppression: Suppression) -> SafeString:
        """Blocked, or used again since."""
        if suppression.lifted_at:
            return format_html('<span class="nt-chip">{}</span> {}', _("Lifted"), moment(suppression.lifted_at))
        return format_html('<span class="nt-chip nt-warning">{}</span>', _("Blocked"))
