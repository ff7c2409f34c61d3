"""Dead letters: what was given up, why, and another life for it."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gateway import tracking
from gateway.admin.listing import LaneFilter, NotificationListAdmin, person_name
from gateway.explanation import answer
from gateway.models import DeadLetter, Notification
from users.staff_pages import ReasonForm, action, ask_first, who_acts

#: How many are named on the page that asks.
SAMPLE = 5


@admin.register(DeadLetter)
class DeadLetterAdmin(NotificationListAdmin):
    """Operators look here after trouble."""

    list_filter: ClassVar[Any] = ("channel", "template", LaneFilter)
    ordering = ("-updated_at",)
    actions = ("replay_selected",)
    list_disable_select_all = True
    empty_title = gettext_lazy("No dead letters")
    empty_text = gettext_lazy(
        "What was tried as often as it may be, or refused for good, would wait here for a decision."
    )

    def has_replay_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Give dead letters another life."""
        return request.user.has_perm("gateway.replay_notification")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only what was given up."""
        dead: QuerySet[Any] = super().get_queryset(request).dead_letters()  # type: ignore[attr-defined]  # our queryset
        return dead

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """There is one page per notification, whatever list it was found in."""
        return redirect("admin:gateway_notification_change", object_id)

    @action(description=gettext_lazy("Replay"), permissions=["replay"])
    def replay_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Give the chosen ones another life, with a reason."""
        chosen = list(queryset)
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask(request, chosen, form)
        why = form.cleaned_data["reason"]
        alive = tracking.replay([each.pk for each in chosen], who=who_acts(request), why=why)
        for each in Notification.objects.filter(pk__in=alive):
            self.log_change(request, each, f"Replayed: {why}")
        words = ngettext("{count} goes out again in a moment.", "{count} go out again in a moment.", len(alive))
        messages.success(request, words.format(count=len(alive)))
        return None

    def _ask(self, request: HttpRequest, chosen: list[DeadLetter], form: ReasonForm) -> HttpResponse:
        count = len(chosen)
        title = ngettext("Replay {count} notification?", "Replay {count} notifications?", count).format(count=count)
        facts = [f"{each.template.name} → {person_name(each)}: {answer(each).sentence}" for each in chosen[:SAMPLE]]
        return ask_first(
            request,
            self,
            title=title,
            question=_("Each gets a new series of tries under the same id; the people's wishes count anew."),
            button=title.rstrip("?"),
            back=reverse("admin:gateway_deadletter_changelist"),
            form=form,
            facts=facts,
            is_dangerous=False,
            hidden=[("action", "replay_selected"), *((helpers.ACTION_CHECKBOX_NAME, str(each.pk)) for each in chosen)],
        )
