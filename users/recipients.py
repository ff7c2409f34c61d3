"""What delivery must know about a person, as a value; loaded for a whole batch at once."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import time
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from users import kept_people, shared_cache
from users.channels import Channel
from users.models import Category, Device, Preference, QuietHours, User
from users.quiet_hours import EVERY_DAY, QuietWindow


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

    @property
    def display_name(self) -> str:
        """For sentences."""
        return self.name or self.public_id

    def wants(self, channel: str, category: str) -> bool:
        """Their own switches: a channel that is off wins over a category that is on."""
        return self.switches.get((channel, None), True) and self.switches.get((channel, category), True)


#: What is read of a person; reading less is faster than reading all.
_COLUMNS = ("external_id", "name", "email", "locale", "timezone", "is_active", "quiet_hours")


def find_recipient(user_id: str, *, channel: str) -> Recipient | None:
    """The person a client names, perhaps as kept in the shared cache: for what is decided again before it is sent."""
    slot = shared_cache.look_up(kept_people.name_of(user_id, channel))
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
    people = {str(each.external_id): each for each in _people().filter(external_id__in=user_ids)}
    if ours := {name: key for name in user_ids if name not in people and (key := _as_uuid(name))}:
        by_key = {each.pk: each for each in _people().filter(pk__in=ours.values())}
        people |= {name: by_key[key] for name, key in ours.items() if key in by_key}
    recipients = {each.id: each for each in _recipients(list(people.values()), channel)}
    return {name: recipients[person.pk] for name, person in people.items()}


def _as_uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None


def load_recipients(user_ids: Collection[UUID], *, channel: str) -> dict[UUID, Recipient]:
    """The people with these ids, with what matters for `channel`. Erased ones are missing. Three queries at most."""
    people = list(_people().filter(pk__in=user_ids))
    return {each.id: each for each in _recipients(people, channel)}


def _people() -> QuerySet[User]:
    return User.objects.select_related("quiet_hours").only(*_COLUMNS)


def _recipients(people: Sequence[User], channel: str) -> Iterator[Recipient]:
    if not people:
        return
    ids = [person.pk for person in people]
    switches = _switches(ids, channel)
    devices = _devices(ids) if channel == Channel.PUSH else {}
    for person in people:
        yield Recipient(
            id=person.pk,
            public_id=person.public_id,
            name=person.name,
            email=person.email or "",
            locale=person.locale,
            timezone=person.timezone,
            is_active=person.is_active,
            devices=tuple(devices.get(person.pk, ())),
            switches=switches.get(person.pk, {}),
            quiet=_window(getattr(person, "quiet_hours", None), person.timezone),
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


def _switches(user_ids: Collection[UUID], channel: str) -> dict[UUID, dict[tuple[str, str | None], bool]]:
    found: defaultdict[UUID, dict[tuple[str, str | None], bool]] = defaultdict(dict)
    rows = Preference.objects.filter(user_id__in=user_ids, channel=channel)
    for user_id, category, is_enabled in rows.values_list("user_id", "category_id", "is_enabled"):
        found[user_id][(channel, category)] = is_enabled
    return found


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


def _window(quiet: QuietHours | None, persons_zone: str) -> QuietWindow | None:
    if quiet is None or not quiet.is_enabled:
        return None
    return QuietWindow(
        start=quiet.start,
        end=quiet.end,
        timezone=quiet.timezone or persons_zone,
        days=frozenset(quiet.days) or EVERY_DAY,
        channels=frozenset(quiet.channels),
    )


def _to_keep(recipient: Recipient) -> dict[str, Any]:
    """What JSON can hold of a recipient."""
    quiet = recipient.quiet
    return {
        **{name: getattr(recipient, name) for name in _PLAIN},
        "devices": [asdict(device) for device in recipient.devices],
        "switches": [[*switch, is_on] for switch, is_on in recipient.switches.items()],
        "quiet": quiet and asdict(quiet) | {"days": sorted(quiet.days), "channels": sorted(quiet.channels)},
    }


#: Fields of a recipient that JSON has a form for.
_PLAIN = ("id", "public_id", "name", "email", "locale", "timezone", "is_active")


def _from_kept(kept: dict[str, Any]) -> Recipient:
    """The other way round. What was kept was sealed: it has the shape we gave it."""
    plain = {name: kept[name] for name in _PLAIN} | {"id": UUID(kept["id"])}
    quiet = kept["quiet"]
    return Recipient(
        **plain,
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
