"""Use case: send words to somebody who tries them out, at once, in this process. In no statistics, never tried again.

It goes the way of every notification (row, claim, hand-over, record), so that its timeline can be read like any other.
Whatever interrupts it, its time is over before a consumer could take it up.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from uuid_utils.compat import uuid7

from gateway import outbox, statuses, tracking
from gateway.channel_contract import Channel, Message, Order, Outcome, Provider, ProviderAway, Refusal, SendResult
from gateway.claimed import Claimed
from gateway.database_clock import database_now
from gateway.many_rows import insert_new
from gateway.models import Notification
from gateway.outbox import CLAIM_LEASE, Held, Verdict
from gateway.simulation import SIMULATOR, news_after
from templates_app.models import TemplateVersion
from templates_app.rendering import RenderedEmail, RenderedPush
from users.models import ApiKey, User
from users.recipients import Recipient, rules_of

#: Who asks, in lists of notifications.
CLIENT = "admin"
MARK = "[Test] "


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSent:
    """What came of it."""

    notification_id: UUID
    provider: str
    #: None when the channel could not make a message; `detail` is then the reason's code.
    outcome: Outcome | None
    detail: str
    took: timedelta


def send_test(
    *,
    channel: Channel,
    version: TemplateVersion,
    words: RenderedEmail | RenderedPush,
    locale: str,
    recipient: Recipient,
    by: User,
) -> TestSent:
    """Hand `words` to the provider the first message would go to, marked as a test. Not inside a transaction.

    What is to a simulated recipient goes to the simulator, and of a person's devices those of one service get it.
    """
    row = _claimed_row(channel, version, locale, by, holder=f"{CLIENT}:{by.pk}")
    held = Held(row.pk, row.claim_token)
    made = channel.build(
        Order(
            notification_id=row.pk,
            message_id=row.message_id,
            correlation_id=row.correlation_id,
            recipient=recipient,
            words=_marked(words),
            locale=locale,
            category=rules_of(version.template.category),
            template_code=version.template.code,
        )
    )
    if isinstance(made, Refusal):
        outbox.settle([(held, Verdict(change=statuses.SUPPRESS, reason=made.reason, data=made.data))])
        return TestSent(
            notification_id=row.pk,
            provider=channel.provider_names()[0],
            outcome=None,
            detail=made.reason,
            took=timedelta(0),
        )
    # Of a person's devices some may be simulated: no real provider is asked about those.
    meant = [each for each in made if not each.simulated_as] or made
    name = channel.carriers(meant[0])[0]
    provider = channel.load_provider(name)
    try:
        return _hand_over(provider, held, [each for each in meant if channel.carriers(each)[0] == name])
    finally:
        provider.close()


@transaction.atomic
def _claimed_row(channel: Channel, version: TemplateVersion, locale: str, by: User, *, holder: str) -> Claimed:
    """Stored and claimed by one commit: nobody else ever sees it waiting."""
    now = database_now()
    template = version.template
    row = Notification(
        id=uuid7(),
        client=CLIENT,
        mode=ApiKey.Mode.TEST,
        fingerprint="",  # says that it is a test
        channel=channel.name,
        user=by,
        user_public_id=by.external_id or str(by.pk),
        template=template,
        # A draft may be thrown away, and its tests with it: the row names what is live where there is something.
        template_version_id=template.live_version_id or version.pk,
        locale=locale,
        category_code=template.category.code,
        metadata={"test_of_version": str(version.number)},
        is_simulated=True,
        available_at=now,
        expires_at=now + CLAIM_LEASE,
        publish_count=0,
        news_count=1,
        created_at=now,
        updated_at=now,
    )
    insert_new([row])
    [claimed], _ = outbox.claim([row.pk], channel=channel.name, holder=holder)
    return claimed


def _marked(words: RenderedEmail | RenderedPush) -> RenderedEmail | RenderedPush:
    if isinstance(words, RenderedEmail):
        return replace(words, subject=MARK + words.subject)
    return replace(words, title=MARK + words.title)


def _hand_over(provider: Provider, held: Held, made: Sequence[Message]) -> TestSent:
    begun = time.perf_counter()
    attempts = tuple((uuid7(), message.device_id) for message in made)
    try:
        provider.connect()
    except ProviderAway as away:
        outbox.settle([(held, Verdict(change=statuses.EXPIRE, reason="expired"))])
        return _result(held, provider, SendResult(outcome=away.outcome, detail=str(away)), begun)
    hand_over = tracking.HandOver(held=held, number=1, attempts=attempts)
    tracking.open_attempts([hand_over], provider=provider.name, reports_delivery=provider.reports_delivery)
    results = list(provider.send(made))
    best = next((each for each in results if each.outcome is Outcome.ACCEPTED), results[0])
    tracking.record_outcomes(
        [
            tracking.Recorded(
                held=held,
                provider=provider.name,
                attempts=tuple(
                    tracking.AttemptResult(attempt_id=attempt_id, result=result)
                    for (attempt_id, _), result in zip(attempts, results, strict=True)
                ),
                verdict=_verdict(best, provider.name),
            )
        ]
    )
    if provider.name == SIMULATOR:
        tracking.record_news(news_after(made if best.outcome is Outcome.ACCEPTED else []))
    return _result(held, provider, best, begun)


def _verdict(result: SendResult, provider: str) -> Verdict:
    """Sent, in doubt, or over: a test that failed is no dead letter, and nobody tries it again."""
    if result.outcome is Outcome.ACCEPTED:
        return tracking.sent_verdict(change=statuses.SEND, provider=provider)
    if result.outcome is Outcome.UNKNOWN:
        return tracking.doubt_verdict(statuses.DOUBT, provider)
    return Verdict(change=statuses.REFUSE_RECIPIENT, reason="bounced", data={"error": result.detail})


def _result(held: Held, provider: Provider, result: SendResult, begun: float) -> TestSent:
    return TestSent(
        notification_id=held.id,
        provider=provider.name,
        outcome=result.outcome,
        detail=result.detail,
        took=timedelta(seconds=time.perf_counter() - begun),
    )
