"""Words as a page of ours sends them: read into contents, or refused with a sentence (pure)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from templates_app.drafting import FIELDS
from templates_app.models import TemplateContent
from templates_app.safe_engine import MAX_SOURCE
from templates_app.variables import CONTROL_CHARACTERS
from users.channels import Channel
from users.locales import normalise_locale

#: Keys of the data of a push, and its buttons.
MAX_DATA, MAX_ACTIONS = 50, 3
ACTION = {"action", "title", "link"}

Place = tuple[str, str]


class WordsRefused(Exception):
    """What was sent cannot be stored; the text says which field and why."""


def read_contents(given: Any) -> tuple[dict[Place, dict[str, Any]], list[Place]]:
    """{locale: {channel: words or null}} as the words to write and the places to empty. Raises `WordsRefused`."""
    if not isinstance(given, Mapping):
        raise WordsRefused("contents must be an object.")
    changed: dict[Place, dict[str, Any]] = {}
    removed: list[Place] = []
    for locale, channels in given.items():
        if not isinstance(channels, Mapping):
            raise WordsRefused(f"contents/{locale} must be an object.")
        for channel, words in channels.items():
            place = _place(locale, channel)
            if words is None:
                removed.append(place)
            else:
                changed[place] = _words(place, words)
    return changed, removed


def read_content(locale: str, channel: str, words: Any) -> TemplateContent:
    """One content that belongs to no version, for a look at it. Raises `WordsRefused`."""
    place = _place(locale, channel)
    return TemplateContent(locale=place[0], channel=place[1], **_words(place, words))


def _place(locale: str, channel: str) -> Place:
    if channel not in Channel.values:
        raise WordsRefused(f"{channel} is no channel.")
    try:
        return normalise_locale(locale), channel
    except ValueError as error:
        raise WordsRefused(f"{locale}: {error}") from None


def _words(place: Place, words: Any) -> dict[str, Any]:
    if not isinstance(words, Mapping):
        raise WordsRefused(f"{'/'.join(place)} must be an object.")
    fields = FIELDS[Channel(place[1])]
    if strange := set(words) - set(fields):
        raise WordsRefused(f"{'/'.join(place)} has no field {min(strange)}.")
    for field, value in words.items():
        if problem := _problem(field, value):
            raise WordsRefused(f"{', '.join(place)}, {field}: {problem}")
    return dict(words)


def _problem(field: str, value: Any) -> str:
    if field == "data":
        return "" if _is_data(value) else _("At most {n} names, each with a text.").format(n=MAX_DATA)
    if field == "actions":
        return "" if _are_actions(value) else _("At most {n} buttons.").format(n=MAX_ACTIONS)
    if not isinstance(value, str):
        return _("This must be text.")
    if field == "source_format":
        return "" if value in TemplateContent.SourceFormat.values else _("This must be html or mjml.")
    if CONTROL_CHARACTERS.search(value):
        return _("There is a control character in it.")
    most = getattr(TemplateContent._meta.get_field(field), "max_length", None) or MAX_SOURCE
    return _("At most {n} characters; these are {m}.").format(n=most, m=len(value)) if len(value) > most else ""


def _is_data(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) <= MAX_DATA
        and all(_is_line(key, 100) and _is_line(each, 2000) for key, each in value.items())
    )


def _are_actions(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_ACTIONS
        and all(isinstance(each, Mapping) and set(each) == ACTION for each in value)
        and all(_is_line(text, 2000) for each in value for text in each.values())
    )


def _is_line(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and not CONTROL_CHARACTERS.search(value)
