"""Notifications as the API shows them."""

from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import get_script_prefix, reverse

from gateway import explanation, priorities, reasons, statuses
from gateway.decision import promised
from gateway.models import DeliveryAttempt, Notification
from gateway.statuses import Status

#: After so long nothing more is expected from a provider, even where it reports.
SENT_IS_FINAL_AFTER = timedelta(hours=72)
#: How clients know the steps of a timeline, where they have another name for them.
EVENT_TYPES = {"attempt": "sending"} | {status.value: shown for status, shown in statuses.PUBLIC.items()}


def accepted_answer(notification: Notification) -> dict[str, Any]:
    """What the 202 says, from what was stored with the row."""
    first = notification.first_answer
    return {
        "id": notification.pk,
        "request_id": notification.request_id,
        "status": first["status"],
        "reason": first["reason"],
        "available_at": datetime.fromisoformat(first["available_at"]),
        "simulated": notification.is_simulated,
        "warnings": first["warnings"],
        "links": _links(notification.pk, "notification", "notification-status"),
    } | ({"detail": first["detail"]} if "detail" in first else {})


def replayed_answer(notification: Notification, *, now: datetime) -> dict[str, Any]:
    """The first answer unchanged, and where the notification is now."""
    return accepted_answer(notification) | {
        "current": {
            "status": statuses.PUBLIC[Status(notification.status)],
            "reason": public_reason(notification),
            "final": is_final(notification, now=now),
            "available_at": promised(notification.available_at, notification.reason),
        }
    }


def status_answer(notification: Notification, *, now: datetime) -> dict[str, Any]:
    """Where it is, in short. `now` is the database's."""
    return {
        "id": notification.pk,
        "request_id": notification.request_id,
        "status": statuses.PUBLIC[Status(notification.status)],
        "reason": public_reason(notification),
        "detail": detail(notification),
        "final": is_final(notification, now=now),
        "attempt_count": notification.attempt_count,
        "available_at": promised(notification.available_at, notification.reason),
        "updated_at": notification.updated_at,
    }


def notification_answer(notification: Notification, *, now: datetime) -> dict[str, Any]:
    """Everything but variables and content. Template and version must have been fetched with it."""
    return status_answer(notification, now=now) | {
        "batch_id": None,
        "resend_of": None,
        "correlation_id": notification.correlation_id,
        "client": notification.client,
        "notification_type": notification.channel,
        "user_id": notification.user_public_id,
        "user": notification.user_id,
        "template_code": notification.template.code,
        "template_version": notification.template_version.number,
        "locale": notification.locale,
        "priority": notification.priority,
        "priority_name": priorities.lane(notification.priority),
        "category": notification.category_code,
        "simulated": notification.is_simulated,
        "provider": notification.provider or None,
        "complained": notification.complained,
        "possible_duplicate": notification.possible_duplicate,
        "send_at": notification.send_at,
        "expires_at": notification.expires_at,
        "created_at": notification.created_at,
        "sent_at": notification.sent_at,
        "delivered_at": notification.delivered_at,
        "metadata": notification.metadata,
        "links": _links(
            notification.pk, "notification", "notification-status", "notification-attempts", "notification-events"
        ),
    }


def detail(notification: Notification) -> str:
    """The reason in a sentence."""
    if notification.status == Status.CLAIMED:
        return reasons.sentence("waiting", {})
    return explanation.answer(notification).sentence


def public_reason(notification: Notification) -> str:
    """A row being prepared keeps the reason of its last wait; to the outside it is being sent."""
    return "sending" if notification.status == Status.CLAIMED else notification.reason


def is_final(notification: Notification, *, now: datetime) -> bool:
    """Whether the client need not ask again. `sent` is, once nothing more can be expected from the provider."""
    if notification.status == Status.SENT and notification.sent_at is not None:
        return not notification.awaits_news or now - notification.sent_at > SENT_IS_FINAL_AFTER
    return notification.status in statuses.FINAL


def attempt_answer(attempt: DeliveryAttempt) -> dict[str, Any]:
    """One try to hand one message over."""
    return {
        "number": attempt.number,
        "provider": attempt.provider,
        "device_id": attempt.device_id,
        "outcome": attempt.outcome,
        "error_code": attempt.error_code or None,
        "provider_code": attempt.provider_code or None,
        "detail": attempt.detail or None,
        "retry_after": attempt.retry_after,
        "started_at": attempt.started_at,
        "ended_at": attempt.ended_at,
        "duration_ms": attempt.duration_ms,
        "provider_message_id": attempt.provider_message_id or None,
    }


def event_answer(sequence: int, step: explanation.Step) -> dict[str, Any]:
    """One step in the life of a notification; a try is called by the status it brings, a doubt too."""
    return {
        "sequence": sequence,
        "type": EVENT_TYPES.get(step.kind, step.kind),
        "at": step.at,
        "detail": step.sentence,
        "data": step.details,
    }


def _links(pk: UUID, self_name: str, *names: str) -> dict[str, str]:
    links = {"self": _link(self_name, pk)}
    return links | {name.removeprefix("notification-"): _link(name, pk) for name in names}


def _link(name: str, pk: UUID) -> str:
    return _pattern(name, get_script_prefix()).replace(str(NOBODY), str(pk))


#: Stands for any id in the address of a route.
NOBODY = UUID(int=0)


@cache
def _pattern(name: str, prefix: str) -> str:
    """Django looks through all routes for each address; theirs never change while a process lives."""
    return reverse(name, args=[NOBODY])


def reason_answers() -> list[dict[str, Any]]:
    """Every status with each of its reasons, in the language of the request."""
    return [
        {
            "code": code,
            "status": status,
            "word": str(reasons.REASONS[code].word),
            "sentence": reasons.pattern(code),
            "action": str(reasons.REASONS[code].action) or None,
        }
        for status, codes in reasons.BY_STATUS.items()
        for code in codes
    ]
