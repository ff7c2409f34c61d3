"""Callbacks: where clients want to be told, what they were told, and what they are still owed."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import ShowFacets
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gateway import callback_endpoints
from gateway.models import CallbackEndpoint, StatusCallback
from users.staff_pages import ReadOnlyAdmin, action, display
from users.templatetags.staff_pages import milliseconds, moment

TONES = {
    StatusCallback.State.PENDING: "info",
    StatusCallback.State.DELIVERED: "success",
    StatusCallback.State.FAILED: "danger",
}
DELIVERIES = "admin:gateway_statuscallback_changelist"


def shown_url(endpoint: CallbackEndpoint) -> str:
    """What stands behind the question mark may be a secret."""
    path, mark, _rest = endpoint.url.partition("?")
    return f"{path}{mark}…" if mark else path


@admin.register(CallbackEndpoint)
class CallbackEndpointAdmin(ReadOnlyAdmin):
    """Developers see here who is told, and why somebody is not."""

    list_display = ("where", "events_told", "state_label", "last_success", "last_failure", "deliveries")
    list_filter = ("mode", "enabled")
    show_facets = ShowFacets.NEVER
    ordering = ("-id",)
    fields = (
        "address",
        "whose",
        "description",
        "events_told",
        "state_label",
        "last_success",
        "last_failure",
        "deliveries",
    )
    empty_title = gettext_lazy("Nobody wants to be told yet")
    empty_text = gettext_lazy(
        "Clients add an address with POST /api/v1/callbacks/; every change of status is then posted there, signed."
    )

    @display(description=gettext_lazy("Address"), header=True)
    def where(self, endpoint: CallbackEndpoint) -> list[str]:
        """Without its query, and beneath whose it is."""
        return [shown_url(endpoint), f"{endpoint.client} ({endpoint.mode})"]

    @display(description=gettext_lazy("Address"))
    def address(self, endpoint: CallbackEndpoint) -> str:
        """Without its query."""
        return shown_url(endpoint)

    @display(description=gettext_lazy("Client"))
    def whose(self, endpoint: CallbackEndpoint) -> str:
        """And its mode."""
        return f"{endpoint.client} ({endpoint.mode})"

    @display(description=gettext_lazy("Events"))
    def events_told(self, endpoint: CallbackEndpoint) -> SafeString:
        """What it asks for."""
        short = ", ".join(each.removeprefix("notification.") for each in endpoint.events)
        return format_html('<span class="nt-why">{}</span>', _("everything") if "*" in endpoint.events else short)

    @display(description=gettext_lazy("State"))
    def state_label(self, endpoint: CallbackEndpoint) -> SafeString:
        """Coloured, and why."""
        if endpoint.enabled:
            tone, label, why = ("warning", _("Failing"), "") if endpoint.failing_since else ("success", _("On"), "")
        else:
            tone, label = ("danger", _("Stopped")) if endpoint.disabled_reason else ("plain", _("Off"))
            why = endpoint.get_disabled_reason_display() or _("The client switched it off")
        return format_html('<span class="nt-chip nt-{}">{}</span> <span class="nt-subtle">{}</span>', tone, label, why)

    @display(description=gettext_lazy("Last success"))
    def last_success(self, endpoint: CallbackEndpoint) -> str:
        """When."""
        return moment(endpoint.last_success_at)

    @display(description=gettext_lazy("Last failure"))
    def last_failure(self, endpoint: CallbackEndpoint) -> str:
        """When."""
        return moment(endpoint.last_failure_at)

    @display(description=gettext_lazy("Deliveries"))
    def deliveries(self, endpoint: CallbackEndpoint) -> SafeString:
        """The way to what it was sent."""
        address = f"{reverse(DELIVERIES)}?endpoint__id__exact={endpoint.pk}"
        return format_html('<a class="nt-link" href="{}">{}</a>', address, _("Show"))


@admin.register(StatusCallback)
class StatusCallbackAdmin(ReadOnlyAdmin):
    """What was posted, what was answered, and when it is tried again."""

    list_display = ("what", "state_label", "answers", "next_try", "created")
    list_filter: ClassVar[Any] = ("state",)
    show_facets = ShowFacets.NEVER
    ordering = ("-id",)
    actions = ("resend_selected",)
    list_disable_select_all = True
    fields = (
        "event_type",
        "address",
        "notification_link",
        "webhook",
        "state_label",
        "tries_made",
        "next_try",
        "created",
        "delivered",
    )
    empty_title = gettext_lazy("No callbacks yet")
    empty_text = gettext_lazy("What endpoints are told appears here, with every try and its answer.")

    def has_resend_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        """Send callbacks again."""
        return request.user.has_perm("gateway.resend_statuscallback")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the columns need."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("endpoint").prefetch_related("tries")

    @action(description=gettext_lazy("Resend"), permissions=["resend"], icon="send")
    def resend_selected(self, request: HttpRequest, queryset: QuerySet[StatusCallback]) -> None:
        """Once more, under the same ids; a receiver that has them already knows them by these."""
        count = callback_endpoints.resend_these(list(queryset.values_list("pk", flat=True)))
        words = ngettext("{count} callback is sent again.", "{count} callbacks are sent again.", count)
        messages.success(request, words.format(count=count))

    @display(description=gettext_lazy("Callback"), header=True)
    def what(self, callback: StatusCallback) -> list[str]:
        """The event, and beneath where it goes."""
        return [callback.event_type, shown_url(callback.endpoint)]

    @display(description=gettext_lazy("Address"))
    def address(self, callback: StatusCallback) -> str:
        """Without its query."""
        return shown_url(callback.endpoint)

    @display(description=gettext_lazy("Id at the receiver"))
    def webhook(self, callback: StatusCallback) -> str:
        """By this the receiver's log can be searched."""
        return callback.webhook_id

    @display(description=gettext_lazy("State"))
    def state_label(self, callback: StatusCallback) -> SafeString:
        """Coloured."""
        tone = TONES[StatusCallback.State(callback.state)]
        return format_html('<span class="nt-chip nt-{}">{}</span>', tone, callback.get_state_display())

    @display(description=gettext_lazy("Answers"))
    def answers(self, callback: StatusCallback) -> str:
        """Every status code or error, oldest first."""
        return ", ".join(str(each.status_code or each.error) for each in callback.tries.all()) or "–"

    @display(description=gettext_lazy("Next try"))
    def next_try(self, callback: StatusCallback) -> str:
        """When; it waits for as long as its endpoint is off."""
        if callback.state != StatusCallback.State.PENDING:
            return "–"
        return moment(callback.next_attempt_at) if callback.endpoint.enabled else _("when its endpoint is on again")

    @display(description=gettext_lazy("Owed since"))
    def created(self, callback: StatusCallback) -> str:
        """When."""
        return moment(callback.created_at)

    @display(description=gettext_lazy("Delivered"))
    def delivered(self, callback: StatusCallback) -> str:
        """When."""
        return moment(callback.delivered_at)

    @display(description=gettext_lazy("Notification"))
    def notification_link(self, callback: StatusCallback) -> SafeString | str:
        """The one it tells of."""
        if callback.notification_id is None:
            return "–"
        address = reverse("admin:gateway_notification_change", args=[callback.notification_id])
        return format_html('<a class="nt-link" href="{}">{}</a>', address, callback.notification_id)

    @display(description=gettext_lazy("Tries"))
    def tries_made(self, callback: StatusCallback) -> SafeString | str:
        """Each with its time, its answer and how long it took."""
        rows = (
            (each.number, moment(each.at), each.status_code or each.error, milliseconds(each.duration_ms))
            for each in callback.tries.all()
        )
        return format_html_join("", "{}. {} – {} ({})<br>", rows) or "–"
