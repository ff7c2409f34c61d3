"""Dead letters: what was given up, why, how many of a kind; another life for them, or the end."""

import shlex
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gateway import dead_letters
from gateway.admin.listing import LaneFilter, NotificationListAdmin, TestsFilter, person_name
from gateway.admin.replay_form import DiscardForm, ReplayForm
from gateway.dead_letters import Choice, Forecast, Group
from gateway.explanation import PROVIDERS, answer
from gateway.models import DeadLetter, Notification
from gateway.querysets import NotificationQuerySet
from gateway.reasons import word
from users.staff_pages import action, ask_first, who_acts

#: How many are named on the page that asks.
SAMPLE = 5
#: A browser waits for so many; more are for the command.
MOST_AT_ONCE = 5_000
#: The filters of a group, as they stand in an address.
ASKED = ("reason", "provider", "template")
LIST = "admin:gateway_deadletter_changelist"


@admin.register(DeadLetter)
class DeadLetterAdmin(NotificationListAdmin):
    """Operators look here after trouble."""

    list_filter: ClassVar[Any] = ("channel", "template", LaneFilter, TestsFilter)
    ordering = ("-updated_at",)
    actions = ("replay_selected", "discard_selected")
    list_disable_select_all = True
    list_before_template = "admin/gateway/deadletter/groups.html"
    empty_title = gettext_lazy("No dead letters")
    empty_text = gettext_lazy(
        "What was tried as often as it may be, or refused for good, would wait here for a decision."
    )

    def has_replay_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Give dead letters another life."""
        return request.user.has_perm("gateway.replay_notification")

    def has_discard_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Lay dead letters aside for good."""
        return request.user.has_perm("gateway.discard_notification")

    def get_urls(self) -> list[URLPattern]:
        """Two more: what is done to a whole group."""
        replay = self.admin_site.admin_view(self.replay_group)
        discard = self.admin_site.admin_view(self.discard_group)
        return [
            path("group/replay/", replay, name="gateway_deadletter_replay_group"),
            path("group/discard/", discard, name="gateway_deadletter_discard_group"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Only what was given up and waits for a decision."""
        dead: QuerySet[Any] = super().get_queryset(request).dead_letters()  # type: ignore[attr-defined]  # our queryset
        return dead

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The groups on top; the list of all, and its filters, below."""
        found = dead_letters.grouped(Choice(is_simulated=_asks_for_tests(request)))
        context = {
            "groups": [_row(each, request) for each in found.groups],
            "is_capped": found.is_capped,
            "looked_at": found.total,
            "may_replay": self.has_replay_permission(request),
            "may_discard": self.has_discard_permission(request),
        }
        return super().changelist_view(request, context | (extra_context or {}))

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
        return self._replay(request, _these(queryset), hidden=_repeated("replay_selected", queryset))

    @action(description=gettext_lazy("Discard"), permissions=["discard"], is_dangerous=True)
    def discard_selected(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Lay the chosen ones aside, with a reason."""
        return self._discard(request, _these(queryset), hidden=_repeated("discard_selected", queryset))

    def replay_group(self, request: HttpRequest) -> HttpResponse:
        """Another life for all of a group."""
        if not self.has_replay_permission(request):
            raise PermissionDenied
        return self._replay(request, _group_of(request)) or redirect(LIST)

    def discard_group(self, request: HttpRequest) -> HttpResponse:
        """The end for all of a group."""
        if not self.has_discard_permission(request):
            raise PermissionDenied
        return self._discard(request, _group_of(request)) or redirect(LIST)

    def _replay(
        self, request: HttpRequest, choice: Choice, *, hidden: Sequence[tuple[str, str]] = ()
    ) -> HttpResponse | None:
        """The page that asks, or the replay itself and None."""
        told = dead_letters.foretell(choice)
        if told.count + told.doubtful > MOST_AT_ONCE:
            return self._too_many(request, choice, _counted(told.count + told.doubtful, is_capped=told.is_capped))
        posted = request.POST if "reason" in request.POST else None
        form = ReplayForm(posted, count=told.count, doubtful=told.doubtful)
        if not (told.count or told.doubtful):
            messages.warning(request, _nothing_to_replay(told))
            return None
        if not form.is_valid():
            count = told.count or told.doubtful
            return self._ask(
                request,
                dead_letters.revivable(choice, include_doubtful=not told.count),
                title=ngettext("Replay {count} notification?", "Replay {count} notifications?", count),
                question=_("Each gets a new series of tries under the same id; the people's wishes count anew."),
                count=count,
                form=form,
                facts=_foretold(told),
                hidden=hidden,
            )
        count = dead_letters.replay_dead_letters(
            choice,
            who=who_acts(request),
            why=form.cleaned_data["reason"],
            limit=MOST_AT_ONCE,
            include_doubtful=form.includes_doubtful,
        )
        words = ngettext("{count} goes out again in a moment.", "{count} go out again in a moment.", count)
        messages.success(request, words.format(count=count))
        return None

    def _discard(
        self, request: HttpRequest, choice: Choice, *, hidden: Sequence[tuple[str, str]] = ()
    ) -> HttpResponse | None:
        """The page that asks, or the discarding itself and None."""
        found = dead_letters.grouped(choice)
        if found.total > MOST_AT_ONCE:
            counted = _counted(found.total, is_capped=found.is_capped)
            return self._too_many(request, choice, counted, is_discard=True)
        form = DiscardForm(request.POST if "reason" in request.POST else None, count=found.total)
        if not form.is_valid():
            return self._ask(
                request,
                choice.of(Notification.objects.dead_letters()),
                title=ngettext("Discard {count} notification?", "Discard {count} notifications?", found.total),
                question=_("They stay failed, and leave this list and the alerts. This cannot be undone."),
                count=found.total,
                form=form,
                hidden=hidden,
                is_dangerous=True,
            )
        count = dead_letters.discard_dead_letters(
            choice, who=who_acts(request), why=form.cleaned_data["reason"], limit=MOST_AT_ONCE
        )
        words = ngettext("{count} is discarded.", "{count} are discarded.", count)
        messages.success(request, words.format(count=count))
        return None

    def _ask(
        self,
        request: HttpRequest,
        meant: NotificationQuerySet,
        *,
        title: str,
        question: str,
        count: int,
        form: forms.Form,
        facts: Sequence[str] = (),
        hidden: Sequence[tuple[str, str]] = (),
        is_dangerous: bool = False,
    ) -> HttpResponse:
        title = title.format(count=count)
        rows = meant.select_related("template").prefetch_related("user")
        named = [f"{each.template.name} → {person_name(each)}: {answer(each).sentence}" for each in rows[:SAMPLE]]
        more = [_("… and {count} more").format(count=count - SAMPLE)] if count > SAMPLE else []
        return ask_first(
            request,
            self,
            title=title,
            question=question,
            button=title.rstrip("?"),
            back=reverse(LIST),
            form=form,
            facts=[*facts, *named, *more],
            is_dangerous=is_dangerous,
            hidden=hidden,
        )

    def _too_many(
        self, request: HttpRequest, choice: Choice, counted: str, *, is_discard: bool = False
    ) -> HttpResponse:
        """So many are not done while a browser waits: the command to paste."""
        context = {
            **self.admin_site.each_context(request),
            "title": _("{count} dead letters").format(count=counted),
            "command": command_for(choice, is_discard=is_discard),
            "most": MOST_AT_ONCE,
            "back": reverse(LIST),
        }
        return TemplateResponse(request, "admin/gateway/deadletter/command.html", context)


def command_for(choice: Choice, *, is_discard: bool) -> str:
    """What to paste into a shell where the platform runs."""
    words = ["manage.py", "replay_dead_letters"]
    for name in ASKED:
        value = getattr(choice, name)
        if value is not None:
            words += [f"--{name}", value or "none"]  # what no provider ever had
    words += ["--tests"] if choice.is_simulated else []
    words += ["--discard"] if is_discard else ["--rate", "50/s"]
    return f'{shlex.join(words)} --why "…"'


def _row(group: Group, request: HttpRequest) -> dict[str, Any]:
    """A group as the page shows it."""
    named = {"reason": group.reason, "provider": group.provider, "template": group.template}
    asked = urlencode(named | ({TestsFilter.parameter_name: "1"} if _asks_for_tests(request) else {}))
    return {
        "group": group,
        "word": word(group.reason),
        "provider": PROVIDERS.get(group.provider) or group.provider,
        "replay": f"{reverse('admin:gateway_deadletter_replay_group')}?{asked}",
        "discard": f"{reverse('admin:gateway_deadletter_discard_group')}?{asked}",
    }


def _group_of(request: HttpRequest) -> Choice:
    """The group that an address names; what it leaves out is not asked for."""
    reason, provider, template = (request.GET.get(name) for name in ASKED)
    return Choice(reason=reason, provider=provider, template=template, is_simulated=_asks_for_tests(request))


def _asks_for_tests(request: HttpRequest) -> bool:
    return request.GET.get(TestsFilter.parameter_name) == "1"


def _these(chosen: QuerySet[DeadLetter]) -> Choice:
    return Choice(ids=frozenset(chosen.values_list("pk", flat=True)))


def _repeated(name: str, chosen: QuerySet[DeadLetter]) -> list[tuple[str, str]]:
    """What the post must say again, so that the same action meets the same rows."""
    ids = chosen.values_list("pk", flat=True)
    return [("action", name), *((helpers.ACTION_CHECKBOX_NAME, str(pk)) for pk in ids)]


def _foretold(told: Forecast) -> list[str]:
    """What an operator should know before."""
    lines = []
    if told.refused:
        why = ", ".join(f"{count} × {word(reason)}" for reason, count in sorted(told.refused.items()))
        lines.append(_("Would end again at once: {why}").format(why=why))
    if told.taken:
        words = ngettext("{n} stays: a provider has it already", "{n} stay: a provider has them already", told.taken)
        lines.append(words.format(n=told.taken))
    return lines


def _nothing_to_replay(told: Forecast) -> str:
    if told.taken:
        return _("Nothing was changed: a provider has it already, and what was taken is never sent twice.")
    return _("These are no dead letters any more; nothing was changed.")


def _counted(count: int, *, is_capped: bool) -> str:
    return _("{count} or more").format(count=count) if is_capped else str(count)
