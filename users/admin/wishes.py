"""Wishes as staff set them on a person's page: by the same use cases as everybody, with a line in the ledger."""

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from users.changed_wishes import note_changed
from users.models import Preference, QuietHours, User
from users.preferences import CategoryLocked, Origin, Wish, change_preferences
from users.staff_pages import who_acts


class SavesWishes:
    """For the admin page of people: what its forms say about wishes is carried out by use cases."""

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Switches go through the ledger; what waits for quiet hours is decided again."""
        person: User = form.instance
        if formset.model is Preference:
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []  # for the page's history
            if formset.has_changed():
                self._set_switches(request, person, formset)
            return
        super().save_formset(request, form, formset, change)  # type: ignore[misc]  # Django's own, behind this one
        if formset.model is QuietHours and formset.has_changed():
            note_changed(person.pk)

    def _set_switches(self, request: HttpRequest, person: User, formset: Any) -> None:
        channels: dict[str, bool] = {}
        categories: defaultdict[str, dict[str, bool | None]] = defaultdict(dict)
        for row in formset.cleaned_data:
            if not row or row.get("DELETE"):
                continue
            if row["category"] is None:
                channels[row["channel"]] = row["is_enabled"]
            else:
                categories[row["category"].pk][row["channel"]] = row["is_enabled"]
        origin = Origin(
            by="staff", source="admin", who=who_acts(request), address=request.META.get("REMOTE_ADDR") or ""
        )
        try:
            change_preferences(
                user=person, wish=Wish(channels=channels, categories=categories, replaces=True), origin=origin
            )
        except CategoryLocked as locked:
            messages.error(request, _("Messages of the category {code} are always sent.").format(code=locked))
