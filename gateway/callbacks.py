"""Use case: a status has changed, so the client is owed a callback. In the transaction of the change, one statement.

Installations without endpoints pay nothing: who wants what is known for up to a second (`users/lately.py`).
"""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Q

from gateway.callback_models import EVERYTHING, STATUS_EVENTS, CallbackEndpoint, StatusCallback
from gateway.models import Notification
from gateway.statuses import Status
from users import lately

#: The news of a change that leads back to `accepted`, by its name in the timeline; any other such change is `accepted`.
_BACK: dict[str, str | None] = {
    "retrying": "notification.retrying",
    "possible_duplicate": "notification.retrying",
    "released": None,
}
#: To the outside these are `sending`, and that is told once: when it is handed over.
_NO_NEWS = frozenset({Status.CLAIMED, Status.SENDING, Status.UNKNOWN})
QUEUED, SENDING, COMPLAINED = "notification.queued", "notification.sending", "notification.complained"

News = tuple[UUID, str]


def news_of(target: Status, event: str, *, is_news: bool) -> str | None:
    """The event type that tells of a change to `target`, whose step in the timeline is `event`; None for no news."""
    if not is_news or target in _NO_NEWS:
        return None
    return _BACK.get(event, "notification.accepted") if target == Status.ACCEPTED else f"notification.{target}"


def somebody_wants(event: str) -> bool:
    """Whether this event type is owed to anybody, whoever it is about."""
    return event in _wanted_at(lately.moment())


def owe(news: Iterable[News]) -> None:
    """Owe these news to whoever wants them; their rows have changed already, in this same transaction."""
    wanted = _wanted_at(lately.moment())
    if not wanted:
        return
    told = [(pk, event) for pk, event in news if event in wanted]
    if told:
        _insert(told)


@lru_cache(maxsize=2)
def _wanted_at(moment: tuple[int, int]) -> frozenset[str]:
    """Every event type that anybody is to be told of.

    Endpoints that we disabled ourselves are told later, when they are enabled again; those a client disabled are not.
    """
    wants = CallbackEndpoint.objects.filter(Q(enabled=True) | ~Q(disabled_reason="")).values_list("events", flat=True)
    wanted = {event for events in wants for event in events}
    return frozenset(STATUS_EVENTS if EVERYTHING in wanted else wanted)


def _insert(news: Sequence[News]) -> None:
    """One statement: what is told is read where it stands, and nobody's endpoint is looked up before."""
    names = ("id", "type")
    document = orjson.dumps([dict(zip(names, (_written(pk), event), strict=True)) for pk, event in news])
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [document.decode()])


def _written(pk: UUID) -> str:
    """As the database writes the ids of notifications."""
    return str(pk) if connection.vendor == "postgresql" else pk.hex


@cache
def _statement() -> str:
    """Names of our own models, no foreign text."""
    is_postgresql = connection.vendor == "postgresql"
    copied = ("status", "reason", "reason_data", "provider", "attempt_count", "awaits_news", "available_at")
    columns = ", ".join(("id", "endpoint_id", "notification_id", "event_type", "sequence", *copied))
    values = ", ".join(("e.id", "n.id", "g.type", "n.news_count", *(f"n.{name}" for name in copied)))
    return (
        f"INSERT INTO {StatusCallback._meta.db_table} ({columns}) "  # noqa: S608
        f"SELECT {_PG_UUID7 if is_postgresql else _SQLITE_UUID7}, {values} "
        f"FROM {_PG_GIVEN if is_postgresql else _SQLITE_GIVEN} AS g "
        f"JOIN {Notification._meta.db_table} n ON n.id = g.id "
        f"JOIN {CallbackEndpoint._meta.db_table} e ON e.client = n.client AND e.mode = n.mode "
        f"WHERE (e.enabled OR e.disabled_reason <> '') "
        f"AND EXISTS (SELECT 1 FROM {_PG_EVENTS if is_postgresql else _SQLITE_EVENTS} w "
        f"WHERE w.value IN (g.type, '{EVERYTHING}'))"
    )


_PG_GIVEN = "(SELECT * FROM json_to_recordset(%s::json) AS r(id uuid, type varchar))"
_SQLITE_GIVEN = "(SELECT json_extract(value, '$.id') AS id, json_extract(value, '$.type') AS type FROM json_each(%s))"
_PG_EVENTS = "jsonb_array_elements_text(e.events)"
_SQLITE_EVENTS = "json_each(e.events)"
#: A UUIDv7 (RFC 9562, section 5.7): the version is put over a random one, the milliseconds over its beginning.
_PG_UUID7 = (
    "encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing substring(int8send(floor("
    "extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid"
)
_SQLITE_UUID7 = (
    "lower(printf('%%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) || '7' || "
    "substr(hex(randomblob(2)), 2) || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || "
    "hex(randomblob(6)))"
)
