"""What the list of notifications can be narrowed by (section 13.4 of the API document)."""

from contextlib import suppress
from uuid import UUID

from django.db.models import Q

from gateway import priorities, statuses
from gateway.statuses import Status
from users.channels import Channel
from users.list_filters import ListFilters, flag, text, whole_numbers
from users.models import User


def _status(values: list[str]) -> Q:
    """As clients know them: `sending` also stands for being prepared and for the doubt."""
    if not set(values) <= set(statuses.PUBLIC.values()):
        raise ValueError(f"Use {', '.join(dict.fromkeys(statuses.PUBLIC.values()))}.")
    return Q(status__in=[status for status, shown in statuses.PUBLIC.items() if shown in values])


def _reason(values: list[str]) -> Q:
    """A row that is being prepared keeps the reason of its last wait, and shows `sending`."""
    shown = Q(reason__in=values) & ~Q(status=Status.CLAIMED)
    return shown | Q(status=Status.CLAIMED) if "sending" in values else shown


def _person(values: list[str]) -> Q:
    """The client's own ids, or ours."""
    ours = []
    for value in values:
        with suppress(ValueError):
            ours.append(UUID(value))
    people = User.objects.filter(Q(external_id__in=values) | Q(pk__in=ours))
    return Q(user__in=people.values("pk"))


def _priority(values: list[str]) -> Q:
    """Numbers, or the words of the API."""
    return whole_numbers("priority")([str(priorities.NAMES.get(each.lower(), each)) for each in values])


FILTERS = ListFilters(
    queries={
        "status": _status,
        "reason": _reason,
        "notification_type": text("channel", choices=Channel.values),
        "user_id": _person,
        "template_code": text("template__code"),
        "template_version": whole_numbers("template_version__number"),
        "request_id": text("request_id"),
        "priority": _priority,
        "provider": text("provider"),
        "simulated": flag("is_simulated"),
    },
    moments={"created_after": "created_at__gte", "created_before": "created_at__lt"},
)
#: For the description of the list.
FILTER_WORDS = {
    "status": "One or several, separated by commas, as with all filters.",
    "reason": "Codes of `/api/v1/reasons/`.",
    "notification_type": "`email` or `push`.",
    "user_id": "The client's own id of a person, or ours.",
    "template_code": "Of the template.",
    "template_version": "Its number.",
    "request_id": "Of the request.",
    "priority": "0 to 10, or `low`, `normal`, `high`, `critical`.",
    "provider": "Who took it, or was to.",
    "simulated": "`true` or `false`.",
    "created_after": "RFC 3339, inclusive.",
    "created_before": "RFC 3339, exclusive.",
}
