"""Use case: accept a request exactly once. One INSERT; the answer is given after its commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from uuid_utils.compat import uuid7

from gateway import callbacks, metrics, reasons
from gateway.attachment_models import StoredFile
from gateway.attachments import attach, files_for, named_uploads, uploads_stay
from gateway.database_clock import about_now
from gateway.decision import Decision, DecisionRefused, decide_request
from gateway.due_signal import announce_due
from gateway.failpoints import failpoint
from gateway.idempotency import earlier, fingerprint, name_of, remember, remembered, same_request
from gateway.many_rows import insert_new
from gateway.models import Notification
from gateway.request import NotificationRequest
from gateway.simulation import is_simulated
from gateway.statuses import Status
from templates_app import usage
from templates_app.selection import SelectionRefused
from users import kept_people
from users.models import ApiKey
from users.recipients import Recipient, find_recipient
from users.shared_cache import look_up_all

#: How far ahead something may be scheduled.
SCHEDULE_AHEAD = timedelta(days=90)
#: A moment so little in the past still means "now": clocks differ.
PAST_GRACE = timedelta(seconds=60)


class MomentsRefused(DecisionRefused):
    """`send_at` or `expires_at` cannot be met; `findings` holds (field, code, detail) of each."""

    def __init__(self, findings: list[tuple[str, str, str]]) -> None:
        super().__init__("; ".join(detail for _, _, detail in findings))
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What was made of a request, now or earlier."""

    notification: Notification
    was_replayed: bool


def submit_notification(request: NotificationRequest, *, client: str, mode: str, correlation_id: str = "") -> Submitted:
    """Accept a request, or repeat the answer it got before.

    Raises `RequestIdReused`, `MomentsRefused`, and what `decide_request` raises; then nothing was stored.
    """
    person, before = look_up_all(
        [kept_people.name_of(request.user_id, request.channel), name_of(client, mode, request.request_id)]
    )
    recipient = find_recipient(request.user_id, channel=request.channel, slot=person)
    if known := remembered(client, mode, request.request_id, slot=before):
        return _replayed(known, request, recipient)
    now = about_now()
    try:
        check_moments(request, now)
        decision = decide_request(request, recipient=recipient, now=now)
        files = _files(request, client=client, mode=mode) if request.attachments else []
    except (DecisionRefused, SelectionRefused):
        # A known request id is judged before all that may be wrong by now.
        if known := earlier(client, mode, request.request_id):
            return _replayed(known, request, recipient)
        raise
    notification = new_row(request, decision, now=now, client=client, mode=mode, correlation_id=correlation_id)
    failpoint("submission.judged")
    if not _store(notification, request, files):
        # Only the constraint knows for sure; new requests, nearly all, need no look-up.
        if known := earlier(client, mode, request.request_id):
            return _replayed(known, request, recipient)
        raise IntegrityError("A notification was not stored, and no other has its request id.")
    failpoint("submission.committed")
    if not notification.is_simulated:
        metrics.count_submitted(notification.channel, notification.status)
    remember(notification)
    tell_use(notification, request)
    if is_due_at_once(notification):
        announce_due()
    return Submitted(notification=notification, was_replayed=False)


def _store(notification: Notification, request: NotificationRequest, files: Sequence[StoredFile]) -> bool:
    """False when its request id is taken; whoever is second waits for the first one's commit."""
    news = f"notification.{notification.status}"
    if not files and not callbacks.somebody_wants(news):
        return notification.pk in insert_new([notification])  # one statement, which commits itself
    with uploads_stay(files), transaction.atomic():
        is_new = notification.pk in insert_new([notification])
        if is_new:
            callbacks.owe([(notification.pk, news)])
            attach([(notification.pk, request.attachments, files)])
        failpoint("submission.inserted")
    return is_new


def _files(request: NotificationRequest, *, client: str, mode: str) -> list[StoredFile]:
    kept = named_uploads(request.attachments, client=client, mode=mode)
    return files_for(request.attachments, kept, client=client, mode=mode)


def tell_use(notification: Notification, request: NotificationRequest) -> None:
    """Which variables this client sends is counted, so that nobody breaks it by publishing."""
    usage.tell_use(
        template_id=notification.template_id,
        version_id=notification.template_version_id,
        client=notification.client,
        names=[name for name, value in request.variables.items() if value is not None],
    )


def _replayed(known: Notification, request: NotificationRequest, recipient: Recipient | None) -> Submitted:
    user_id = recipient.id if recipient else None
    notification = same_request(known, request, user_id=user_id)
    metrics.count_replay()
    return Submitted(notification=notification, was_replayed=True)


def is_due_at_once(notification: Notification) -> bool:
    """Whether a new notification waits for nothing but a consumer."""
    return notification.status == Status.ACCEPTED and not notification.waiting_for


def check_moments(request: NotificationRequest, now: datetime) -> None:
    """Raises `MomentsRefused` when `send_at` or `expires_at` cannot be met."""
    findings = []
    if request.send_at is not None and request.send_at < now - PAST_GRACE:
        findings.append(("send_at", "in_the_past", "This moment is in the past. Leave it out to send at once."))
    if request.send_at is not None and request.send_at > now + SCHEDULE_AHEAD:
        findings.append(("send_at", "out_of_range", "This is more than 90 days ahead."))
    if request.expires_at is not None and request.expires_at <= max(request.send_at or now, now):
        findings.append(("expires_at", "in_the_past", "This must be after now and after send_at."))
    if findings:
        raise MomentsRefused(findings)


def new_row(
    request: NotificationRequest, decision: Decision, *, now: datetime, client: str, mode: str, correlation_id: str
) -> Notification:
    """The notification a request becomes, not yet stored. `now` is the database's."""
    first_answer = {
        "status": decision.status.value,
        "reason": decision.reason,
        "available_at": decision.available_at.isoformat(),
        "warnings": list(decision.warnings),
    }
    if decision.reason != "waiting":  # that one can always be said again
        said = decision.data | {"channel": reasons.CHANNELS[request.channel]}
        first_answer["detail"] = reasons.sentence(decision.reason, said)
    return Notification(
        id=uuid7(),
        client=client,
        mode=mode,
        request_id=request.request_id,
        fingerprint=fingerprint(request),
        correlation_id=correlation_id,
        channel=request.channel,
        user_id=decision.recipient.id,
        user_public_id=decision.recipient.public_id,
        template=decision.chosen.template,
        template_version_id=decision.chosen.words.version_id,
        locale=decision.locale,
        category_code=decision.chosen.template.category.code,
        variables=decision.variables,
        has_sensitive=any(
            each.sensitive and each.name in decision.variables for each in decision.chosen.words.variables
        ),
        attachment_count=len(request.attachments),
        metadata=request.metadata,
        priority=request.priority,
        send_at=request.send_at,
        is_simulated=mode == ApiKey.Mode.TEST or is_simulated(decision.recipient, channel=request.channel),
        first_answer=first_answer,
        status=decision.status,
        reason=decision.reason,
        reason_data=decision.data,
        waiting_for=decision.waiting_for,
        available_at=decision.due_at,
        expires_at=decision.expires_at,
        # Values, not the defaults of the database: nothing has to be read back for the answer.
        publish_count=0,
        news_count=1,
        created_at=now,
        updated_at=now,
    )
