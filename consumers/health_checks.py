"""The health checks themselves. Consumers answer with them on a port of their own, web processes by views."""

import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from consumers import service_registry
from consumers.brokers import choice
from consumers.service_roles import EMAIL_CONSUMER, PUSH_CONSUMER
from gateway import provider_states
from gateway.provider_order import provider_order
from users import shared_cache
from users.channels import Channel
from users.json_text import rfc3339

#: A consumer whose loop has not turned for so long is stuck: a provider's call may take 30 s.
STUCK_AFTER = timedelta(seconds=60)
BROKER_ANSWERS_WITHIN = timedelta(seconds=1)
CONSUMERS = {Channel.EMAIL.value: EMAIL_CONSUMER.name, Channel.PUSH.value: PUSH_CONSUMER.name}
#: A part that this installation does without.
EMBEDDED = {"status": "embedded"}

Check = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Health:
    """What a health URL answers: 200 or 503 with this JSON."""

    is_good: bool
    body: dict[str, Any]

    @property
    def status_code(self) -> int:
        """For HTTP."""
        return 200 if self.is_good else 503


OK = Health(True, {"status": "ok"})


def health(role: str) -> Health:
    """Every check. Degraded still means that requests are accepted; only without a database it is down."""
    database = check_database()
    is_up = database["status"] == "ok"
    checks = {
        "database": database,
        "cache": check_cache(),
        "broker": check_broker(),
        "consumers": check_consumers() if is_up else {"status": "unknown"},
        "providers": check_providers() if is_up else {"status": "unknown"},
    }
    # A provider of somebody else's is news, not a fault of ours: requests are accepted, the next in order takes over.
    ours = [check for name, check in checks.items() if name != "providers"]
    troubled = any(check["status"] not in ("ok", "embedded") for check in ours)
    return Health(
        is_up,
        {
            "status": "down" if not is_up else "degraded" if troubled else "ok",
            "role": role,
            "version": settings.VERSION,
            # Of this machine: the database's clock may be what is away.
            "time": rfc3339(datetime.now(UTC)),
            "checks": checks,
        },
    )


def live(still_for: timedelta = timedelta(0)) -> Health:
    """The process itself: no other server is asked. `still_for`: how long its loop has not turned."""
    if still_for > STUCK_AFTER:
        return _down(f"The loop has not turned for {still_for.total_seconds():.0f} s.")
    return OK


def ready(*, is_draining: bool = False) -> Health:
    """Whether it may be given work."""
    if is_draining:
        return _down("This process is stopping.")
    if check_database()["status"] != "ok":
        return _down("The database does not answer.")
    if missing := missing_migrations():
        return _down(f"Migrations are missing: {', '.join(missing)}.")
    return OK


def check_database() -> Check:
    """Asks the smallest question there is."""
    began = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseTrouble:
        connection.close_if_unusable_or_obsolete()  # so that the next question is put to a new one
        return {"status": "down"}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - began) * 1000)}


def check_cache() -> Check:
    """Whether Redis answers. Everything works without it, only slower."""
    if not settings.REDIS_URL:
        return EMBEDDED
    began = time.perf_counter()
    if shared_cache.ask([("PING",)]) is None:
        return {"status": "degraded"}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - began) * 1000)}


def check_broker() -> Check:
    """Whether RabbitMQ listens. Requests are accepted without it: they wait in the table."""
    if not choice.uses_rabbitmq():
        return EMBEDDED
    began = time.perf_counter()
    try:
        # No word is said: RabbitMQ notes a greeting that is broken off, but not this.
        socket.create_connection(choice.host_and_port(), timeout=BROKER_ANSWERS_WITHIN.total_seconds()).close()
    except OSError:
        return {"status": "degraded"}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - began) * 1000)}


def check_consumers() -> Check:
    """How many consumers of each channel were heard of lately."""
    try:
        alive = service_registry.alive()
    except DatabaseTrouble:  # before the first migration there is no such table
        return {"status": "unknown"}
    counts = {channel: alive[role] for channel, role in CONSUMERS.items()}
    return {"status": "ok" if all(counts.values()) else "down"} | counts


def check_providers() -> Check:
    """Which providers are not asked as usual, and in which state their breakers are."""
    try:
        states = provider_states.read_all()
    except DatabaseTrouble:  # before the first migration there is no such table
        return {"status": "unknown"}
    in_use = [state for state in states if state.provider in provider_order(state.channel).names]
    unusual = {f"{state.channel}.{state.provider}": state.word for state in in_use if state.word != "closed"}
    return {"status": "notice" if unusual else "ok"} | unusual


def missing_migrations() -> list[str]:
    """Migrations of this code that the database lacks, such as gateway.0002_callbacks. A newer schema is fine."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [f"{app}.{name}" for app, name in newest_migrations() if (app, name) not in applied]


@cache
def newest_migrations() -> list[tuple[str, str]]:
    """The last migration of each app; they do not change while a process lives."""
    return sorted(MigrationLoader(None).graph.leaf_nodes())


def _down(detail: str) -> Health:
    return Health(False, {"status": "down", "detail": detail})
