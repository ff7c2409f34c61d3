"""Each function that changes a status, from each of the twelve statuses: it moves the row exactly as the table says.

The rows are as tempting as they can be: whatever their status, they carry the caller's token, a lease and moments that
satisfy every other guard. Only the status, or a wrong token, may keep the function away.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from gateway import outbox, replaying, statuses, tracking
from gateway.channel_contract import EventType, Outcome, ProviderNews, SendResult
from gateway.models import Notification
from gateway.outbox import Held, Verdict
from gateway.statuses import Change, Status
from gateway.tracking import AttemptResult, HandOver, Recorded
from templates_app.models import OnUnknown, Template
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory, ago, ahead

pytestmark = pytest.mark.django_db

OVER = {"lease_expires_at": lambda: ago(minutes=10)}
LEASED = {"lease_expires_at": lambda: ahead(minutes=10)}
LATE = {"expires_at": lambda: ago(seconds=1)}
LONG_AGO = {"updated_at": lambda: ago(days=30)}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way to ask for a change."""

    changes: tuple[Change, ...]
    ask: Callable[[Notification, UUID], Any]
    #: Where the row ends; usually where the change does.
    target: Status | None = None
    #: Columns that satisfy the other guards.
    row: dict[str, Any] = field(default_factory=lambda: LEASED)
    rule: OnUnknown = OnUnknown.RESEND
    #: Whether the caller names the token it holds.
    is_holder: bool = False

    @property
    def sources(self) -> frozenset[Status]:
        return frozenset().union(*(change.sources for change in self.changes))

    @property
    def end(self) -> Status:
        return self.target or self.changes[0].target


def settled(change):
    """By a verdict: what a consumer concludes before the hand-over, and what the relay and its sweeper do."""
    verdict = Verdict(change=change, reason="waiting", available=timedelta(0))
    return lambda row, token: outbox.settle([(Held(row.pk, token), verdict)])


def claimed(row, token):
    return outbox.claim([row.pk], channel=row.channel, holder="consumer-2")


def handed_over(row, token):
    mark = HandOver(held=Held(row.pk, token), number=1, attempts=((uuid4(), None),))
    return tracking.open_attempts([mark], provider="capture", reports_delivery=False)


def recorded(change, outcome):
    """By the record of a provider's answer."""

    def ask(row, token):
        attempt = AttemptFactory(notification=row)
        answer = AttemptResult(attempt_id=attempt.pk, result=SendResult(outcome=outcome))
        verdict = Verdict(change=change, reason="waiting", available=timedelta(0))
        return tracking.record_outcomes(
            [Recorded(held=Held(row.pk, token), provider="capture", attempts=(answer,), verdict=verdict)]
        )

    return ask


def told(kind):
    """By later news from the provider."""

    def ask(row, token):
        return tracking.record_news(
            [ProviderNews(provider="capture", event_id=uuid4().hex, notification_id=row.pk, type=kind)]
        )

    return ask


def cancelled(row, token):
    with suppress(outbox.AlreadyLeft):
        outbox.cancel(row.pk, who="Ann")


def doubts_settled(row, token):
    return tracking.settle_unknown(limit=10, max_attempts=lambda channel, provider: 8)


def settled_by_hand(arrived):
    return lambda row, token: tracking.settle_by_hand(row.pk, who="Ann", arrived=arrived)


