"""Notifications in the middle of things, and what a consumer, the sweeper and a provider then do to them."""

from datetime import timedelta
from uuid import uuid4

from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from gateway import outbox, statuses, tracking
from gateway.channel_contract import Outcome, ProviderNews, SendResult
from gateway.models import DeliveryAttempt, Notification, NotificationEvent, ProviderEvent
from gateway.outbox import Held, Verdict
from gateway.statuses import Status
from gateway.tracking import AttemptResult, HandOver, Recorded
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory, UserFactory, ago
from users.channels import Channel

TAKEN = SendResult(outcome=Outcome.ACCEPTED, provider_message_id="250-1")
BUSY = SendResult(
    outcome=Outcome.TRANSIENT,
    error_code="greylisted",
    provider_code="451 4.7.1",
    detail="Come back later.",
    retry_after=timedelta(seconds=90),
)
REFUSED = SendResult(outcome=Outcome.PERMANENT, provider_code="550 5.1.1", reason="mailbox_unknown")
CUT_OFF = SendResult(outcome=Outcome.UNKNOWN, error_code="timeout")

SENT = tracking.sent_verdict(change=statuses.SEND, provider="capture")
RETRY = Verdict(
    change=statuses.RETRY, reason="retrying", available=timedelta(minutes=5), uses_attempt=True, event="retrying"
)
GIVEN_UP = Verdict(change=statuses.GIVE_UP, reason="mailbox_unknown", uses_attempt=True)
BOUNCED = Verdict(change=statuses.REFUSE_RECIPIENT, reason="mailbox_unknown", uses_attempt=True)
DOUBTED = tracking.doubt_verdict(statuses.DOUBT, "capture")

#: Answer, what follows from it, and where that leads.
ANSWERS = {
    "taken": (TAKEN, SENT, Status.SENT),
    "busy": (BUSY, RETRY, Status.ACCEPTED),
    "refused": (REFUSED, GIVEN_UP, Status.FAILED),
    "recipient refused": (REFUSED, BOUNCED, Status.BOUNCED),
    "cut off": (CUT_OFF, DOUBTED, Status.UNKNOWN),
}


def claimed_row(**columns):
    return NotificationFactory(status=Status.CLAIMED, **columns)


def mark(row, *devices, token=None, number=1):
    attempts = tuple((uuid7(), device) for device in devices or (None,))
    return HandOver(held=Held(row.pk, token or row.claim_token), number=number, attempts=attempts)


def open_attempts(*marks, reports_delivery=False):
    return tracking.open_attempts(marks, provider="capture", reports_delivery=reports_delivery)


def handed_over(**columns):
    """A notification in the middle of its hand-over, with the attempt that is open."""
    row = NotificationFactory(status=Status.SENDING, tries_used=0, **columns)
    return row, AttemptFactory(notification=row)


def record(row, attempt, answer, verdict):
    """What a consumer that held `row` writes down, now or much later."""
    result = AttemptResult(attempt_id=attempt.pk, result=answer, duration_ms=12)
    held = Held(row.pk, row.claim_token)
    return tracking.record_outcomes([Recorded(held=held, provider="capture", attempts=(result,), verdict=verdict)])


def age(row, **moments):
    Notification.objects.filter(pk=row.pk).update(**{name: ago(**how_long) for name, how_long in moments.items()})


def doubted(**columns):
    """A notification whose consumer has died during the hand-over; the sweeper has noticed."""
    row, attempt = handed_over(**columns)
    age(row, lease_expires_at={"minutes": 10})
    assert tracking.doubt_stalled(limit=10) == 1
    return row, attempt


def sent_again(**columns):
    """One whose doubt was settled by sending it again: its first consumer may still be about to write."""
    row, attempt = doubted(**columns)
    age(row, updated_at={"minutes": 10})
    assert tracking.settle_unknown(limit=10, max_attempts=lambda channel, provider: 8) == 1
    return row, attempt


def news(row, kind, event_id=None, provider="capture", **fields):
    event_id = event_id or uuid4().hex
    return ProviderNews(provider=provider, event_id=event_id, notification_id=row.pk, type=kind, **fields)


def status_of(row):
    return Notification.objects.values_list("status", flat=True).get(pk=row.pk)


def events_of(row):
    return list(row.events.values_list("type", flat=True))


def everything():
    """All that the ledger holds, to see that nothing has changed."""
    models = (Notification, DeliveryAttempt, NotificationEvent, ProviderEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


# --- before the hand-over ---------------------------------------------------------------------------------------------


def some(count, **columns):
    """So many e-mail notifications that are due; of one person and one version, so that they cost little."""
    shared = {"user": UserFactory(), "template_version": PublishedVersionFactory()}
    return NotificationFactory.create_batch(count, **(shared | columns))


def ids_of(rows):
    return [row.pk for row in rows]


def claim(*rows, holder="consumer-1"):
    """What a consumer gets of these e-mails."""
    return outbox.claim(ids_of(rows), channel=Channel.EMAIL, holder=holder)[0]


def held(row):
    """The row as its holder remembers it."""
    return Held(row.pk, row.claim_token)


def may_hand_over(row):
    """Whether the holder of this claim may still hand it over; if so, it has begun to."""
    return row.pk in open_attempts(mark(row))


def end_lease(*rows):
    Notification.objects.filter(pk__in=ids_of(rows)).update(lease_expires_at=ago(seconds=1))


def lies_ahead(row, column, by):
    """Whether a moment of the row is that far ahead, as far as the time a test takes lets one say."""
    margin = timedelta(seconds=25)
    between = {f"{column}__gt": Now() + by - margin, f"{column}__lte": Now() + by}
    return Notification.objects.filter(pk=row.pk, **between).exists()


def events_and_reasons_of(row):
    return list(row.events.values_list("type", "reason"))
