"""Use case: note who did what to what. The line is written in the transaction of the act: both happen or neither."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import Model

from users.audit_models import AuditEntry
from users.masking import HIDDEN, mask_text
from users.models import User

#: Of these nothing is told but that they changed.
SECRET_FIELDS = frozenset(
    {"password", "secret", "previous_secret", "token", "token_hash", "key", "key_hash", "variables"}
)
#: A longer text is cut.
LONGEST_VALUE = 500


def note(
    *,
    who: User | str,
    what: str,
    about: Model | str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    why: str = "",
    address: str = "",
) -> AuditEntry:
    """Add a line to the audit log.

    `who` is the account that acted, or words for a key or a command; `what` a word such as `person.erased`; `about` the
    row it was done to, or words. `before` and `after` hold the fields that changed; addresses and secrets in them are
    masked here. `address` is the network address the request came from. Call it inside the transaction of the act.
    """
    kind, about_id, about_name = _about(about)
    return AuditEntry.objects.create(
        who=_name_of(who)[:200],
        who_id=who.pk if isinstance(who, User) else None,
        what=what,
        about_kind=kind,
        about_id=about_id,
        about_name=mask_text(about_name)[:200],
        before=_harmless(before),
        after=_harmless(after),
        why=mask_text(why)[:500],
        address=address[:64],
    )


def _name_of(who: User | str) -> str:
    return mask_text(who) if isinstance(who, str) else str(who)


def _about(about: Model | str) -> tuple[str, str, str]:
    """Of a person only the id is kept: the line outlives their data."""
    if isinstance(about, str):
        return "", "", about
    return about._meta.label_lower, str(about.pk), "" if isinstance(about, User) else str(about)


def _harmless(values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: HIDDEN if name in SECRET_FIELDS else _plain(value) for name, value in (values or {}).items()}


def _plain(value: object) -> Any:
    """What JSON has a form for, masked."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return _harmless({str(name): inner for name, inner in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return mask_text(str(value))[:LONGEST_VALUE]
