"""Use cases: a process registers, renews, leaves; who is alive."""

import os
import socket
from collections import Counter
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Now

from consumers.models import ServiceInstance

#: How often a process renews, and after how long of silence it counts as gone.
HEARTBEAT_EVERY = timedelta(seconds=10)
STALE_AFTER = timedelta(seconds=30)
_STOPPED = ServiceInstance.State.STOPPED
#: The state of a process that has fallen silent, beside those it tells itself.
STALE = "stale"
#: How long a silent process stays in the list.
FORGET_AFTER = timedelta(days=1)


def register(*, role: str, port: int | None) -> ServiceInstance:
    """This process is starting. Those of its role that were killed on this host are over, and count no longer."""
    _note_the_killed(role)
    return ServiceInstance.objects.create(
        role=role, host=socket.gethostname(), port=port, pid=os.getpid(), version=settings.VERSION
    )


def _note_the_killed(role: str) -> None:
    """Whoever is restarted in a dead one's place knows of its death before the silence tells it.

    A process in another container of the same host name may be taken for dead; its next heartbeat says otherwise.
    """
    here = ServiceInstance.objects.filter(role=role, host=socket.gethostname()).exclude(state=_STOPPED)
    rows = here.filter(heartbeat_at__gte=Now() - STALE_AFTER).values_list("pk", "pid")
    killed = [pk for pk, pid in rows if _is_gone(pid)]
    if killed:
        ServiceInstance.objects.filter(pk__in=killed).update(state=_STOPPED)


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # asks only
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return pid == os.getpid()  # a container that was started again begins with the same number


def heartbeat(instance: ServiceInstance, state: ServiceInstance.State) -> None:
    """It is alive, and in this state."""
    if not ServiceInstance.objects.filter(pk=instance.pk).update(state=state, heartbeat_at=Now()):
        # It was silent for so long (a laptop asleep) that it had been forgotten.
        instance.state, instance.heartbeat_at = state, Now()
        instance.save(force_insert=True)


def listed(*, roles: Collection[str], states: Collection[str]) -> QuerySet[ServiceInstance]:
    """These processes, the newest first, with `shown_state`: what each said last, or that it fell silent."""
    is_silent = Q(heartbeat_at__lt=Now() - STALE_AFTER) & ~Q(state=ServiceInstance.State.STOPPED)
    shown = Case(When(is_silent, then=Value(STALE)), default=F("state"))
    found = ServiceInstance.objects.filter(role__in=roles).annotate(shown_state=shown)
    return found.filter(shown_state__in=states).order_by("-id")


def forget_dead() -> int:
    """Remove processes nobody has heard of for a day; returns how many."""
    return ServiceInstance.objects.filter(heartbeat_at__lt=Now() - FORGET_AFTER).delete()[0]


def alive() -> Counter[str]:
    """How many processes of each role were heard of lately."""
    states = (ServiceInstance.State.STARTING, ServiceInstance.State.RUNNING)
    recent = ServiceInstance.objects.filter(state__in=states, heartbeat_at__gte=Now() - STALE_AFTER)
    return Counter(recent.values_list("role", flat=True))