CASES = {
    "queue": Case(changes=(statuses.QUEUE,), ask=settled(statuses.QUEUE)),
    "reopen": Case(changes=(statuses.REOPEN,), ask=settled(statuses.REOPEN)),
    "claim or steal": Case(changes=(statuses.CLAIM, statuses.STEAL), ask=claimed, row=OVER),
    "release": Case(
        changes=(statuses.RELEASE,), ask=lambda row, token: outbox.release([Held(row.pk, token)]), is_holder=True
    ),
    "postpone": Case(changes=(statuses.POSTPONE,), ask=settled(statuses.POSTPONE), is_holder=True),
    "suppress": Case(changes=(statuses.SUPPRESS,), ask=settled(statuses.SUPPRESS), is_holder=True),
    "give up early": Case(changes=(statuses.GIVE_UP_EARLY,), ask=settled(statuses.GIVE_UP_EARLY), is_holder=True),
    "a consumer expires": Case(changes=(statuses.EXPIRE,), ask=settled(statuses.EXPIRE)),
    "release stalled": Case(
        changes=(statuses.RELEASE_STALLED,), ask=lambda row, token: outbox.release_stalled(limit=10), row=OVER
    ),
    "release whoever holds": Case(
        changes=(statuses.RELEASE_STALLED,),
        ask=lambda row, token: outbox.release_stalled(limit=10, whoever_holds=True),
    ),
    "set aside": Case(
        changes=(statuses.SET_ASIDE,),
        ask=lambda row, token: outbox.release_stalled(limit=10),
        row=OVER | {"crash_count": lambda: 4},
    ),
    "expire overdue": Case(
        changes=(statuses.EXPIRE,), ask=lambda row, token: outbox.expire_overdue(limit=10), row=LEASED | LATE
    ),
    "cancel": Case(changes=(statuses.CANCEL,), ask=cancelled),
    "hand over": Case(changes=(statuses.HAND_OVER,), ask=handed_over, is_holder=True),
    # An acceptance that comes late still settles a doubt.
    "send": Case(
        changes=(statuses.SEND, statuses.PROVE_SENT), ask=recorded(statuses.SEND, Outcome.ACCEPTED), is_holder=True
    ),
    "retry": Case(changes=(statuses.RETRY,), ask=recorded(statuses.RETRY, Outcome.TRANSIENT), is_holder=True),
    "give up": Case(changes=(statuses.GIVE_UP,), ask=recorded(statuses.GIVE_UP, Outcome.PERMANENT), is_holder=True),
    "refuse recipient": Case(
        changes=(statuses.REFUSE_RECIPIENT,),
        ask=recorded(statuses.REFUSE_RECIPIENT, Outcome.PERMANENT),
        is_holder=True,
    ),
    "doubt": Case(changes=(statuses.DOUBT,), ask=recorded(statuses.DOUBT, Outcome.UNKNOWN), is_holder=True),
    "doubt stalled": Case(
        changes=(statuses.DOUBT_STALLED,), ask=lambda row, token: tracking.doubt_stalled(limit=10), row=OVER
    ),
    "doubt whoever holds": Case(
        changes=(statuses.DOUBT_STALLED,),
        ask=lambda row, token: tracking.doubt_stalled(limit=10, whoever_holds=True),
    ),
    "resend unknown": Case(changes=(statuses.RESEND_UNKNOWN,), ask=doubts_settled, row=LEASED | LONG_AGO),
    "give up what was held": Case(
        changes=(statuses.GIVE_UP_UNKNOWN,), ask=doubts_settled, row=LEASED | LONG_AGO, rule=OnUnknown.HOLD
    ),
    "give up what is used up": Case(
        changes=(statuses.GIVE_UP_UNKNOWN,), ask=doubts_settled, row=LEASED | LONG_AGO | {"tries_used": lambda: 8}
    ),
    "settle by hand: arrived": Case(changes=(statuses.PROVE_SENT,), ask=settled_by_hand(True)),
    "settle by hand: given up": Case(changes=(statuses.GIVE_UP_UNKNOWN,), ask=settled_by_hand(False)),
    # Delivered or bounced proves a doubt sent first.
    "news: delivered": Case(
        changes=(statuses.CONFIRM, statuses.PROVE_SENT), ask=told(EventType.DELIVERED), target=Status.DELIVERED
    ),
    "news: bounced": Case(
        changes=(statuses.BOUNCE, statuses.PROVE_SENT), ask=told(EventType.BOUNCED), target=Status.BOUNCED
    ),
    "news: opened": Case(changes=(), ask=told(EventType.OPENED), target=Status.SENT),
    "replay": Case(
        changes=(statuses.REPLAY,), ask=lambda row, token: replaying.replay([row.pk], who="Ann", why="mended")
    ),
}


def tempting_row(case, status, token):
    version = PublishedVersionFactory()
    Template.objects.filter(pk=version.template.pk).update(on_unknown=case.rule)
    columns = {name: value() for name, value in case.row.items()}
    return NotificationFactory(template_version=version, status=status, claim_token=token, **columns)


def columns_of(row):
    return Notification.objects.filter(pk=row.pk).values().get()


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_change_happens_exactly_from_the_statuses_of_the_table(case, status):
    token = uuid4()
    row = tempting_row(case, status, token)
    before = columns_of(row)

    case.ask(row, token)

    after = columns_of(row)
    if status in case.sources:
        assert after["status"] == case.end
        assert after != before
    else:
        assert after == before


WITH_TOKEN = {
    f"{name} from {status}": (case, status)
    for name, case in CASES.items()
    if case.is_holder
    for status in sorted(case.sources)
}


@pytest.mark.parametrize("token", [UUID(int=1), None], ids=["an old token", "no token"])
@pytest.mark.parametrize(("case", "status"), WITH_TOKEN.values(), ids=WITH_TOKEN)
def test_a_holder_without_the_token_of_the_row_changes_nothing(case, status, token):
    row = tempting_row(case, status, uuid4())
    before = columns_of(row)

    case.ask(row, token)

    assert columns_of(row) == before


LEAVES_HANDS = {
    f"{name} from {status}": (case, status)
    for name, case in CASES.items()
    for status in sorted(case.sources & (statuses.HELD | {Status.UNKNOWN}))
    if case.end not in statuses.HELD | {Status.UNKNOWN}
}


@pytest.mark.parametrize(("case", "status"), LEAVES_HANDS.values(), ids=LEAVES_HANDS)
def test_what_leaves_the_hands_of_a_holder_carries_no_token_and_no_lease(case, status):
    token = uuid4()
    row = tempting_row(case, status, token)

    case.ask(row, token)

    after = columns_of(row)
    assert (after["status"], after["claim_token"], after["lease_expires_at"]) == (case.end, None, None)


def test_every_change_of_the_table_is_asked_for_here():
    assert {change for case in CASES.values() for change in case.changes} == set(statuses.CHANGES)


def test_every_change_under_a_token_is_tried_with_an_old_one():
    assert {change for case in CASES.values() if case.is_holder for change in case.changes} >= {
        change for change in statuses.CHANGES if change.needs_token
    }
