"""The roles of staff in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from users.staff_pages import (
    ReadOnlyAdmin,
    display,
)
from users.staff_roles import IN_WORDS, Role

admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """The roles of staff: what each may do, and who has it. They follow the code; they are given at a person's page."""

    list_display = ("role", "may", "people")
    list_display_links = None
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """With how many have it."""
        rows: QuerySet[Group] = super().get_queryset(request)
        return rows.annotate(held_by=Count("user"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Under a title that says how a role is given."""
        title = _("Roles are given at the page of a person")
        return super().changelist_view(request, {"subtitle": title} | (extra_context or {}))

    @display(description=gettext_lazy("Role"))
    def role(self, group: Group) -> str:
        """Its name."""
        return group.name

    @display(description=gettext_lazy("May"))
    def may(self, group: Group) -> str:
        """In words."""
        role = next((each for each in Role if each.group == group.name), None)
        return str(IN_WORDS[role]) if role else _("a group of your own")

    @display(description=gettext_lazy("People"))
    def people(self, group: Group) -> SafeString:
        """Leads to them."""
        count = group.held_by  # type: ignore[attr-defined]  # annotated
        words = ngettext("{count} person", "{count} people", count).format(count=count)
        address = f"{reverse('admin:users_user_changelist')}?groups__id__exact={group.pk}"
        return format_html('<a class="nt-link" href="{}">{}</a>', address, words)
