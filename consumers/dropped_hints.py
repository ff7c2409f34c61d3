"""Hints that led to nothing. Most are second ones, and that is how it should be; the others deserve a line."""

from collections.abc import Collection
from uuid import UUID

import structlog

from gateway.models import Notification

log = structlog.stdlib.get_logger(__name__)


def tell_dropped(ids: Collection[UUID], *, channel: str) -> None:
    """Say how many were of notifications that do not exist, or of another channel's. One query."""
    channels = dict(Notification.objects.filter(pk__in=ids).values_list("pk", "channel"))
    unknown = [each for each in ids if each not in channels]
    strangers = [each for each, known in channels.items() if known != channel]
    if unknown:
        log.warning(
            "Dropped hints of notifications that do not exist.",
            action="drop_hint",
            count=len(unknown),
            notification_id=unknown[0],
        )
    if strangers:
        log.warning(
            "Dropped hints that belong to another channel.",
            action="drop_hint",
            count=len(strangers),
            notification_id=strangers[0],
        )
