"""Adjectives for notifications. "Now" is always the database's clock."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.lookups import In

from gateway import priorities, statuses
from gateway.statuses import Status

if TYPE_CHECKING:
    from gateway.models import Notification  # noqa: F401  named in quotes below
    from users.authentication import Caller


@models.UUIDField.register_lookup
class Among(In):
    """`pk__among=ids`: as `in`, which makes a parameter of each id; PostgreSQL gets them as one array."""

    lookup_name = "among"

    def get_prep_lookup(self) -> list[UUID]:
        """They are ids already."""
        return list(self.rhs)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """An array is written, read and planned at once, however many ids it holds."""
        if not self.rhs:
            raise EmptyResultSet
        column, parameters = self.process_lhs(compiler, connection)
        ids = ",".join([each.hex for each in self.rhs])
        return f"{column} = ANY(%s::uuid[])", [*parameters, f"{{{ids}}}"]


class NotificationQuerySet(models.QuerySet["Notification"]):
    def among(self, ids: Collection[UUID]) -> Self:
        """Those with these ids."""
        return self.filter(pk__among=ids)

    def due(self, longer_than: timedelta = timedelta(0)) -> Self:
        """Waiting, their moment has come (so long ago), and they are still useful."""
        since = Now() - longer_than if longer_than else Now()
        return self.filter(status=Status.ACCEPTED, available_at__lte=since, expires_at__gt=Now())

    def claimable(self, abandoned: Collection[UUID] = (), *, by_others_than: str = "") -> Self:
        """What a consumer may take: due or queued, or held by somebody whose lease is over before the hand-over.

        Of the `abandoned` also what is still under the lease of anybody else than that holder.
        """
        is_over = Q(lease_expires_at__lte=Now())
        if abandoned:
            is_over |= Q(pk__in=abandoned) & ~Q(claimed_by=by_others_than)
        stolen = Q(status__in=statuses.STEAL.sources) & is_over
        waiting = Q(status__in=statuses.CLAIM.sources, available_at__lte=Now())
        return self.filter(waiting | stolen, expires_at__gt=Now())

    def urgent(self) -> Self:
        """Due or queued, and not to wait behind what is less urgent."""
        waiting = self.filter(status__in=statuses.CLAIM.sources, priority__gte=priorities.URGENT_FROM)
        return waiting.filter(available_at__lte=Now(), expires_at__gt=Now())

    def stalled(self, change: statuses.Change, *, grace: timedelta = timedelta(0)) -> Self:
        """Held by a consumer that has not come back: the lease, and `grace` on top of it, is over."""
        return self.filter(status__in=change.sources, lease_expires_at__lte=Now() - grace)

    def hinted(self, *, longer_than: timedelta) -> Self:
        """Queued for longer than that: its hint lies in the broker or with a consumer, or is lost."""
        return self.filter(status=Status.QUEUED, published_at__lte=Now() - longer_than)

    def hinted_long_ago(self, patience: Sequence[timedelta]) -> Self:
        """Queued for longer than the patience of its publish count; the last value holds for all higher counts."""
        overdue = Q(publish_count__gt=len(patience), published_at__lte=Now() - patience[-1])
        for count, wait in enumerate(patience, start=1):
            overdue |= Q(publish_count=count, published_at__lte=Now() - wait)
        return self.filter(overdue, status=Status.QUEUED)

    def overdue(self) -> Self:
        """Too late to be useful and not yet handed over."""
        return self.filter(status__in=statuses.EXPIRE.sources, expires_at__lte=Now())

    def visible_to(self, caller: "Caller") -> Self:
        """What this caller may see: a client its own, by mode; a plain person what is addressed to them; staff all."""
        if caller.sees_all_clients:
            return self.all()
        if caller.person is not None:
            return self.filter(user=caller.person.pk)
        return self.filter(client=caller.client, mode=caller.mode)

    def tests(self) -> Self:
        """Sent out of the template editor by `test_sending.py`: no request was made, so there is no fingerprint."""
        return self.filter(fingerprint="")

    def asked_for(self) -> Self:
        """Made by a request."""
        return self.exclude(fingerprint="")

    def with_content(self) -> Self:
        """Their variables are still there: they could be sent."""
        return self.filter(content_deleted_at__isnull=True)

    def real(self) -> Self:
        """Without tests: of test keys and simulated recipients nothing left the house, and nobody waits for them."""
        return self.filter(is_simulated=False)

    def dead_letters(self) -> Self:
        """Given up, and nobody has decided yet: an operator may give them another life or lay them aside."""
        return self.filter(status=Status.FAILED, discarded_at__isnull=True)
