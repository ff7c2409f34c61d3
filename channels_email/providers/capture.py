"""The default without settings: keeps the mail for the admin's inbox and reports delivery a moment later.

Like a real service it takes responsibility by its own commit, apart from ours.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from email.utils import parseaddr

from django.db import DatabaseError, OperationalError
from django.db.models.functions import Now

from channels_email.message import CANNOT_BE_MADE, EmailMessage, make_mail, not_made
from channels_email.models import CapturedEmail
from gateway.channel_contract import EventType, Outcome, ProviderNews, SendResult

#: A mail server reports later, not at once; so does this one.
REPORT_AFTER = timedelta(seconds=3)
#: Characters of a recipient the inbox keeps.
TO_LENGTH = 320


class CaptureProvider:
    """Implements `gateway.channel_contract.Provider` and `NewsSource`."""

    name = "capture"
    reports_delivery = True

    def connect(self) -> None:
        """There is nothing to open."""

    def send(self, messages: Sequence[EmailMessage]) -> Iterator[SendResult]:
        """Keep all of them in one statement: all or none; but for those no mail can be made of."""
        made = [_made(message) for message in messages]
        trouble = _keep([each for each in made if isinstance(each, CapturedEmail)])
        for each in made:
            if isinstance(each, SendResult):
                yield each
            else:
                yield trouble or SendResult(outcome=Outcome.ACCEPTED, provider_message_id=str(each.pk))

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


def _made(message: EmailMessage) -> CapturedEmail | SendResult:
    try:
        source = make_mail(message).content
    except CANNOT_BE_MADE as error:
        return not_made(error)
    return CapturedEmail(
        notification_id=message.notification_id,
        # An address is of more use in the inbox than a long name.
        to=message.to if len(message.to) <= TO_LENGTH else parseaddr(message.to)[1],
        subject=message.words.subject[:255],
        source=source,
    )


def _keep(rows: list[CapturedEmail]) -> SendResult | None:
    """None, or what is the same for all of them."""
    try:
        CapturedEmail.objects.bulk_create(rows)
    except DatabaseError as error:
        # A connection lost while committing leaves open whether the rows are there.
        outcome = Outcome.UNKNOWN if isinstance(error, OperationalError) else Outcome.TRANSIENT
        detail = f"The inbox could not keep it: {type(error).__name__}."
        return SendResult(outcome=outcome, error_code="inbox_away", detail=detail)
    return None
