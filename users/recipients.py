"""What delivery must know about a person, as a value; loaded for a whole batch at once."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import time
from typing import Any
from uuid import UUID

from django.db.models import FilteredRelation, JSONField, Q, QuerySet, Value

from users import kept_people, shared_cache
from users.channels import Channel
from users.models import Category, Device, User
from users.quiet_hours import EVERY_DAY, QuietWindow
from users.suppressions import suppression_of_person


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTarget:
    """One active device."""

    id: UUID
    provider: str
    kind: str
    platform: str
    token: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRules:
    """What a category lets a person decide."""

    code: str
    name: str
    is_mandatory: bool
    is_marketing: bool
    ignores_quiet_hours: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressedAddress:
    """Why a person's e-mail address must not be used."""

    #: A word of `Suppression.Reason` and of its `Scope`.
    reason: str
    scope: str
    #: The day it was blocked, such as 2026-11-22.
    since: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """A person as delivery sees them."""

    id: UUID
    public_id: str
    name: str
    email: str
    locale: str
    timezone: str
    is_active: bool
    devices: tuple[DeviceTarget, ...] = ()
    #: (channel, category code or None for the whole channel) → wanted.
    switches: dict[tuple[str, str | None], bool] = field(default_factory=dict)
    quiet: QuietWindow | None = None
    #: Looked up for e-mail only.
    suppressed: SuppressedAddress | None = None

    @property
    def display_name(self) -> str:
        """For sentences."""
        return self.name or self.public_id

    def wants(self, channel: str, category: str) -> bool:
        """Their own switches: a channel that is off wins over a category that is on."""
        return self.switches.get((channel, None), True) and self.switches.get((channel, category), True)


#: What is read of a person, of their quiet hours (None throughout without any), and of a switch.
_PERSON = ("pk", "external_id", "name", "email", "locale", "timezone", "is_active")
_QUIET = tuple(f"quiet_hours__{name}" for name in ("is_enabled", "start", "end", "timezone", "days", "channels"))
_SWITCH = ("switch__pk", "switch__category_id", "switch__is_enabled")


def find_recipient(user_id: str, *, channel: str, slot: shared_cache.Slot) -> Recipient | None:
    """The person a client names, perhaps as kept in the shared cache: for what is decided again before it is sent.

    `slot` is what lies under `kept_people.name_of` them.
    """
    if slot.value is not None:
        return _from_kept(slot.value)
    found = read_recipient(user_id, channel=channel)
    # Other ways to write an id, such as in capitals, are left out: nobody would say that those have changed.
    if found is not None and user_id in (found.public_id, str(found.id)):
        shared_cache.keep(slot, _to_keep(found), ttl=kept_people.KEPT_FOR)
    return found


def read_recipient(user_id: str, *, channel: str) -> Recipient | None:
    """The person a client names: by the client's own id first, else by ours. Four queries at most."""
    return find_recipients({user_id}, channel=channel).get(user_id)


def find_recipients(user_ids: Collection[str], *, channel: str) -> dict[str, Recipient]:
    """The people a client names, under the names it gave them; unknown ones are missing. Four queries at most."""
    people = {each.public_id: each for each in _read(User.objects.filter(external_id__in=user_ids), channel)}
    if ours := {name: key for name in user_ids if name not in people and (key := _as_uuid(name))}:
        by_key = {each.id: each for each in _read(User.objects.filter(pk__in=ours.values()), channel)}
        people |= {name: by_key[key] for name, key in ours.items() if key in by_key}
    return people


def _as_uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def load_recipients(user_ids: Collection[UUID], *, channel: str) -> dict[UUID, Recipient]:
    """The people with these ids, with what matters for `channel`. Erased ones are missing. Two queries at most."""
    return {each.id: each for each in _read(User.objects.filter(pk__in=user_ids), channel)}


