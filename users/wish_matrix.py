"""The switches of a person as a table for staff: categories down, channels across, and who set each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from django.utils.translation import gettext as _

from users.channels import Channel
from users.models import Category, ConsentEvent, User
from users.preferences import Wish, Wishes
from users.wish_words import by_in_words

#: What a switch is set to, as the form of the page calls it.
CHOICES: dict[str, bool | None] = {"on": True, "off": False, "follow": None}
#: So far back the page looks for whoever set a switch.
EVENTS_READ = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One switch: of a category on a channel, or of the whole channel."""

    #: Of its field in the form: `marketing.email`; of a whole channel `.email`.
    name: str
    channel: str
    #: on, off, follow.
    choice: str
    #: Whether messages go out, all switches taken together.
    is_sent: bool
    #: A mandatory category cannot be switched off.
    is_locked: bool = False
    #: Who set it last, and when; None when nobody did.
    changed: ConsentEvent | None = None

    @property
    def is_inherited(self) -> bool:
        """It has no switch of its own."""
        return self.choice == "follow"

    @property
    def changed_by(self) -> str:
        """In words."""
        return by_in_words(self.changed) if self.changed else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A category, or all of them."""

    title: str
    #: None: the switches of whole channels.
    category: Category | None
    cells: Sequence[Cell]


def last_changes(person: User) -> dict[tuple[str, str], ConsentEvent]:
    """(channel, category code or "") → the line of the ledger that set it last. One query."""
    found: dict[tuple[str, str], ConsentEvent] = {}
    for event in ConsentEvent.objects.filter(user=person).order_by("-id")[:EVENTS_READ]:
        found.setdefault((event.channel, event.category_code), event)
    return found


def matrix(wishes: Wishes, changes: Mapping[tuple[str, str], ConsentEvent]) -> list[Row]:
    """The table, whole channels first."""
    whole = [
        Cell(
            name=field_name("", channel),
            channel=channel,
            choice=_choice(wishes.of_channel(channel)),
            is_sent=wishes.of_channel(channel),
            changed=changes.get((channel, "")),
        )
        for channel in Channel.values
    ]
    rows = [Row(title=_("Everything on this channel"), category=None, cells=whole)]
    for category in wishes.categories:
        cells = [
            Cell(
                name=field_name(category.code, channel),
                channel=channel,
                choice=_choice(wishes.of_category(category.code, channel)),
                is_sent=wishes.effective(category, channel),
                is_locked=category.is_mandatory,
                changed=changes.get((channel, category.code)),
            )
            for channel in Channel.values
        ]
        rows.append(Row(title=category.name, category=category, cells=cells))
    return rows


def wish_of_form(posted: Mapping[str, str], categories: Iterable[Category]) -> Wish:
    """What a saved page asks for. A switch it does not name, and one of a mandatory category, stays."""
    channels: dict[str, bool] = {}
    by_category: dict[str, dict[str, bool | None]] = {}
    for channel in Channel.values:
        choice = CHOICES.get(posted.get(field_name("", channel), ""))
        if choice is not None:
            channels[channel] = choice
    for category, channel in product(categories, Channel.values):
        name = posted.get(field_name(category.code, channel))
        if name in CHOICES and not category.is_mandatory:
            by_category.setdefault(category.code, {})[channel] = CHOICES[name]
    return Wish(channels=channels, categories=by_category)


def field_name(category_code: str, channel: str) -> str:
    """How the form calls a switch; codes have no dots."""
    return f"{category_code}.{channel}"


def _choice(value: bool | None) -> str:
    return next(name for name, meaning in CHOICES.items() if meaning is value)
