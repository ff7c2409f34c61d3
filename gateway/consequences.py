"""What answers and news mean beyond their notification.

A dead device is switched off, a dead address blocked, and what somebody complains about or unsubscribes from is
turned off for them.
"""

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Min, Q
from django.db.models.functions import Coalesce, Now

from gateway.channel_contract import EventType, Outcome, ProviderNews, SendResult
from gateway.models import DeliveryAttempt, Notification
from gateway.outbox import CLAIM_LEASE
from gateway.provider_answers import TOKEN_GONE
from gateway.querysets import NotificationQuerySet
from gateway.statuses import Status
from users.channels import Channel
from users.devices import UNREGISTERED, note_successes, retire_devices
from users.models import Suppression, User
from users.preferences import CategoryLocked, Origin, UnknownCategory, Wish, change_preferences
from users.suppressions import is_everybodys, suppress_address

#: The reason that names the mailbox as gone, as `TOKEN_GONE` names the device; others are about the message.
MAILBOX_GONE = "mailbox_unknown"
#: A service that sends nothing more to an address, because of what came of earlier mails, proves the same.
BLOCKED_THERE = "address_suppressed"
NO_MORE_MAIL = frozenset({MAILBOX_GONE, BLOCKED_THERE})
#: Of mails that came back for now. What was refused for its words says nothing about the mailbox.
SOFT = frozenset({"mailbox_full", "bounced"})
#: The person wants no more of it.
UNWANTED = frozenset({EventType.COMPLAINED, EventType.UNSUBSCRIBED})
#: So many mails that came back within this time block an address as one bounce for good does.
MOST_SOFT, SOFT_WINDOW = 5, timedelta(days=14)
#: With a bounce that proves nothing of the address; such bounces are not counted either.
NOT_CONCERNED = "not concerned"
#: Notification → why its address is blocked, and the words that prove it.
Proofs = Mapping[UUID, tuple[Suppression.Reason, str]]


def follow_answers(answers: Iterable[tuple[UUID, SendResult]]) -> None:
    """(attempt id, answer). No statement unless an answer is final bad news about the device or address itself."""
    refused = {attempt_id: result for attempt_id, result in answers if result.outcome is Outcome.PERMANENT}
    gone = {pk: result for pk, result in refused.items() if result.reason in (TOKEN_GONE, *NO_MORE_MAIL)}
    if not gone:
        return
    attempts = DeliveryAttempt.objects.filter(pk__in=gone).values_list("pk", "device_id", "notification_id")
    rows = [(device_id, notification_id, gone[pk]) for pk, device_id, notification_id in attempts]
    retire_devices(
        [device for device, _, result in rows if device and result.reason == TOKEN_GONE], reason=UNREGISTERED
    )
    _block(
        {
            pk: (Suppression.Reason.HARD_BOUNCE, f"{result.provider_code} {result.detail}".strip())
            for _, pk, result in rows
            if result.reason in NO_MORE_MAIL
        }
    )


def follow_successes(attempt_ids: Collection[UUID]) -> None:
    """Pushes were taken for the devices of these attempts."""
    accepted = DeliveryAttempt.objects.filter(pk__in=attempt_ids, device_id__isnull=False)
    note_successes(accepted.values("device_id"))


def follow_news(news: Iterable[ProviderNews]) -> None:
    """A bounce for good and a complaint block the address at once; bounces for now when there are `MOST_SOFT`.

    Who complains or unsubscribes gets no more mails of that category, were the address ever used again.
    """
    proofs: dict[UUID, tuple[Suppression.Reason, str]] = {}
    soft: dict[UUID, str] = {}
    unwanted: dict[UUID, str] = {}
    for each in news:
        if not each.is_about_address:
            continue
        if each.type in UNWANTED:
            unwanted[each.notification_id] = each.provider
        if each.type is EventType.COMPLAINED:
            proofs[each.notification_id] = (Suppression.Reason.COMPLAINT, each.detail)
        elif each.type is EventType.BOUNCED and each.reason == MAILBOX_GONE:
            proofs.setdefault(each.notification_id, (Suppression.Reason.HARD_BOUNCE, each.detail))
        elif each.type is EventType.BOUNCED and each.reason in SOFT:
            soft[each.notification_id] = each.detail
    _block(proofs)
    _block_where_too_often(soft)
    _unsubscribe(unwanted)


def _block(proofs: Proofs) -> None:
    """The addresses of these notifications. Two statements, and a few for each address: they are rare."""
    if not proofs:
        return
    for pk, person in _at_present_address(Notification.objects.filter(pk__in=proofs)):
        reason, evidence = proofs[pk]
        suppress_address(address=person.email or "", reason=reason, evidence=evidence, notification_id=pk)


def _block_where_too_often(soft: Mapping[UUID, str]) -> None:
    """Notification → words of its bounce. Two statements more."""
    if not soft:
        return
    told = _at_present_address(Notification.objects.filter(pk__in=soft))
    newest = {person: pk for pk, person in told if not is_everybodys(person.email or "")}
    if not newest:
        return
    lately = Q(user__in=newest, status=Status.BOUNCED, reason__in=SOFT, updated_at__gt=Now() - SOFT_WINDOW)
    lately &= ~Q(pk__in=Notification.objects.filter(user__in=newest, reason_data__address=NOT_CONCERNED))
    # Those just told may have overtaken our own record of their hand-over.
    came_back = _at_present_address(Notification.objects.filter(lately | Q(pk__in=soft)))
    for person, count in Counter(person for _, person in came_back).items():
        if count >= MOST_SOFT:
            suppress_address(
                address=person.email or "",
                reason=Suppression.Reason.HARD_BOUNCE,
                evidence=f"{count} mails came back in {SOFT_WINDOW.days} days. {soft[newest[person]]}".strip(),
                notification_id=newest[person],
            )


def _unsubscribe(unwanted: Mapping[UUID, str]) -> None:
    """Notification → who told us. Three statements, and a few for each person: they are rare."""
    if not unwanted:
        return
    told = _at_present_address(Notification.objects.filter(pk__in=unwanted))
    categories = dict(Notification.objects.filter(pk__in=unwanted).values_list("pk", "category_code"))
    for pk, person in told:
        if is_everybodys(person.email or ""):
            continue
        wish = Wish(channels={}, categories={categories[pk]: {Channel.EMAIL.value: False}})
        # Mandatory mails cannot be turned off; whoever complains of one has their address blocked.
        with contextlib.suppress(CategoryLocked, UnknownCategory):
            change_preferences(user=person, wish=wish, origin=Origin(by="provider", source=unwanted[pk]))


def _at_present_address(notifications: NotificationQuerySet) -> list[tuple[UUID, User]]:
    """The mails among them that went to the address their person has now. Two statements.

    Neither to somebody erased since, nor to the address they had before, nor as a test to wherever its sender wished.
    """
    mails = notifications.asked_for().filter(channel=Channel.EMAIL)
    handed_over = Coalesce(Min("attempts__started_at"), F("created_at"))
    rows = list(mails.annotate(handed_over=handed_over).values_list("pk", "user_id", "handed_over"))
    people = User.objects.in_bulk({user_id for _, user_id, _ in rows})
    return [(pk, people[user_id]) for pk, user_id, at in rows if user_id in people and _had_it(people[user_id], at)]


def _had_it(person: User, at: datetime) -> bool:
    """Whether a message that was handed over then went to their present address: it was looked up under the lease."""
    changed = person.address_changed_at
    return changed is None or changed < at - CLAIM_LEASE