def _read(people: QuerySet[User], channel: str) -> list[Recipient]:
    """One row per switch of theirs, or one without; devices by a query of their own."""
    switch = FilteredRelation("preferences", condition=Q(preferences__channel=channel))
    blocked = suppression_of_person() if channel == Channel.EMAIL else Value(None, output_field=JSONField())
    rows = people.annotate(switch=switch, blocked=blocked).values_list(*_PERSON, "blocked", *_QUIET, *_SWITCH)
    found: dict[UUID, tuple[Any, ...]] = {}
    switches: defaultdict[UUID, dict[tuple[str, str | None], bool]] = defaultdict(dict)
    for row in rows:
        person, (switch_id, category, is_on) = row[: -len(_SWITCH)], row[-len(_SWITCH) :]
        found[row[0]] = person
        if switch_id is not None:
            switches[row[0]][(channel, category)] = is_on
    devices = _devices(found) if channel == Channel.PUSH and found else {}
    return [_recipient(person, switches.get(pk, {}), devices.get(pk, [])) for pk, person in found.items()]


def _recipient(
    row: tuple[Any, ...], switches: dict[tuple[str, str | None], bool], devices: Sequence[DeviceTarget]
) -> Recipient:
    pk, external_id, name, email, locale, timezone, is_active, blocked, *quiet = row
    return Recipient(
        id=pk,
        public_id=external_id or str(pk),
        name=name,
        email=email or "",
        locale=locale,
        timezone=timezone,
        is_active=is_active,
        devices=tuple(devices),
        switches=switches,
        quiet=_window(quiet, timezone),
        suppressed=blocked and SuppressedAddress(**blocked | {"since": blocked["since"][:10]}),
    )


def load_categories() -> dict[str, CategoryRules]:
    """All categories by code; there are a handful."""
    return {each.code: rules_of(each) for each in Category.objects.all()}


def rules_of(category: Category) -> CategoryRules:
    """What a category lets a person decide."""
    return CategoryRules(
        code=category.code,
        name=category.name,
        is_mandatory=category.is_mandatory,
        is_marketing=category.is_marketing,
        ignores_quiet_hours=category.ignores_quiet_hours,
    )


def _devices(user_ids: Collection[UUID]) -> dict[UUID, list[DeviceTarget]]:
    found: defaultdict[UUID, list[DeviceTarget]] = defaultdict(list)
    for each in Device.objects.active().filter(user_id__in=user_ids).order_by("id"):
        found[each.user_id].append(
            DeviceTarget(
                id=each.pk,
                provider=each.provider,
                kind=each.kind,
                platform=each.platform,
                token=each.token,
                name=each.name,
            )
        )
    return found


def _window(columns: Sequence[Any], persons_zone: str) -> QuietWindow | None:
    is_enabled, start, end, timezone, days, channels = columns
    if not is_enabled:
        return None
    return QuietWindow(
        start=start,
        end=end,
        timezone=timezone or persons_zone,
        days=frozenset(days) or EVERY_DAY,
        channels=frozenset(channels),
    )


def _to_keep(recipient: Recipient) -> dict[str, Any]:
    """What JSON can hold of a recipient."""
    quiet = recipient.quiet
    return {
        **{name: getattr(recipient, name) for name in _PLAIN},
        "devices": [asdict(device) for device in recipient.devices],
        "switches": [[*switch, is_on] for switch, is_on in recipient.switches.items()],
        "suppressed": recipient.suppressed and asdict(recipient.suppressed),
        "quiet": quiet and asdict(quiet) | {"days": sorted(quiet.days), "channels": sorted(quiet.channels)},
    }


#: Fields of a recipient that JSON has a form for.
_PLAIN = ("id", "public_id", "name", "email", "locale", "timezone", "is_active")


def _from_kept(kept: dict[str, Any]) -> Recipient:
    """The other way round. What was kept was sealed: it has the shape we gave it."""
    plain = {name: kept[name] for name in _PLAIN} | {"id": UUID(kept["id"])}
    quiet, suppressed = kept["quiet"], kept.get("suppressed")
    return Recipient(
        **plain,
        suppressed=suppressed and SuppressedAddress(**suppressed),
        devices=tuple(DeviceTarget(**device | {"id": UUID(device["id"])}) for device in kept["devices"]),
        switches={(channel, category): is_on for channel, category, is_on in kept["switches"]},
        quiet=quiet
        and QuietWindow(
            start=time.fromisoformat(quiet["start"]),
            end=time.fromisoformat(quiet["end"]),
            timezone=quiet["timezone"],
            days=frozenset(quiet["days"]),
            channels=frozenset(quiet["channels"]),
        ),
    )
