"""A line per notification that did not simply go out, so that the logs tell its story by its correlation id.

What was sent is a line at level DEBUG only: there are a thousand a second, and the table knows them all.
"""

import logging
from collections.abc import Callable
from typing import Any

import structlog

from gateway import statuses
from gateway.claimed import Claimed
from gateway.outbox import Verdict
from gateway.statuses import Change

log = structlog.stdlib.get_logger(__name__)
#: Asks for less than a line that is dropped in the end.
_level = logging.getLogger(__name__)

#: By what the change means; anything else waits or is not to be sent.
_SAID = {
    statuses.SEND: "Sent.",
    statuses.RETRY: "Not taken; it is tried again.",
    statuses.DOUBT: "It may or may not have gone out.",
    statuses.GIVE_UP: "Given up.",
    statuses.GIVE_UP_EARLY: "Given up.",
    statuses.SUPPRESS: "Not sent.",
}
#: What somebody has to look at.
_TROUBLE = frozenset({statuses.DOUBT, statuses.GIVE_UP, statuses.GIVE_UP_EARLY})


def tell(notification: Claimed, verdict: Verdict, *, provider_code: str = "") -> None:
    """What became of a notification; ids, names and codes, never words of a provider that may hold an address."""
    if verdict.change is statuses.SEND and not _level.isEnabledFor(logging.DEBUG):
        return
    said = {
        "notification_id": str(notification.pk),
        "correlation_id": notification.correlation_id,
        "channel": notification.channel,
        "reason": verdict.reason,
        "provider": verdict.data.get("provider", ""),
        "code": provider_code,
    }
    _write(verdict.change)(
        _SAID.get(verdict.change, "It waits."),
        action="deliver",
        **{name: value for name, value in said.items() if value},
    )


def _write(change: Change) -> Callable[..., Any]:
    if change is statuses.SEND:
        return log.debug
    return log.warning if change in _TROUBLE else log.info
