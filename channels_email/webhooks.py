"""News about mails that services post to us. Anymail reads each service's form; here it becomes ours and is recorded.

Only Anymail's readers of tracking events are used, none of its views: the proof of origin is ours (`views.py`), and all
events of a post are recorded in one go.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.module_loading import import_string

from channels_email.service_events.meaning import code_in
from channels_email.service_events.tables import meanings
from channels_email.webhook_signatures import (
    Check,
    is_signed_by_mailgun,
    is_signed_by_mailtrap,
    is_signed_by_sendgrid,
    is_signed_by_svix,
)
from gateway import tracking
from gateway.channel_contract import EventType, ProviderNews, storable

#: So many pieces of news are recorded in one transaction.
AT_ONCE = 1000
#: Our own Message-ID, which most services repeat: the notification is in it.
_MESSAGE_ID = re.compile(r"\bn-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookService:
    """How a mail service tells its news."""

    #: Anymail's view, as a dotted path: a process never loads the library for a service it does not use.
    reader: str
    #: The setting with the key it signs with, empty for services that do not sign.
    key_setting: str = ""
    is_signed: Check | None = None
    #: The service's own id of an event; without one, type and time tell events apart.
    event_key: Callable[[Any], object] = lambda event: event.event_id


def _mailgun_key(event: Any) -> object:
    """Anymail takes the signature's token, which would make every try a new event."""
    return event.esp_event["event-data"].get("id")


_VIEWS = "anymail.webhooks"
SERVICES: dict[str, WebhookService] = {
    "sendgrid": WebhookService(
        reader=f"{_VIEWS}.sendgrid.SendGridTrackingWebhookView",
        key_setting="SENDGRID_WEBHOOK_PUBLIC_KEY",
        is_signed=is_signed_by_sendgrid,
    ),
    "mailgun": WebhookService(
        reader=f"{_VIEWS}.mailgun.MailgunTrackingWebhookView",
        key_setting="MAILGUN_WEBHOOK_SIGNING_KEY",
        is_signed=is_signed_by_mailgun,
        event_key=_mailgun_key,
    ),
    "resend": WebhookService(
        reader=f"{_VIEWS}.resend.ResendTrackingWebhookView",
        key_setting="RESEND_SIGNING_SECRET",
        is_signed=is_signed_by_svix,
    ),
    "postmark": WebhookService(reader=f"{_VIEWS}.postmark.PostmarkTrackingWebhookView"),
    "amazon_ses": WebhookService(reader=f"{_VIEWS}.amazon_ses.AmazonSESTrackingWebhookView"),
    "brevo": WebhookService(reader=f"{_VIEWS}.brevo.BrevoTrackingWebhookView"),
    "mailjet": WebhookService(reader=f"{_VIEWS}.mailjet.MailjetTrackingWebhookView"),
    "mailtrap": WebhookService(
        reader=f"{_VIEWS}.mailtrap.MailtrapTrackingWebhookView",
        key_setting="MAILTRAP_TRACKING_SECRET",
        is_signed=is_signed_by_mailtrap,
    ),
    "mandrill": WebhookService(reader=f"{_VIEWS}.mandrill.MandrillCombinedWebhookView"),
    "sparkpost": WebhookService(reader=f"{_VIEWS}.sparkpost.SparkPostTrackingWebhookView"),
}


class Unreadable(Exception):
    """The body is not what this service posts."""


def record_post(*, service: str, request: HttpRequest) -> int:
    """Record all news in a post whose origin is proven. Returns how many pieces were new. Raises `Unreadable`."""
    try:
        news = [each for event in _events(service, request) for each in _news_of(service, event)]
    except Exception as error:  # a library reads what a stranger may have sent; nothing of ours is touched yet
        raise Unreadable(type(error).__name__) from error
    return sum(tracking.record_news(news[start : start + AT_ONCE]) for start in range(0, len(news), AT_ONCE))


def _events(service: str, request: HttpRequest) -> Iterable[Any]:
    """What Anymail reads in it."""
    view = import_string(SERVICES[service].reader)
    # Its constructor looks for secrets, warns, and wants a vendor's library; reading needs nothing of that.
    reader = view.__new__(view)
    events: Iterable[Any] = reader.parse_events(request)
    return events


def _news_of(service: str, event: Any) -> Iterator[ProviderNews]:
    notification_id = _notification_of(event)
    if notification_id is None:  # somebody else's mail by the same account
        return
    key = SERVICES[service].event_key(event) or event.timestamp or ""
    for meant in meanings(service, event.event_type, event.esp_event):
        detail = _detail(meant.type, event)
        yield ProviderNews(
            provider=service,
            event_id=_event_id(notification_id, meant.type, str(key)),
            notification_id=notification_id,
            type=meant.type,
            occurred_at=_moment(event.timestamp),
            reason=meant.reason,
            detail=detail,
            code=code_in(detail) if meant.type is EventType.BOUNCED else "",
        )


def _event_id(notification_id: UUID, kind: EventType, key: str) -> str:
    """Unique per notification, type, and the service's id or time; as short whatever a service makes of its ids."""
    return f"{notification_id}:{kind.value}:{hashlib.sha256(key.encode(errors='replace')).hexdigest()[:32]}"


def _notification_of(event: Any) -> UUID | None:
    """By the metadata we sent along, else by our Message-ID."""
    metadata = event.metadata if isinstance(event.metadata, Mapping) else {}
    named = metadata.get("notification_id")
    if not named:
        # SendGrid's is not Anymail's `message_id`; the others repeat it somewhere in the event.
        raw = event.esp_event if isinstance(event.esp_event, Mapping) else {}
        found = _MESSAGE_ID.search(f"{event.message_id} {raw.get('smtp-id', '')}")
        named = found[1] if found else ""
    try:
        return UUID(str(named))
    except ValueError:
        return None


def _moment(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _detail(kind: EventType, event: Any) -> str:
    """The service's words; of a delivery the domain, which its sentence names."""
    if kind is EventType.DELIVERED:
        return storable(str(event.recipient or "").rpartition("@")[2], 253)
    if kind in (EventType.OPENED, EventType.CLICKED, EventType.UNSUBSCRIBED):
        return ""  # links hold what opens them
    return " ".join(str(event.mta_response or event.description or _own_words(event.esp_event)).split())


def _own_words(event: Any) -> str:
    """Of events that Anymail keeps without words."""
    if not isinstance(event, Mapping):
        return ""
    words = event.get("reason")
    return words if isinstance(words, str) else ""


def sns_message(body: bytes) -> Mapping[str, Any]:
    """What Amazon SNS posts around an event. Raises `Unreadable`."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error
    if not isinstance(message, Mapping):
        raise Unreadable("not an object")
    return message
