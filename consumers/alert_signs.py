"""What operators are told of: each sign looks once and says what is wrong. Nothing is counted in full.

Tests that fail, as a test key or the simulator wants it, are no trouble of anybody's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models.functions import Now

from consumers import news_away
from consumers.models import Alert
from gateway import priorities
from gateway.channel_contract import Outcome
from gateway.database_clock import database_now
from gateway.models import CallbackEndpoint, DeliveryAttempt, Notification, ProviderState
from gateway.provider_order import provider_order
from gateway.reasons import word
from gateway.statuses import Status
from users.channels import Channel
from users.masking import mask_text

#: So many are counted at most; then it is "1000 or more".
COUNTED = 1000
#: Longer than that a message that is due should not wait.
DUE_FOR = timedelta(seconds=60)
#: Longer than that a provider should not be paused.
OPEN_FOR = timedelta(minutes=5)
#: Longer than that a doubt should not be held.
HELD_FOR = timedelta(hours=1)
#: Longer than that a mailbox with bounces should not be away.
AWAY_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something is wrong now."""

    kind: Alert.Kind
    subject: str = ""
    count: int
    #: For people, without personal data.
    sentence: str
    first: UUID | None = None
    #: The newest case, for kinds where each case is news; None for trouble that simply lasts.
    newest_at: datetime | None = None


#: Is told up to when cases of its kind are known; finds nothing when all is well.
Sign = Callable[[datetime | None], Iterable[Finding]]


def dead_letters(told_up_to: datetime | None) -> Iterable[Finding]:
    """Some wait for a decision; those that are new are counted."""
    waiting = Notification.objects.dead_letters().real().order_by("-updated_at")
    new = waiting.filter(updated_at__gt=told_up_to) if told_up_to else waiting
    rows = list(new.values_list("pk", "updated_at", "reason", "template__code")[:COUNTED])
    if rows:
        first, _, reason, template = rows[-1]
        sentence = f"{_counted(len(rows), 'new dead letter')}; the first: {word(reason)} ({template})."
        yield Finding(
            kind=Alert.Kind.DEAD_LETTERS, count=len(rows), sentence=sentence, first=first, newest_at=rows[0][1]
        )
    elif waiting.exists():
        yield Finding(kind=Alert.Kind.DEAD_LETTERS, count=0, sentence="Dead letters wait.", newest_at=told_up_to)


def oldest_due(told_up_to: datetime | None) -> Iterable[Finding]:
    """Messages are due, and nobody comes for them."""
    # Channel and priority are named, so that the index `due` leads straight to the oldest ones.
    due = Notification.objects.due().filter(
        channel__in=Channel.values, priority__in=range(priorities.MOST + 1), available_at__lte=Now() - DUE_FOR
    )
    queued = Notification.objects.filter(
        channel__in=Channel.values, status=Status.QUEUED, published_at__lte=Now() - DUE_FOR
    )
    rows = [row for found in (due, queued) for row in found.values_list("available_at", "pk")[:COUNTED]]
    if rows:
        oldest_at, first = min(rows)
        waited = int((database_now() - oldest_at).total_seconds())
        sentence = f"{_counted(len(rows), 'message')} due for over a minute, one for {waited} s. Do consumers run?"
        yield Finding(kind=Alert.Kind.OLDEST_DUE, count=len(rows), sentence=sentence, first=first)


def doubts(told_up_to: datetime | None) -> Iterable[Finding]:
    """Hand-overs without an answer, which a template says to hold."""
    held = Notification.objects.real().filter(status=Status.UNKNOWN, updated_at__lte=Now() - HELD_FOR)
    rows = list(held.order_by("updated_at").values_list("pk", "provider")[:COUNTED])
    if rows:
        first, provider = rows[0]
        sentence = f"{_counted(len(rows), 'doubt')} held for over an hour, the first at {provider}. Settle them."
        yield Finding(kind=Alert.Kind.DOUBTS, count=len(rows), sentence=sentence, first=first)


