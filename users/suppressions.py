"""Use cases: an address that must not be used any more, and how it may be used again.

A bounce for good and a complaint block an address for everything, also for mandatory categories: the next mail would
only harm whoever sends it. Whoever unsubscribed from all advertising still gets what they need.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import JSONField, OuterRef, Subquery
from django.db.models.functions import JSONObject, Now

from users.audit import note
from users.encryption import blind_index
from users.masking import mask_email
from users.models import Suppression, User
from users.querysets import SuppressionQuerySet

#: Plain addresses of the simulator are everybody's: blocked, they would never bounce again. Tagged ones are like real.
SIMULATOR = "@simulator.test"


class AlreadyLifted(Exception):
    """Somebody else was faster."""


class AlreadyBlocked(Exception):
    """Nothing is sent to this address as it is."""


class NotBlockable(Exception):
    """There is no address, or it is one of the simulator's, which are everybody's."""


def suppress_address(
    *,
    address: str,
    reason: Suppression.Reason,
    evidence: str = "",
    notification_id: UUID | None = None,
    added_by: str = "",
) -> bool:
    """Block an e-mail address. Returns whether anything changed; a block of everything takes the place of a lesser."""
    if not address or is_everybodys(address):
        return False
    is_marketing = reason == Suppression.Reason.UNSUBSCRIBED
    scope = Suppression.Scope.MARKETING if is_marketing else Suppression.Scope.EVERYTHING
    said = {"reason": reason, "scope": scope, "evidence": evidence[:500], "notification_id": notification_id}
    index = blind_index(address)
    fresh = Suppression(address_index=index, masked_address=mask_email(address), added_by=added_by[:200], **said)
    try:
        with transaction.atomic():
            fresh.save(force_insert=True)
    except IntegrityError:
        lesser = Suppression.objects.in_force().filter(address_index=index, scope=Suppression.Scope.MARKETING)
        if is_marketing or not lesser.update(**said, since=Now()):
            return False
    for person in User.objects.with_email(address):
        person.has_changed()
    return True


@transaction.atomic
def block_address_of(*, person: User, who: User | str, why: str, network_address: str = "") -> Suppression:
    """Block a person's address by hand, for everything. Raises `AlreadyBlocked`, `NotBlockable`."""
    address, name = person.email or "", str(who)
    if not suppress_address(address=address, reason=Suppression.Reason.MANUAL, evidence=why, added_by=name):
        raise AlreadyBlocked if Suppression.objects.in_force().of_address(address).exists() else NotBlockable
    suppression = Suppression.objects.in_force().of_address(address).get()
    note(who=who, what="suppression.added", about=suppression, why=why, address=network_address)
    return suppression


@transaction.atomic
def lift_suppression(*, suppression: Suppression, who: User | str, why: str, network_address: str = "") -> None:
    """Use the address again; the next bounce blocks it anew. Raises `AlreadyLifted`."""
    name = str(who)[:200]
    in_force = Suppression.objects.in_force().filter(pk=suppression.pk)
    if not in_force.update(lifted_at=Now(), lifted_by=name, lifted_why=why[:200]):
        raise AlreadyLifted
    for person in User.objects.filter(email_index=suppression.address_index):
        person.has_changed()
    note(
        who=who,
        what="suppression.lifted",
        about=suppression,
        before={"reason": suppression.reason, "since": suppression.since},
        why=why,
        address=network_address,
    )


def is_everybodys(address: str) -> bool:
    """A plain address of the simulator, which is never blocked."""
    return address.lower().endswith(SIMULATOR) and "+" not in address


def erase_from_suppressions(suppressions: SuppressionQuerySet) -> int:
    """Remove the words from which a person could be known; what is blocked stays blocked. Returns how many."""
    return suppressions.update(masked_address="", evidence="")


def suppression_of_person() -> Subquery:
    """For people in a query: `{"reason", "scope", "since"}` of the block on their address, else None. No query more."""
    said = JSONObject(reason="reason", scope="scope", since="since")
    found = Suppression.objects.in_force().filter(address_index=OuterRef("email_index")).values(said=said)
    return Subquery(found[:1], output_field=JSONField())
