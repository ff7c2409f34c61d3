"""The processes that are alive, and those that fell silent; what operators were told of."""

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consumers.alerts import PAGES
from consumers.models import Alert, ServiceInstance
from consumers.service_registry import STALE_AFTER
from users.staff_pages import ReadOnlyAdmin, display
from users.templatetags.staff_pages import moment

#: The colours of the states; a silent process is shown as such, whatever it said last.
TONES = {
    ServiceInstance.State.STARTING: "info",
    ServiceInstance.State.RUNNING: "success",
    ServiceInstance.State.DRAINING: "warning",
}


@admin.register(ServiceInstance)
class ServiceInstanceAdmin(ReadOnlyAdmin):
    """Operators see here who works, where, and which version."""

    list_display = ("role", "address", "pid", "version", "state_label", "started", "last_heartbeat")
    list_display_links = None
    ordering = ("role", "id")
    empty_title = gettext_lazy("No process has registered")
    empty_text = gettext_lazy(
        "Every process of the platform registers here when it starts. “make run” starts them all."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceInstance]:
        """With the database's clock beside each row: heartbeats are written by it."""
        rows: QuerySet[ServiceInstance] = super().get_queryset(request)
        return rows.annotate(database_now=Now())

    @display(description=gettext_lazy("Address"))
    def address(self, instance: ServiceInstance) -> str:
        """Where it answers /health."""
        return f"{instance.host}:{instance.port}" if instance.port else instance.host

    @display(description=gettext_lazy("State"))
    def state_label(self, instance: ServiceInstance) -> SafeString:
        """Coloured; silent ones are named as such."""
        label, tone = instance.get_state_display(), TONES.get(ServiceInstance.State(instance.state), "plain")
        if instance.state != ServiceInstance.State.STOPPED and silence(instance) > STALE_AFTER:
            label, tone = _("Silent"), "danger"
        return format_html('<span class="nt-chip nt-{}">{}</span>', tone, label)

    @display(description=gettext_lazy("Started"))
    def started(self, instance: ServiceInstance) -> str:
        """When."""
        return moment(instance.started_at)

    @display(description=gettext_lazy("Last heartbeat"))
    def last_heartbeat(self, instance: ServiceInstance) -> str:
        """Seconds for the living, a time for the rest."""
        seconds = max(0, int(silence(instance).total_seconds()))
        return _("{n} s ago").format(n=seconds) if seconds < 120 else moment(instance.heartbeat_at)


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Operators see here what is wrong, since when, and who was told."""

    list_display = ("trouble", "state_label", "began", "words", "last_told", "told_how")
    list_display_links = None
    ordering = ("over_at", "kind", "subject")
    empty_title = gettext_lazy("No alert so far")
    empty_text = gettext_lazy(
        "Dead letters, messages that wait too long, paused providers, refused credentials, doubts nobody settles, "
        "stopped callbacks and an unread mailbox of bounces would be listed here, and told by mail and webhook "
        "as far as ALERT_EMAILS and ALERT_WEBHOOK_URL are set. "
        "“manage.py send_test_alert” tries it."
    )

    @display(description=gettext_lazy("Alert"))
    def trouble(self, alert: Alert) -> str:
        """What, and of which provider."""
        return str(alert)

    @display(description=gettext_lazy("State"))
    def state_label(self, alert: Alert) -> SafeString:
        """Whether it lasts."""
        label, tone = (_("Lasts"), "danger") if alert.over_at is None else (_("Over"), "success")
        return format_html('<span class="nt-chip nt-{}">{}</span>', tone, label)

    @display(description=gettext_lazy("Since"))
    def began(self, alert: Alert) -> SafeString | str:
        """When, and until when."""
        if alert.over_at is None:
            return moment(alert.since)
        return format_html("{}<br>{} {}", moment(alert.since), _("until"), moment(alert.over_at))

    @display(description=gettext_lazy("At the last look"))
    def words(self, alert: Alert) -> SafeString:
        """The sentence of the message, with a link to where one looks."""
        return format_html(
            '<span class="nt-why"><a class="nt-link" href="{}">{}</a></span>',
            PAGES[Alert.Kind(alert.kind)],
            alert.sentence,
        )

    @display(description=gettext_lazy("Last alarm"))
    def last_told(self, alert: Alert) -> SafeString | str:
        """When."""
        return moment(alert.told_at)

    @display(description=gettext_lazy("Told by"))
    def told_how(self, alert: Alert) -> str:
        """By which ways, and by which it could not be told so far."""
        told = alert.told_by.replace(",", ", ")
        if alert.waits_for:
            waits = alert.waits_for.replace(",", ", ")
            return _("{told}; {waits} does not work, tried {n} times").format(
                told=told or _("nobody"), waits=waits, n=alert.try_count
            )
        if told or settings.ALERT_WEBHOOK_URL or settings.ALERT_EMAILS:
            return told or "–"
        return _("nobody: neither ALERT_EMAILS nor ALERT_WEBHOOK_URL is set")


def silence(instance: ServiceInstance) -> timedelta:
    """How long nothing was heard of it, by the database's clock."""
    now = instance.database_now  # type: ignore[attr-defined]  # annotated in get_queryset
    quiet: timedelta = now - instance.heartbeat_at
    return quiet
