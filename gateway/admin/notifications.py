"""One notification on one page: a sentence that answers, the timeline, what was asked for, and what one can do."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminRadioSelectWidget

from gateway import dead_letters, outbox, priorities, replaying, statuses, tracking
from gateway.admin.inbox import INBOXES
from gateway.admin.listing import NotificationListAdmin, person_name, status_chip
from gateway.admin.replay_form import ReplayForm
from gateway.attachments import with_files
from gateway.dead_letters import Choice
from gateway.explanation import Step, answer, timeline
from gateway.models import Notification
from gateway.provider_order import CAPTURE
from gateway.statuses import Status
from users.channels import Channel
from users.masking import mask_email, sensitive_names
from users.models import Device, User
from users.staff_pages import ReasonForm, action, ask_first, who_acts

HIDDEN = "•••"
#: In which statuses each button makes sense; the use cases decide for good.
POSSIBLE = {
    "cancel": statuses.CANCEL.sources,
    "replay": statuses.REPLAY.sources,
    "settle": statuses.GIVE_UP_UNKNOWN.sources,
}


class SettleForm(ReasonForm):
    """What an operator found out about a doubt."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("What is true?"),
        choices=[
            ("arrived", gettext_lazy("It arrived")),
            ("given_up", gettext_lazy("Give it up; it may be replayed later")),
        ],
        widget=UnfoldAdminRadioSelectWidget(),
    )
    field_order = ("verdict", "reason")


