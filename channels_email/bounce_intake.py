"""Use case: mails that may be bounces become news about notifications. The same by every way they come in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from channels_email.bounces import Bounce, NoBounce, Why, read_bounce
from channels_email.delivery_reports import Report
from channels_email.mail_bytes import NotAMail, read_mailbox
from gateway import metrics, tracking
from gateway.channel_contract import EventType, ProviderNews
from gateway.models import Notification
from users.channels import Channel

log = structlog.get_logger(__name__)

#: Whose news it is: mails with a return address of ours went by SMTP.
PROVIDER = "smtp"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMail:
    """A mail as it came."""

    content: bytes
    #: Of the envelope; empty where nobody knows it any more.
    recipient: str = ""


def take_in(mail: IncomingMail) -> ProviderNews | NoBounce:
    """Record what it tells; a repeat changes nothing. Database errors are raised, so that the mail can come again."""
    (judged,) = judge([mail])
    if isinstance(judged, ProviderNews):
        tracking.record_news([judged])
    count(judged)
    return judged


def judge(mails: Sequence[IncomingMail]) -> list[ProviderNews | NoBounce]:
    """What each of them tells. Nothing is recorded; one query for all."""
    read = [read_bounce(mail.content, recipient=mail.recipient) for mail in mails]
    addresses = _addresses({each.notification_id for each in read if isinstance(each, Bounce)})
    return [_judged(each, addresses) if isinstance(each, Bounce) else each for each in read]


def count(judged: ProviderNews | NoBounce) -> None:
    """For the metric and the log; no word of the mail."""
    metrics.count_bounce_mail(outcome(judged))
    if isinstance(judged, NoBounce):
        log.info("A mail to the return address is no news.", action="bounce", outcome=outcome(judged))


def outcome(judged: ProviderNews | NoBounce) -> str:
    """What it tells, or why it tells nothing, in one word."""
    return judged.why.value if isinstance(judged, NoBounce) else judged.type.value


def _addresses(ids: set[UUID]) -> dict[UUID, str]:
    """Of the notifications that are kept: the address of their person now."""
    rows = Notification.objects.filter(pk__in=ids, channel=Channel.EMAIL).select_related("user") if ids else ()
    return {row.pk: row.user.email or "" for row in rows}


def _judged(bounce: Bounce, addresses: dict[UUID, str]) -> ProviderNews | NoBounce:
    address = addresses.get(bounce.notification_id)
    if address is None and not bounce.is_sealed:
        return NoBounce(Why.NOT_OURS)
    report, is_theirs = _for(address or "", bounce.reports)
    if report.type is EventType.DELIVERED and not bounce.is_sealed:
        return NoBounce(Why.NOT_OURS, "Only a sealed return address proves a delivery.")
    # What anybody could have written, or is said of an address we never wrote to, blocks nobody.
    is_proven = bounce.is_sealed and is_theirs
    return ProviderNews(
        provider=PROVIDER,
        event_id=_event_id(bounce, report),
        notification_id=bounce.notification_id,
        type=report.type,
        occurred_at=report.occurred_at,
        reason=report.reason if is_proven else "bounced",
        detail=report.detail if is_theirs else f"Passed on to another address: {report.detail}",
        code=report.code,
        is_about_address=is_proven and report.is_about_mailbox,
    )


def _for(address: str, reports: Sequence[Report]) -> tuple[Report, bool]:
    """The report about this address. Without one: the worst news of the addresses it was passed on to."""
    ours = _plain(address)
    for each in reports:
        # A complaint and a report in words may name nobody: the return address has.
        if not each.recipients or ours in map(_plain, each.recipients):
            return each, True
    order = (EventType.BOUNCED, EventType.COMPLAINED, EventType.DEFERRED, EventType.DELIVERED)
    return min(reports, key=lambda each: order.index(each.type)), False


def _plain(address: str) -> str:
    """In small letters, the domain as it travels. Servers change letters; nobody gives two people addresses by that."""
    try:
        return read_mailbox(address.strip()).address.lower()
    except NotAMail:
        return address.strip().lower()


def _event_id(bounce: Bounce, report: Report) -> str:
    """The same for the same mail by whatever way. A delay is told again each day; the end is told once."""
    mark = bounce.mail_id if report.type is EventType.DEFERRED else report.code
    parts = (str(bounce.notification_id), report.type.value, ",".join(sorted(map(_plain, report.recipients))), mark)
    return "mail:" + hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