def open_breakers(told_up_to: datetime | None) -> Iterable[Finding]:
    """Providers that have been paused for a while; those an operator has forced open are no news."""
    since = Now() - OPEN_FOR
    paused = ProviderState.objects.filter(state=ProviderState.State.OPEN, opened_at__lte=since).order_by("pk")
    for each in paused.exclude(forced=ProviderState.Force.OPEN):
        if each.provider not in provider_order(each.channel).names:
            continue  # switched off
        minutes = int(OPEN_FOR.total_seconds() // 60)
        why = f": {mask_text(each.last_error)}" if each.last_error else "."
        sentence = f"{each.provider} ({each.channel}) has been paused for over {minutes} minutes{why}"
        yield Finding(
            kind=Alert.Kind.BREAKER_OPEN, subject=f"{each.channel} {each.provider}", count=1, sentence=sentence[:300]
        )


def stopped_callbacks(told_up_to: datetime | None) -> Iterable[Finding]:
    """Endpoints of clients that we stopped telling; those a client switched off are no news."""
    stopped = CallbackEndpoint.objects.filter(enabled=False).exclude(disabled_reason="").order_by("pk")
    for each in stopped[:COUNTED]:
        why = each.get_disabled_reason_display()
        sentence = f"An endpoint of {each.client} ({each.mode}) is told nothing any more: {why}. What it is owed waits."
        yield Finding(kind=Alert.Kind.CALLBACKS_STOPPED, subject=str(each.pk), count=1, sentence=sentence[:300])


def refused_credentials(told_up_to: datetime | None) -> Iterable[Finding]:
    """Messages wait because a provider refuses our key, or a device of another sender: only people can mend that."""
    waiting = Notification.objects.real().filter(status=Status.ACCEPTED, reason="provider_auth")
    by_provider: dict[str, list[UUID]] = {}
    for pk, data in waiting.order_by("pk").values_list("pk", "reason_data")[:COUNTED]:
        by_provider.setdefault(str(data.get("provider", "")), []).append(pk)
    firsts = [rows[0] for rows in by_provider.values()]
    refused = DeliveryAttempt.objects.filter(notification__in=firsts, outcome=Outcome.MISCONFIGURED).order_by("pk")
    said = dict(refused.values_list("notification", "detail")) if firsts else {}
    for provider, rows in sorted(by_provider.items()):
        words = f"{_counted(len(rows), 'message')} waiting: {provider} refuses our credentials"
        why = mask_text(said.get(rows[0], ""))
        sentence = f"{words}. {why}" if why else f"{words}."
        yield Finding(
            kind=Alert.Kind.CREDENTIALS_REFUSED,
            subject=provider,
            count=len(rows),
            sentence=sentence[:300],
            first=rows[0],
        )


def unread_bounces(told_up_to: datetime | None) -> Iterable[Finding]:
    """Mailboxes that this process has not been able to read for a while."""
    for name, trouble in sorted(news_away.lasting(AWAY_FOR).items()):
        minutes = int(AWAY_FOR.total_seconds() // 60)
        sentence = f"Mails that came back have not been read for over {minutes} minutes. {mask_text(trouble)}"
        yield Finding(kind=Alert.Kind.NEWS_AWAY, subject=name, count=1, sentence=sentence[:300])


def _counted(count: int, noun: str) -> str:
    """`1 doubt`, `1000 or more doubts`."""
    return f"1 {noun}" if count == 1 else f"{count}{' or more' if count >= COUNTED else ''} {noun}s"


SIGNS: dict[Alert.Kind, Sign] = {
    Alert.Kind.DEAD_LETTERS: dead_letters,
    Alert.Kind.OLDEST_DUE: oldest_due,
    Alert.Kind.BREAKER_OPEN: open_breakers,
    Alert.Kind.DOUBTS: doubts,
    Alert.Kind.CALLBACKS_STOPPED: stopped_callbacks,
    Alert.Kind.CREDENTIALS_REFUSED: refused_credentials,
    Alert.Kind.NEWS_AWAY: unread_bounces,
}
