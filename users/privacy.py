"""Use cases: give out all that is kept about a person, and erase it.

Every app that keeps something about people names a `PersonalData` in the setting PERSONAL_DATA; this file finds what is
in `users` by itself: every table with a key to the person.
"""

from collections.abc import Iterator
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from users.audit import note
from users.encrypted_fields import BlindIndexField
from users.models import Suppression, User
from users.suppressions import erase_from_suppressions

#: What serves us only, and says nothing about the person.
LEFT_OUT = frozenset({"password", "token_hash", "is_superuser"})


class PersonalData(Protocol):
    """What an app above this one keeps about people."""

    #: Under which it stands in an export.
    name: str

    def export(self, person: User) -> Any:
        """All of it, in what JSON has a form for."""

    def erase(self, person: User) -> int:
        """Remove it, inside the caller's transaction; returns how many rows that concerned."""


def personal_data() -> Iterator[PersonalData]:
    """Whoever keeps something, in the order of the setting."""
    for path in settings.PERSONAL_DATA:
        yield import_string(path)()


def export_recipient(person: User, *, who: User | str, address: str = "") -> dict[str, Any]:
    """All that is kept about a person, by section. The audit log notes who asked."""
    found: dict[str, Any] = {"exported_at": timezone.now(), "person": _row(person)}
    for relation in person._meta.related_objects:
        model = relation.related_model
        if isinstance(model, str) or model._meta.app_label != "users" or relation.many_to_many:
            continue
        rows = model._base_manager.filter(**{relation.field.name: person}).order_by("pk")
        found[str(model._meta.verbose_name_plural).replace(" ", "_")] = [_row(each) for each in rows]
    for each in personal_data():
        found[each.name] = each.export(person)
    note(who=who, what="person.exported", about=person, address=address)
    return found


@transaction.atomic
def erase_recipient(user_id: UUID, *, who: User | str, why: str = "", address: str = "") -> dict[str, int]:
    """Erase a person: account, wishes, devices, and what every app above keeps. Old notifications keep only the id.

    What waits for them is cancelled. A block of their address stays in force, without its words. Returns how many rows
    each part concerned. Raises `User.DoesNotExist`.
    """
    person = User.objects.select_for_update().get(pk=user_id)
    counts = {each.name: each.erase(person) for each in personal_data()}
    erase_from_suppressions(Suppression.objects.filter(address_index=person.email_index))
    note(who="themselves" if who == person else who, what="person.erased", about=person, why=why, address=address)
    person.delete()
    return counts


def _row(row: models.Model) -> dict[str, Any]:
    """Its columns, but for what only serves us."""
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in LEFT_OUT and not isinstance(field, BlindIndexField)
    }
