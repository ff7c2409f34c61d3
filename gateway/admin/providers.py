"""Providers and their breakers: how each one does, what happened, and an operator's will above it."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from gateway import provider_states
from gateway.admin.provider_pages import BOARD, PERMISSION, ProviderPages, set_up_context
from gateway.channel_table import channels
from gateway.models import ProviderState
from gateway.provider_overview import LATELY, Overview, latest_transitions, overviews
from users.staff_pages import ReasonForm, action, ask_first, who_acts


class ForceForm(ReasonForm):
    """For how long, and why."""

    minutes = forms.IntegerField(
        label=gettext_lazy("Minutes"),
        min_value=1,
        max_value=7 * 24 * 60,
        required=False,
        help_text=gettext_lazy("Then it goes back to automatic. Empty: until somebody ends it."),
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    field_order = ("minutes", "reason")


@admin.register(ProviderState)
class ProviderStateAdmin(ProviderPages):
    """Operators see here whom the platform asks, and decide otherwise where they know better."""

    actions_row = ("force_open", "force_closed", "back_to_automatic")

    def has_force_breaker_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Decide instead of the breaker."""
        return request.user.has_perm("gateway.force_breaker")

    def get_urls(self) -> list[URLPattern]:
        """One more: the part of the page that refreshes itself."""
        live = self.admin_site.admin_view(self.live_view)
        return [path("live/", live, name="gateway_providerstate_live"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """All providers on one page; there are only a few."""
        context = {
            **self.admin_site.each_context(request),
            **self._live_context(request),
            **set_up_context(request),
            "title": _("Providers & breakers"),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/gateway/providerstate/board.html", context)

    def live_view(self, request: HttpRequest) -> HttpResponse:
        """The cards and the log alone; the page asks for them again and again."""
        return TemplateResponse(request, "admin/gateway/providerstate/live.html", self._live_context(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A provider has no page of its own."""
        return redirect(BOARD)

    @action(
        description=gettext_lazy("Force open"), permissions=["force_breaker"], icon="pause_circle", is_dangerous=True
    )
    def force_open(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do not ask it, whatever the breaker says."""
        return self._force(
            request,
            object_id,
            "open",
            title=_("Force {provider} open?"),
            question=_(
                "Nothing is handed to it any more. The next provider in order takes over; without one, messages wait."
            ),
            button=_("Force open"),
        )

    @action(
        description=gettext_lazy("Force closed"), permissions=["force_breaker"], icon="play_circle", is_dangerous=True
    )
    def force_closed(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask it, whatever it answers."""
        return self._force(
            request,
            object_id,
            "closed",
            title=_("Force {provider} closed?"),
            question=_(
                "It is asked whatever it answers. While it fails, messages use up their tries and may be given up."
            ),
            button=_("Force closed"),
        )

    @action(description=gettext_lazy("Back to automatic"), permissions=["force_breaker"], icon="autorenew")
    def back_to_automatic(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leave it to the breaker again."""
        return self._force(
            request,
            object_id,
            "auto",
            title=_("Leave {provider} to its breaker again?"),
            question=_("What was forced ends, and so do its pauses: if it was failing, one message tries it at once."),
            button=_("Back to automatic"),
        )

    def _force(
        self, request: HttpRequest, object_id: str, wish: str, *, title: str, question: str, button: str
    ) -> HttpResponse:
        row = get_object_or_404(ProviderState, pk=object_id) if object_id.isascii() and object_id.isdigit() else None
        if row is None:
            return redirect(BOARD)
        asked = ReasonForm if wish == "auto" else ForceForm
        form = asked(request.POST or None)
        if not form.is_valid():
            return ask_first(
                request,
                self,
                title=title.format(provider=row.provider),
                question=question,
                button=button,
                back=reverse(BOARD),
                form=form,
                facts=[f"{row.get_channel_display()}: {row.provider}"],
                is_dangerous=wish != "auto",
            )
        minutes, why = form.cleaned_data.get("minutes"), form.cleaned_data["reason"]
        provider_states.force(
            row.provider,
            wish,
            who=who_acts(request),
            why=why,
            channel=row.channel,
            lasts=timedelta(minutes=minutes) if minutes else None,
        )
        done = provider_states.WISHES[wish].label
        self.log_change(request, row, f"{done}{f' for {minutes} min' if minutes else ''}: {why}")
        words = _("{provider}: {done}. Every process follows within 2 seconds.")
        messages.success(request, words.format(provider=row.provider, done=str(done).lower()))
        return redirect(BOARD)

    def _live_context(self, request: HttpRequest) -> dict[str, Any]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_force, may_set_up = self.has_force_breaker_permission(request), request.user.has_perm(PERMISSION)
        return {
            "providers": [
                {
                    "overview": each,
                    "buttons": [
                        *(_buttons(each) if may_force else []),
                        *(_settings_button(each) if may_set_up else []),
                    ],
                }
                for each in overviews()
            ],
            "transitions": latest_transitions(),
            "lately": round(LATELY.total_seconds() / 60),
        }


def _buttons(overview: Overview) -> list[dict[str, Any]]:
    """What can be changed from where it stands."""
    offered = [
        ("force_open", _("Force open"), "pause_circle", overview.state.forced != "open"),
        ("force_closed", _("Force closed"), "play_circle", overview.state.forced != "closed"),
        (
            "back_to_automatic",
            _("Back to automatic"),
            "autorenew",
            bool(
                overview.state.forced or overview.state.is_open or overview.state.paused_for or overview.state.rests_for
            ),
        ),
    ]
    return [
        {"path": reverse(f"admin:gateway_providerstate_{name}", args=[overview.row.pk]), "title": title, "icon": icon}
        for name, title, icon, is_useful in offered
        if is_useful
    ]


def _settings_button(overview: Overview) -> list[dict[str, Any]]:
    """Nothing for a provider that this version does not know, or that needs to know nothing."""
    channel = channels().get(overview.row.channel)
    if channel is None or not channel.provider_fields().get(overview.row.provider):
        return []
    where = reverse("admin:gateway_providerstate_settings", args=[overview.row.channel, overview.row.provider])
    return [{"path": where, "title": _("Settings"), "icon": "key"}]
