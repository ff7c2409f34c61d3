"""From claimed rows to messages: people, wishes, words; for a whole batch at once. Nothing is handed over here."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from gateway import attachments, metrics, priorities, statuses
from gateway.channel_contract import Channel, Message, Order, Outcome, OutgoingFile, Refusal
from gateway.claimed import Claimed
from gateway.database_clock import about_now, in_zone
from gateway.decision import spread_out
from gateway.models import DeliveryAttempt, WaitingFor
from gateway.outbox import Held, Verdict
from templates_app.rendering import EmailWords, RenderedEmail, RenderedPush, RenderingFailed, render_email, render_push
from templates_app.selection import words_of
from templates_app.variables import typed_values
from users.delivery_policy import Allow, DeferUntil, Suppress, decide
from users.recipients import CategoryRules, Recipient, load_categories, load_recipients
from users.unsubscribe import unsubscribe_url_for

log = structlog.stdlib.get_logger(__name__)

#: Attempts with these outcomes settle a device: it gets no second copy and no second chance.
SETTLED = (Outcome.ACCEPTED, Outcome.PERMANENT)


@dataclass(frozen=True, slots=True)
class Ready:
    """A notification with its messages, ready for the hand-over."""

    notification: Claimed
    messages: tuple[Message, ...]
    #: For each of the messages, who may carry it, in order: fixed here, whatever operators change meanwhile.
    carriers: tuple[tuple[str, ...], ...]

    @property
    def held(self) -> Held:
        """Under whose claim it is."""
        return Held(self.notification.pk, self.notification.claim_token)


def prepare(channel: Channel, claimed: Sequence[Claimed]) -> tuple[list[Ready], list[tuple[Held, Verdict]]]:
    """Messages for those that may go out now, verdicts for the others. Consent is asked again: it may have changed."""
    now = about_now()
    recipients = load_recipients({each.user_id for each in claimed}, channel=channel.name)
    categories = load_categories()
    files = attachments.outgoing(claimed)
    settled_devices = _settled_devices([each.pk for each in claimed if each.attempt_count])
    ready: list[Ready] = []
    verdicts: list[tuple[Held, Verdict]] = []
    for notification in claimed:
        try:
            made = _prepare_one(
                channel,
                notification,
                recipients.get(notification.user_id),
                categories[notification.category_code],
                settled_devices.get(notification.pk, frozenset()),
                files.get(notification.pk, ()),
                now,
            )
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # Its lease runs out as if a consumer had died over it; after a few such ends it is set aside.
            log.exception("A notification cannot be prepared.", action="prepare", notification_id=str(notification.pk))
            continue
        if isinstance(made, Verdict):
            verdicts.append((Held(notification.pk, notification.claim_token), made))
        else:
            ready.append(Ready(notification, tuple(made), tuple(channel.carriers(message) for message in made)))
    return ready, verdicts


def _prepare_one(
    channel: Channel,
    notification: Claimed,
    recipient: Recipient | None,
    category: CategoryRules,
    settled_devices: frozenset[UUID],
    files: tuple[OutgoingFile, ...],
    now: datetime,
) -> Sequence[Message] | Verdict:
    if recipient is None:
        return Verdict(change=statuses.SUPPRESS, reason="user_inactive")
    is_critical = notification.priority >= priorities.CRITICAL_FROM
    match decide(recipient, channel=channel.name, category=category, is_critical=is_critical, now=now):
        case Suppress(reason, data):
            return Verdict(change=statuses.SUPPRESS, reason=reason, data=data)
        case DeferUntil(moment, reason, data, spread):
            return _deferred(moment, reason, data, recipient, spread)
        case Allow():
            pass
    try:
        words = _render(notification, category)
    except RenderingFailed as problem:
        version = words_of(notification.template_version_id)
        if not notification.is_simulated:
            metrics.count_render_error(version.template_code)
        data = {"v": str(version.number), "error": str(problem)}
        return Verdict(change=statuses.GIVE_UP_EARLY, reason="template_error", data=data)
    made = channel.build(
        Order(
            notification_id=notification.pk,
            message_id=notification.message_id,
            correlation_id=notification.correlation_id,
            recipient=recipient,
            words=words,
            locale=notification.locale,
            category=category,
            template_code=words_of(notification.template_version_id).template_code,
            files=files,
            settled_devices=settled_devices,
            priority=notification.priority,
            time_to_live=max(timedelta(0), notification.expires_at - now),
            is_simulated=notification.is_simulated,
            earlier_tries=notification.attempt_count,
        )
    )
    if isinstance(made, Refusal):
        return Verdict(change=statuses.SUPPRESS, reason=made.reason, data=made.data)
    return made


def _deferred(moment: datetime, reason: str, data: dict[str, str], recipient: Recipient, spread: timedelta) -> Verdict:
    return Verdict(
        change=statuses.POSTPONE,
        reason=reason,
        data=data | {"t": in_zone(moment, recipient.timezone)},
        waiting_for=WaitingFor.QUIET_HOURS,
        available=spread_out(moment, spread),
    )


def _render(notification: Claimed, category: CategoryRules) -> RenderedEmail | RenderedPush:
    version_id = notification.template_version_id
    version = words_of(version_id)
    words = version.contents[(notification.locale, notification.channel)]
    values = typed_values(version.variables, notification.variables)
    key = (version_id, notification.locale, notification.channel)
    if isinstance(words, EmailWords):
        link = unsubscribe_url_for(category, user_id=notification.user_id, channel=notification.channel)
        values = {"unsubscribe_link": link} | values
        return render_email(words, values, locale=notification.locale, cache_key=key)
    return render_push(words, values, locale=notification.locale, cache_key=key)


def _settled_devices(ids: Collection[UUID]) -> dict[UUID, frozenset[UUID]]:
    """Devices that got a final answer in an earlier try, by notification."""
    if not ids:
        return {}
    attempts = DeliveryAttempt.objects.filter(notification_id__in=ids, outcome__in=SETTLED, device_id__isnull=False)
    found: defaultdict[UUID, set[UUID]] = defaultdict(set)
    for notification_id, device_id in attempts.values_list("notification_id", "device_id"):
        if device_id is not None:
            found[notification_id].add(device_id)
    return {key: frozenset(devices) for key, devices in found.items()}