@admin.register(Notification)
class NotificationAdmin(NotificationListAdmin):
    """Support looks up here what became of a message."""

    actions_detail = ("cancel", "replay", "settle")
    empty_title = gettext_lazy("No notifications yet")
    empty_text = gettext_lazy("Every request a client sends appears here within a moment. Send the first one:")
    empty_curl = True

    def has_cancel_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Stop what has not left."""
        return request.user.has_perm("gateway.cancel_notification")

    def has_replay_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Give dead letters another life."""
        return request.user.has_perm("gateway.replay_notification")

    def has_settle_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Decide doubts."""
        return request.user.has_perm("gateway.settle_notification")

    def get_urls(self) -> list[URLPattern]:
        """One more: the part of the page that refreshes itself."""
        live = self.admin_site.admin_view(self.live_view)
        return [path("<path:object_id>/live/", live, name="gateway_notification_live"), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page of one notification."""
        notification = self._find(request, object_id)
        if notification is None:
            return self._gone(request, object_id)
        title = _("Notification {name}").format(name=notification.request_id or notification.pk)
        context = {
            **self.admin_site.each_context(request),
            **self._live_context(request, notification),
            "title": title,
            "person": person_name(notification),
            "person_email": _masked_address(notification),
            "lane": priorities.lane(notification.priority),
            "may_see_content": request.user.has_perm("gateway.view_notification_content"),
            "variables": shown_variables(notification),
            "files": with_files([notification.pk]) if notification.attachment_count else (),
            "content_days": settings.CONTENT_DAYS,
            "metadata": json.dumps(notification.metadata, indent=2, ensure_ascii=False),
            "status_chip": status_chip(notification.status),
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/gateway/notification/detail.html", context)

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer line, buttons and timeline alone; the page asks for them until the status is final."""
        notification = self._find(request, object_id)
        if notification is None:
            return HttpResponse(status=404)
        context = self._live_context(request, notification)
        response = TemplateResponse(request, "admin/gateway/notification/live.html", context)
        response["X-Final"] = "yes" if context["is_final"] else "no"
        response["Cache-Control"] = "no-store"
        return response

    @action(description=gettext_lazy("Cancel"), permissions=["cancel"], icon="cancel", is_dangerous=True)
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Stop it, with a reason."""
        notification = self._find(request, object_id)
        if notification is None:
            return self._gone(request, object_id)
        form = ReasonForm(request.POST or None)
        if not form.is_valid():
            question = _("It will not be sent. This cannot be undone; the client may ask again with a new request id.")
            return self._ask(
                request,
                notification,
                title=_("Cancel this notification?"),
                question=question,
                button=_("Cancel the notification"),
                form=form,
                is_dangerous=True,
            )
        why = form.cleaned_data["reason"]
        try:
            outbox.cancel(notification.pk, who=who_acts(request), why=why)
        except outbox.AlreadyLeft as left:
            status = Status(left.status).label
            words = _("Too late: its status is “{status}”, so it was handed over or has ended.").format(status=status)
            return self._done(request, notification, words, level=messages.WARNING)
        self.log_change(request, notification, f"Cancelled: {why}")
        return self._done(request, notification, _("Cancelled."))

    @action(description=gettext_lazy("Replay"), permissions=["replay"], icon="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give a dead letter another life, with a reason."""
        notification = self._find(request, object_id)
        if notification is None:
            return self._gone(request, object_id)
        told = dead_letters.foretell(Choice(ids=frozenset({notification.pk})))
        if not (told.count or told.doubtful):
            words = _("It is no dead letter any more, or a provider has it already; nothing was changed.")
            return self._done(request, notification, words, level=messages.WARNING)
        form = ReplayForm(request.POST or None, count=told.count, doubtful=told.doubtful)
        if not form.is_valid():
            question = _("It gets a new series of tries under the same id; the person's wishes count anew.")
            title = _("Replay this notification?")
            return self._ask(request, notification, title=title, question=question, button=_("Replay"), form=form)
        why = form.cleaned_data["reason"]
        alive = replaying.replay(
            [notification.pk], who=who_acts(request), why=why, include_doubtful=form.includes_doubtful
        )
        if not alive:
            words = _("It is no dead letter any more; nothing was changed.")
            return self._done(request, notification, words, level=messages.WARNING)
        self.log_change(request, notification, f"Replayed: {why}")
        return self._done(request, notification, _("It goes out again in a moment."))

    @action(description=gettext_lazy("Settle"), permissions=["settle"], icon="gavel")
    def settle(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Decide a doubt: it arrived, or it is given up."""
        notification = self._find(request, object_id)
        if notification is None:
            return self._gone(request, object_id)
        form = SettleForm(request.POST or None)
        if not form.is_valid():
            question = _(
                "The provider did not answer after the hand-over. Ask the person, or look at the provider's own log."
            )
            title = _("Did it arrive?")
            return self._ask(request, notification, title=title, question=question, button=_("Settle"), form=form)
        arrived = form.cleaned_data["verdict"] == "arrived"
        if not tracking.settle_by_hand(notification.pk, who=who_acts(request), arrived=arrived):
            words = _("There is no doubt any more; nothing was changed.")
            return self._done(request, notification, words, level=messages.WARNING)
        self.log_change(
            request, notification, f"Settled as {form.cleaned_data['verdict']}: {form.cleaned_data['reason']}"
        )
        return self._done(request, notification, _("Settled."))

    def _find(self, request: HttpRequest, object_id: str) -> Notification | None:
        """The row with all a page needs; None when there is none. Refuses those who may not look."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = Notification.objects.select_related("template", "template_version").prefetch_related(
            "user", "attempts", "events", "provider_events"
        )
        with suppress(ValidationError):
            return rows.filter(pk=object_id).first()
        return None

    def _gone(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        words = _("There is no notification “{id}”; perhaps its time was over and it was deleted.")
        messages.warning(request, words.format(id=object_id))
        return redirect("admin:gateway_notification_changelist")

    def _live_context(self, request: HttpRequest, notification: Notification) -> dict[str, Any]:
        return {
            "notification": notification,
            "answer": answer(notification),
            "status_chip": status_chip(notification.status),
            "is_final": notification.status in statuses.FINAL,
            "steps": _with_devices(timeline(notification)),
            "buttons": self._buttons(request, notification),
            "inbox": _inbox(request, notification),
        }

    def _buttons(self, request: HttpRequest, notification: Notification) -> list[dict[str, Any]]:
        """What this person may do with it as it is now."""
        return [
            {
                "title": each.description,
                "icon": each.icon,
                "is_dangerous": each.variant and each.variant.value == "danger",
                "path": reverse(f"admin:{each.action_name}", args=[notification.pk]),
            }
            for each in self.get_actions_detail(request, notification.pk)  # type: ignore[attr-defined]  # the theme's
            if notification.status in POSSIBLE[each.method.original_function_name] and not notification.discarded_at
        ]

    def _ask(
        self,
        request: HttpRequest,
        notification: Notification,
        *,
        title: str,
        question: str,
        button: str,
        form: forms.Form,
        is_dangerous: bool = False,
    ) -> HttpResponse:
        told = answer(notification)
        return ask_first(
            request,
            self,
            title=title,
            question=question,
            button=button,
            back=_page_of(notification),
            form=form,
            facts=[f"{notification.template.name} → {person_name(notification)}", f"{told.word}: {told.sentence}"],
            is_dangerous=is_dangerous,
        )

    def _done(
        self, request: HttpRequest, notification: Notification, words: str, *, level: int = messages.SUCCESS
    ) -> HttpResponseRedirect:
        messages.add_message(request, level, words)
        return HttpResponseRedirect(_page_of(notification))


def _page_of(notification: Notification) -> str:
    return reverse("admin:gateway_notification_change", args=[notification.pk])


def _with_devices(steps: list[Step]) -> list[Step]:
    """Attempts for pushes name the device; one query, none for e-mail."""
    ids = {each.details["device_id"] for each in steps if "device_id" in each.details}
    names = {str(device.pk): str(device) for device in Device.objects.filter(pk__in=ids)} if ids else {}
    titles = [(each, names.get(each.details.get("device_id", ""))) for each in steps]
    return [replace(each, title=f"{each.title} → {name}") if name else each for each, name in titles]


def _inbox(request: HttpRequest, notification: Notification) -> str:
    """Where the captured message is shown; empty when none was captured or the person may not look."""
    inbox = INBOXES[Channel(notification.channel)]
    if notification.provider != CAPTURE or not request.user.has_perm(inbox.permission):
        return ""
    with suppress(NoReverseMatch):  # an installation may leave the inbox out
        return f"{reverse(inbox.address_name)}?notification={notification.pk}"
    return ""


def _masked_address(notification: Notification) -> str:
    try:
        email = notification.user.email
    except User.DoesNotExist:
        return ""
    return mask_email(email) if email else ""


def shown_variables(notification: Notification) -> list[tuple[str, str]]:
    """Name and value of each variable; sensitive ones are hidden."""
    declared = notification.template_version.variables
    sensitive = sensitive_names(declared)
    return [
        (name, HIDDEN if name in sensitive else value if isinstance(value, str) else json.dumps(value))
        for name, value in notification.variables.items()
    ]
