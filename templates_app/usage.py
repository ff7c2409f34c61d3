"""Which client sends which variables: told by the gateway for every accepted request, so that publishing can warn.

Names are counted, never values. Counts are gathered in the process and written from time to time; what a
killed process had gathered since is lost.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Event, Lock, Thread
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Sum
from django.utils.module_loading import import_string

from templates_app.models import Template, TemplateUse, TemplateVersion

log = structlog.stdlib.get_logger(__name__)

#: How far back callers count.
LOOK_BACK = timedelta(days=30)
#: Kept a little longer, so that no chore takes away what somebody looks at.
KEPT_FOR = LOOK_BACK + timedelta(days=5)
#: How often a process writes down what it has gathered.
WRITE_EVERY = timedelta(seconds=5)


#: Different sets of names a process gathers between two writings, and a template gets a day; the rest is not counted.
MOST_SHAPES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerShape:
    """One client and the variables it sends together, so often in the last 30 days."""

    client: str
    names: frozenset[str]
    count: int


class SentWithTemplates(Protocol):
    """What the step above keeps of what is sent; named in the setting SENT_WITH_TEMPLATES."""

    def was_asked_for(self, template: Template) -> bool:
        """Whether any request was accepted with it. Tests out of the editor are none."""

    def forget_tests(self, version: TemplateVersion) -> None:
        """Delete what was sent out of the editor to try this version, inside the caller's transaction."""


class _Use(NamedTuple):
    template_id: UUID
    client: str
    names: tuple[str, ...]


class _Gathered:
    """What was told since the last writing."""

    def __init__(self) -> None:
        self.uses: Counter[_Use] = Counter()
        #: By version.
        self.sent: Counter[UUID] = Counter()


_gathered = _Gathered()
_lock = Lock()


def tell_use(*, template_id: UUID, version_id: UUID, client: str, names: Iterable[str]) -> None:
    """A request was accepted. Costs no query."""
    use = _Use(template_id, client, tuple(sorted(names)))
    with _lock:
        _gathered.sent[version_id] += 1
        if use in _gathered.uses or len(_gathered.uses) < MOST_SHAPES:
            _gathered.uses[use] += 1


def write_uses() -> int:
    """Write down what this process has gathered; returns how many requests that were."""
    global _gathered
    with _lock:
        gathered, _gathered = _gathered, _Gathered()
    if gathered.sent:
        _write(gathered)
    return gathered.sent.total()


def keep_writing(stopping: Event | None = None) -> None:
    """Start a thread that writes down regularly, as long as the process lives or until it is told to stop."""
    Thread(target=_write_regularly, args=(stopping or Event(),), name="template-uses", daemon=True).start()


def _write_regularly(stopping: Event) -> None:
    while not stopping.wait(WRITE_EVERY.total_seconds()):
        try:
            write_uses()
        except DatabaseError as trouble:
            log.warning("Counts of uses were lost.", action="write_uses", detail=type(trouble).__name__)
            connection.close()


def callers_of(template: Template) -> list[CallerShape]:
    """Who asked for it in the last 30 days, with which variables; the busiest first."""
    since = datetime.now(UTC).date() - LOOK_BACK
    rows = TemplateUse.objects.filter(template=template, day__gte=since).order_by()
    totals = rows.values("client", "names").annotate(total=Sum("count"))
    found = [CallerShape(client=each["client"], names=frozenset(each["names"]), count=each["total"]) for each in totals]
    return sorted(found, key=lambda each: (-each.count, each.client))


def was_ever_sent(template: Template) -> bool:
    """Whether any request was accepted with it, as far as it was written down. Tests out of the editor are none."""
    if template.versions.filter(sent_count__gt=0).exists():
        return True
    # What a killed process had not told.
    return sent_with_templates().was_asked_for(template)


def sent_with_templates() -> SentWithTemplates:
    """Whoever keeps what is sent."""
    keeper: SentWithTemplates = import_string(settings.SENT_WITH_TEMPLATES)()
    return keeper


def forget_old_uses(*, limit: int) -> int:
    """Delete days nobody looks at any more."""
    old = TemplateUse.objects.filter(day__lt=datetime.now(UTC).date() - KEPT_FOR).values_list("pk", flat=True)[:limit]
    return TemplateUse.objects.filter(pk__in=list(old)).delete()[0]


@transaction.atomic
def _write(gathered: _Gathered) -> None:
    # In order, so that two processes that write at once never wait for each other in a circle.
    for version_id, count in sorted(gathered.sent.items()):
        TemplateVersion.objects.filter(pk=version_id).update(sent_count=F("sent_count") + count)
    today = datetime.now(UTC).date()
    known = _shapes_of({use.template_id for use in gathered.uses}, today)
    for use, count in sorted(gathered.uses.items()):
        shape, shapes = _shape(use.names), known.get(use.template_id)
        if shapes is None or (len(shapes) >= MOST_SHAPES and shape not in shapes):
            continue
        shapes.add(shape)
        place = {"template_id": use.template_id, "client": use.client, "day": today, "shape": shape}
        TemplateUse.objects.bulk_create([TemplateUse(**place, names=list(use.names))], ignore_conflicts=True)
        TemplateUse.objects.filter(**place).update(count=F("count") + count)


def _shapes_of(template_ids: Iterable[UUID], day: date) -> dict[UUID, set[str]]:
    """The shapes counted today, by template; one that was deleted is left out."""
    found: dict[UUID, set[str]] = {
        pk: set() for pk in Template.objects.filter(pk__in=template_ids).values_list("pk", flat=True)
    }
    counted = TemplateUse.objects.filter(template__in=found, day=day).values_list("template_id", "shape")
    for template_id, shape in counted:
        found[template_id].add(shape)
    return found


def _shape(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]
