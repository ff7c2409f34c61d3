"""How notifications stand in a list: columns, filters, exact search. Nothing here counts or scans the big table."""

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import ShowFacets, SimpleListFilter
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from gateway import priorities
from gateway.explanation import TONES, answer
from gateway.models import Notification
from gateway.statuses import Status
from users.models import ApiKey, User
from users.staff_pages import ReadOnlyAdmin, StaffAdmin, display
from users.templatetags.staff_pages import moment


def status_chip(status: str) -> SafeString:
    """The status as a coloured label."""
    return format_html('<span class="nt-chip nt-{}">{}</span>', TONES.get(status) or "plain", Status(status).label)


def person_name(notification: Notification) -> str:
    """The name of the person, as far as they still exist; else how the API named them."""
    try:
        person = notification.user
    except User.DoesNotExist:
        return notification.user_public_id
    return person.name or notification.user_public_id


def matching(notifications: QuerySet[Notification], term: str) -> QuerySet[Notification]:
    """Those with exactly this notification id or request id, or for the person with this external id or address."""
    people = [each.pk for each in (*User.objects.filter(external_id=term), *User.objects.with_email(term))]
    # With client and mode named, the unique index of request ids serves; there are few of either.
    clients = ApiKey.objects.order_by().values_list("client", flat=True).distinct()
    found = Q(user__in=people) | Q(client__in=list(clients), mode__in=ApiKey.Mode.values, request_id=term)
    try:
        identifier = UUID(term)
    except ValueError:
        return notifications.filter(found)
    return notifications.filter(found | Q(pk=identifier) | Q(user=identifier))


class LaneFilter(SimpleListFilter):
    """By urgency, in the words of the API; the numbers themselves would have to be looked up in the big table."""

    title = _("priority")
    parameter_name = "lane"
    lanes: ClassVar[dict[str, tuple[int, int]]] = {
        name: (
            min(each for each in range(priorities.MOST + 1) if priorities.lane(each) == name),
            max(each for each in range(priorities.MOST + 1) if priorities.lane(each) == name),
        )
        for name in ("critical", "high", "normal", "low")
    }

    def lookups(self, request: HttpRequest, model_admin: StaffAdmin) -> list[tuple[str, Any]]:
        """The four lanes, most urgent first."""
        labels = {"critical": _("Critical"), "high": _("High"), "normal": _("Normal"), "low": _("Low")}
        return [(name, labels[name]) for name in self.lanes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        """The rows of the chosen lane."""
        chosen = self.lanes.get(self.value() or "")
        return queryset.filter(priority__range=chosen) if chosen else queryset


class TestsFilter(SimpleListFilter):
    """What was meant for people, unless somebody asks for tests. For lists whose index leads with `is_simulated`."""

    title = _("meant for")
    parameter_name = "tests"

    def lookups(self, request: HttpRequest, model_admin: StaffAdmin) -> list[tuple[str, Any]]:
        """The one that is not taken for granted."""
        return [("1", _("Test only"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The first choice of every filter is called All; here it is not all."""
        first, *others = super().choices(changelist)
        yield first | {"display": _("People")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        """Tests, or all the others."""
        return queryset.filter(is_simulated=self.value() == "1")


class NotificationListAdmin(ReadOnlyAdmin):
    """The list that notifications and dead letters share."""

    list_display = ("what", "channel", "status_label", "reason_words", "attempts_made", "when")
    list_filter: ClassVar[Any] = ("status", "channel", "template", LaneFilter)
    search_fields = ("pk",)  # shows the search box; what it finds is said in get_search_results
    search_help_text = _("Request id, notification id, person's id or e-mail")
    show_facets = ShowFacets.NEVER
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what the columns need; people apart, as erased ones must not make their rows disappear."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("template").prefetch_related("user")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Exact matches only."""
        term = search_term.strip()
        return (matching(queryset, term) if term else queryset), False

    @display(description=_("Notification"), header=True)
    def what(self, notification: Notification) -> list[str]:
        """Template → person, and beneath how the client called the request."""
        title = f"{notification.template.name} → {person_name(notification)}"
        # Ids of ours begin alike when they are made at about the same time; their ends tell them apart.
        return [title, notification.request_id or f"…{str(notification.pk)[-12:]}"]

    @display(description=_("Status"))
    def status_label(self, notification: Notification) -> SafeString:
        """Coloured."""
        return status_chip(notification.status)

    @display(description=_("Why"))
    def reason_words(self, notification: Notification) -> SafeString:
        """Word and sentence of the reason, and the markers."""
        told = answer(notification)
        markers = "".join(f" {marker}." for marker in told.markers)
        return format_html('<span class="nt-why">{}<span class="nt-subtle">{}</span></span>', told.sentence, markers)

    @display(description=_("Attempts"))
    def attempts_made(self, notification: Notification) -> int:
        """Hand-overs so far."""
        return notification.attempt_count

    @display(description=_("Asked for"))
    def when(self, notification: Notification) -> str:
        """When it was accepted."""
        return moment(notification.created_at)
