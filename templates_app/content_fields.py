"""The words of a version as the API takes them: every field judged, all findings at once."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from templates_app.drafting import FIELDS, MAX_LOCALES
from templates_app.models import TemplateContent
from templates_app.safe_engine import MAX_SOURCE
from users.channels import Channel
from users.locales import normalise_locale
from users.strict_serializers import PlainText

#: Characters of each field of a content; `html` and `text` are counted in bytes.
LONGEST = {"subject": 255, "preheader": 255, "title": 255, "body": 2000, "image": 2000, "link": 2000}
LONGEST_SOURCE = MAX_SOURCE
#: Tab and line feed may stand where a text has several lines.
LINES = frozenset({"html", "text", "body"})
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
CONTROL_CHARACTERS_IN_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
#: Entries of `data` and buttons of one push, and characters of their names.
MOST_DATA, MOST_ACTIONS, LONGEST_KEY = 50, 3, 100
ACTION_MEMBERS = ("action", "title", "link")


def wrong(code: str, detail: str) -> list[ErrorDetail]:
    return [ErrorDetail(detail, code=code)]


class LinesText(PlainText):
    """Text of several lines: tab and line feed are allowed, other control characters are not."""

    def to_internal_value(self, data: Any) -> str:
        """The text with the line ends of Unix."""
        if not isinstance(data, str):
            self.fail("invalid")
        text = data.replace("\r\n", "\n")
        if CONTROL_CHARACTERS_IN_LINES.search(text):
            raise serializers.ValidationError("Control characters are not allowed here.", code="invalid")
        return serializers.CharField.to_internal_value(self, text)


class LocaleText(PlainText):
    """A language tag, kept in its usual letters."""

    def to_internal_value(self, data: Any) -> str:
        """Such as pt-BR."""
        text = super().to_internal_value(data)
        try:
            if "_" in text:
                raise ValueError("A locale has hyphens, such as pt-BR.")
            return normalise_locale(text)
        except ValueError as error:
            raise serializers.ValidationError(str(error), code="invalid") from error


@extend_schema_field(
    {
        "type": "object",
        "description": "Locale → channel → fields.",
        "additionalProperties": {"type": "object", "additionalProperties": {"type": "object"}},
        "example": {"en": {"email": {"subject": "Hi {{ name }}", "html": "<p>Hi {{ name }}</p>"}}},
    }
)
class ContentsField(serializers.Field[Any, Any, Any, Any]):
    """`{"en": {"email": {"subject": …}}}` as (locale, channel) → fields that were given."""

    def to_internal_value(self, data: Any) -> dict[tuple[str, str], dict[str, Any]]:
        """All findings at once."""
        if not isinstance(data, Mapping):
            raise serializers.ValidationError("Contents are an object: locale, channel, fields.", code="invalid")
        if len(data) > MAX_LOCALES:
            raise serializers.ValidationError(f"A version has at most {MAX_LOCALES} locales.", code="too_many")
        problems: dict[str, Any] = {}
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for written, channels in data.items():
            try:
                locale = LocaleText().run_validation(written)
            except serializers.ValidationError as error:
                problems[written] = error.detail
                continue
            if any(locale == each for each, _ in found):
                problems[written] = wrong("not_unique", f"{locale} is written twice.")
                continue
            if problem := self._read_channels(locale, channels, found):
                problems[written] = problem
        if problems:
            raise serializers.ValidationError(problems)
        return found

    def _read_channels(self, locale: str, channels: Any, found: dict[tuple[str, str], dict[str, Any]]) -> Any:
        if channels is None:
            return None
        if not isinstance(channels, Mapping):
            return wrong("invalid", "This is an object: email, push.")
        problems: dict[str, Any] = {}
        for channel, fields in channels.items():
            if channel not in Channel.values:
                problems[channel] = wrong("unknown_field", "There is no such channel; use email or push.")
            elif fields is None:
                continue
            elif not isinstance(fields, Mapping):
                problems[channel] = wrong("invalid", "This is an object with the words.")
            elif found_problems := dict(field_problems(channel, fields)):
                problems[channel] = found_problems
            else:
                found[locale, channel] = clean_fields(fields)
        return problems or None

    def to_representation(self, value: Any) -> Any:
        """Made in answers.py."""
        return value


def field_problems(channel: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is wrong with the fields of one content, by field."""
    for name, value in fields.items():
        if name not in FIELDS[Channel(channel)]:
            yield name, wrong("unknown_field", "There is no such field.")
            continue
        judge: Callable[[str, Any], Any] = JUDGES.get(name, _text_problem)
        if value is not None and (problem := judge(name, value)):
            yield name, problem


def clean_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """With the line ends of Unix, without what is null."""
    given = {name: value for name, value in fields.items() if value is not None}
    return {name: value.replace("\r\n", "\n") if name in LINES else value for name, value in given.items()}


def _text_problem(name: str, value: Any) -> list[ErrorDetail] | None:
    if not isinstance(value, str):
        return wrong("invalid", "This is text.")
    if name in LONGEST:
        if len(value) > LONGEST[name]:
            return wrong("too_long", f"At most {LONGEST[name]} characters.")
    elif len(value.encode("utf-8", "replace")) > LONGEST_SOURCE:
        return wrong("too_long", f"At most {LONGEST_SOURCE // 1024} KiB.")
    refused = CONTROL_CHARACTERS_IN_LINES if name in LINES else CONTROL_CHARACTERS
    if refused.search(value.replace("\r\n", "\n") if name in LINES else value):
        return wrong("invalid", "Control characters are not allowed here.")
    return None


def _data_problem(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return wrong("invalid", "This is an object whose values are text.")
    if len(value) > MOST_DATA:
        return wrong("too_many", f"At most {MOST_DATA} entries.")
    return {key: problem for key, each in value.items() if (problem := _entry_problem(key, each))}


def _entry_problem(key: str, value: Any) -> list[ErrorDetail] | None:
    if not 0 < len(key) <= LONGEST_KEY or CONTROL_CHARACTERS.search(key):
        return wrong("invalid", f"A name here has 1 to {LONGEST_KEY} characters.")
    return _text_problem("link", value)


def _actions_problem(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return wrong("invalid", "This is a list of buttons.")
    if len(value) > MOST_ACTIONS:
        return wrong("too_many", f"At most {MOST_ACTIONS} buttons.")
    for each in value:
        is_right = isinstance(each, Mapping) and set(each) <= set(ACTION_MEMBERS) and each.get("title")
        if not is_right or any(_text_problem("link", part) for part in each.values()):
            return wrong("invalid", "A button is an object with title, and action or link, all text.")
    return None


def _format_problem(name: str, value: Any) -> Any:
    return None if value in TemplateContent.SourceFormat.values else wrong("invalid_choice", "Use html or mjml.")


#: What judges fields that are no plain text.
JUDGES: dict[str, Callable[[str, Any], Any]] = {
    "data": _data_problem,
    "actions": _actions_problem,
    "source_format": _format_problem,
}
