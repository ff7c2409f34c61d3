"""What delivery must know about a person, as a value; loaded for a whole batch at once."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

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


def load_recipients(user_ids: Collection[UUID], *, channel: str) -> dict[UUID, Recipient]:
    """The people with these ids, with what matters for `channel`. Erased ones are missing. Three queries at most."""
    people = User.objects.select_related("quiet_hours").filter(pk__in=user_ids).defer("password", "last_login")
    switches = _switches(user_ids, channel)
    devices = _devices(user_ids) if channel == Channel.PUSH else {}
    return {
        person.pk: Recipient(
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
        for person in people
    }


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
    for each in Preference.objects.filter(user_id__in=user_ids, channel=channel):
        found[each.user_id][(each.channel, each.category_id)] = each.is_enabled
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
