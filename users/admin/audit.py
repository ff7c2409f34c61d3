"""The audit log in the admin: to be read, by time, person and act."""

import json
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from users.models import AuditEntry
from users.staff_pages import ReadOnlyAdmin, display
from users.templatetags.staff_pages import moment


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what to what."""

    list_display = ("when", "who", "act", "thing", "why")
    list_filter = ("what",)
    search_fields = ("who__istartswith", "what__istartswith", "about_id__exact")
    search_help_text = _("Beginning of a name or an act, or the whole id of a thing")
    ordering = ("-id",)
    fields = ("when", "who", "act", "thing", "why", "address", "was", "became")
    readonly_fields = fields
    empty_title = _("Nothing noted yet")
    empty_text = _(
        "Every act that changes, shows or erases something of weight appears here: who did it, to what, and why."
    )

    @display(description=_("When"))
    def when(self, line: AuditEntry) -> SafeString | str:
        """In the reader's zone."""
        return moment(line.at)

    @display(description=_("Act"))
    def act(self, line: AuditEntry) -> SafeString:
        """As a word."""
        return format_html('<span class="nt-mono">{}</span>', line.what)

    @display(description=_("To what"))
    def thing(self, line: AuditEntry) -> SafeString | str:
        """Leads to it, where it has a page."""
        name = line.about_name or f"{_kind(line.about_kind)} {line.about_id}".strip()
        try:
            address = reverse(f"admin:{line.about_kind.replace('.', '_')}_change", args=[line.about_id])
        except NoReverseMatch:
            return name
        return format_html('<a class="nt-link" href="{}">{}</a>', address, name)

    @display(description=_("Before"))
    def was(self, line: AuditEntry) -> SafeString | str:
        """Masked when it was written."""
        return _shown(line.before)

    @display(description=_("After"))
    def became(self, line: AuditEntry) -> SafeString | str:
        """Masked when it was written."""
        return _shown(line.after)


def _kind(label: str) -> str:
    """`users.user` in words."""
    with suppress(LookupError, ValueError):  # of a model that is gone by now
        return str(apps.get_model(label)._meta.verbose_name)
    return label


def _shown(values: dict[str, Any]) -> SafeString | str:
    if not values:
        return "–"
    return format_html('<pre class="nt-code">{}</pre>', json.dumps(values, indent=2, ensure_ascii=False))
