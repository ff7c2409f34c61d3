"""The default without settings: keeps the mail for the admin's inbox and reports delivery a moment later.

Like a real service it takes responsibility by its own commit, apart from ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.db import DatabaseError, OperationalError
from django.db.models.functions import Now

from channels_email.message import EmailMessage, frame
from channels_email.models import CapturedEmail
from gateway.channel_contract import EventType, Outcome, ProviderNews, SendResult

#: A mail server reports later, not at once; so does this one.
REPORT_AFTER = timedelta(seconds=3)


class CaptureProvider:
    """Implements `gateway.channel_contract.Provider` and `NewsSource`."""

    name = "capture"
    reports_delivery = True

    def connect(self) -> None:
        """There is nothing to open."""

    def send(self, messages: Sequence[EmailMessage]) -> Iterator[SendResult]:
        """Keep all of them in one statement: all or none."""
        rows = [
            CapturedEmail(
                notification_id=message.notification_id,
                to=message.to[:320],
                subject=message.words.subject[:255],
                source=frame(message).message().as_bytes(linesep="\r\n"),  # type: ignore[call-arg]  # Django's own class takes it
            )
            for message in messages
        ]
        try:
            CapturedEmail.objects.bulk_create(rows)
        except DatabaseError as error:
            # A connection lost while committing leaves open whether the rows are there.
            outcome = Outcome.UNKNOWN if isinstance(error, OperationalError) else Outcome.TRANSIENT
            detail = f"The inbox could not keep it: {type(error).__name__}."
            for _ in rows:
                yield SendResult(outcome=outcome, error_code="inbox_away", detail=detail)
            return
        for row in rows:
            yield SendResult(outcome=Outcome.ACCEPTED, provider_message_id=str(row.pk))

    def close(self) -> None:
        """There is nothing to close."""

    def collect_news(self, limit: int) -> list[ProviderNews]:
        """A report of delivery for what was kept a moment ago."""
        kept = CapturedEmail.objects.filter(is_reported=False, captured_at__lte=Now() - REPORT_AFTER)
        return [
            ProviderNews(
                provider=self.name,
                event_id=str(mail.pk),
                notification_id=mail.notification_id,
                type=EventType.DELIVERED,
                occurred_at=mail.captured_at,
                detail=mail.to.rpartition("@")[2].rstrip(">"),
            )
            for mail in kept.only("id", "notification_id", "captured_at", "to").order_by("captured_at")[:limit]
        ]

    def confirm_news(self, news: Iterable[ProviderNews]) -> None:
        """Told once is enough."""
        CapturedEmail.objects.filter(pk__in=[each.event_id for each in news]).update(is_reported=True)
