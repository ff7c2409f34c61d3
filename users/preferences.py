"""Use cases: what a person wants on which channel, and the ledger of who decided it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from users.changed_wishes import note_changed
from users.channels import Channel
from users.models import Category, Preference, User
from users.wish_models import ConsentEvent

#: (channel, category code or None for the whole channel) → wanted. No entry: on, or as the channel.
Switches = dict[tuple[str, str | None], bool]


class CategoryLocked(Exception):
    """A mandatory category cannot be switched off; the text is its code."""


class UnknownCategory(Exception):
    """There is no category with this code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who decides, and from where; as the ledger keeps it."""

    #: self, client:<name>, staff, unsubscribe_link or provider.
    by: str
    #: api, admin, unsubscribe page, one click, import, or the provider's name.
    source: str
    #: The member of staff, by name.
    who: str = ""
    #: Network address.
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks to be changed. A channel that is not named, or a category, stays; None follows the channel."""

    channels: Mapping[str, bool]
    categories: Mapping[str, Mapping[str, bool | None]]
    #: Everything that is not named goes back to its default.
    replaces: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """All switches of a person, and what follows from them."""

    switches: Switches
    categories: Sequence[Category]
    #: When one of them was last changed; None for never.
    changed_at: datetime | None

    def of_channel(self, channel: str) -> bool:
        """The switch of the whole channel."""
        return self.switches.get((channel, None), True)

    def of_category(self, category: str, channel: str) -> bool | None:
        """The category's own switch; None follows the channel."""
        return self.switches.get((channel, category))

    def effective(self, category: Category, channel: str) -> bool:
        """Whether messages of this category are sent: a channel that is off wins, a mandatory category over all."""
        return category.is_mandatory or (self.of_channel(channel) and self.switches.get((channel, category.code), True))

    @property
    def own(self) -> dict[str, Any]:
        """The two maps as the API shows them."""
        named = sorted({code for _, code in self.switches if code is not None})
        return {
            "channels": {channel: self.of_channel(channel) for channel in Channel.values},
            "categories": {
                code: {channel: self.of_category(code, channel) for channel in Channel.values} for code in named
            },
        }


def read_wishes(user: User) -> Wishes:
    """Three queries."""
    return Wishes(
        switches=_switches(user.pk),
        categories=list(Category.objects.order_by("code")),
        changed_at=ConsentEvent.objects.filter(user=user).order_by("-id").values_list("at", flat=True).first(),
    )


def change_preferences(
    *, user: User, wish: Wish, origin: Origin, check: Callable[[Wishes], None] | None = None
) -> Sequence[ConsentEvent]:
    """Set switches, and write into the ledger what has changed by it; nothing for what was set already.

    `check` is shown the present switches while nobody else can change them, and may refuse by raising. Raises
    `CategoryLocked`, `UnknownCategory`.
    """
    with transaction.atomic():
        # One person's wishes change one after the other: the ledger tells each step from where it began.
        User.objects.select_for_update().values_list("pk").get(pk=user.pk)
        wishes = read_wishes(user)
        if check is not None:
            check(wishes)
        wanted = _wanted(wishes, wish)
        events = _events(user.pk, wishes.switches, wanted, origin)
        _store(user.pk, wishes.switches, wanted)
        ConsentEvent.objects.bulk_create(events)
        if events:
            note_changed(user.pk)
            user.has_changed()
    return events


def _switches(user_id: UUID) -> Switches:
    rows = Preference.objects.filter(user_id=user_id).values_list("channel", "category_id", "is_enabled")
    return {(channel, category): is_on for channel, category, is_on in rows}


def _wanted(wishes: Wishes, wish: Wish) -> Switches:
    """The switches as they are to be."""
    known = {category.code: category for category in wishes.categories}
    wanted: Switches = {} if wish.replaces else dict(wishes.switches)
    for channel, is_on in wish.channels.items():
        wanted.pop((channel, None), None)  # on is what a channel is without a switch
        if not is_on:
            wanted[(channel, None)] = False
    for code, by_channel in wish.categories.items():
        if code not in known:
            raise UnknownCategory(code)
        for channel, choice in by_channel.items():
            if choice is None:
                wanted.pop((channel, code), None)
                continue
            if known[code].is_mandatory and not choice:
                raise CategoryLocked(code)
            wanted[(channel, code)] = choice
    return wanted


def _value(switches: Switches, key: tuple[str, str | None]) -> bool | None:
    """What a switch says; a channel without one is on, a category without one follows its channel."""
    return switches.get(key, True if key[1] is None else None)


def _events(user_id: UUID, before: Switches, after: Switches, origin: Origin) -> list[ConsentEvent]:
    """A line for each switch that says something else now."""
    changed = {key for key in before.keys() | after.keys() if _value(before, key) != _value(after, key)}
    return [
        ConsentEvent(
            user_id=user_id,
            channel=channel,
            category_code=category or "",
            was=_value(before, (channel, category)),
            became=_value(after, (channel, category)),
            by=origin.by[:210],
            who=origin.who[:200],
            source=origin.source,
            address=origin.address[:64],
        )
        for channel, category in sorted(changed, key=lambda key: (key[1] or "", key[0]))
    ]


def _store(user_id: UUID, before: Switches, after: Switches) -> None:
    """Rows for what is in `after`, none for anything else. Four statements at most."""
    rows = Preference.objects.filter(user_id=user_id)
    if gone := [key for key in before if key not in after]:
        rows.filter(_any_of(gone)).delete()
    for is_on in (True, False):
        if turned := [key for key in before if key in after and after[key] == is_on != before[key]]:
            rows.filter(_any_of(turned)).update(is_enabled=is_on, updated_at=Now())
    Preference.objects.bulk_create(
        Preference(user_id=user_id, channel=channel, category_id=category, is_enabled=is_on)
        for (channel, category), is_on in after.items()
        if (channel, category) not in before
    )


def _any_of(keys: Collection[tuple[str, str | None]]) -> Q:
    found = Q()
    for channel, category in keys:
        found |= Q(channel=channel, category=category) if category else Q(channel=channel, category__isnull=True)
    return found
