"""Requests take nothing but what is promised: unknown names, numbers for text and lax moments are refused."""

import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from users.moments import parse_moment

CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


#: Findings by field, nested as DRF nests them.
Wrong = Mapping[str, Any]


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names it does not know, beside everything else that is wrong.

    What must fit together is looked at in `contradictions`, not in `validate`: DRF calls that one only when every field
    is right by itself, and the client would have to ask twice.
    """

    def contradictions(self, given: dict[str, Any], refused: Collection[str]) -> Wrong:
        """What is wrong with fields together. `given` are those that are right by themselves, `refused` the others."""
        return {}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The fields, each by itself and together."""
        wrong: dict[str, Any] = {}
        try:
            given = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not isinstance(data, Mapping) or not isinstance(error.detail, Mapping):
                raise
            wrong = dict(error.detail)
            given = self._right_ones(data, wrong)
        together = self.contradictions(given, wrong.keys())
        if wrong or together:
            raise serializers.ValidationError({**together, **wrong})
        return given  # type: ignore[no-any-return]  # DRF has no type for it

    def _right_ones(self, data: Mapping[str, Any], refused: Collection[str]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, field in self.fields.items():
            if name in refused or field.read_only:
                continue
            with suppress(serializers.SkipField):
                value = field.run_validation(field.get_value(data))
                check = getattr(self, f"validate_{name}", None)
                given[name] = check(value) if check else value
        return given

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """All findings at once: unknown names and wrong fields."""
        problems: dict[str, Any] = {}
        value: Any = None
        try:
            value = super().run_validation(data)
        except serializers.ValidationError as error:
            problems.update(error.detail if isinstance(error.detail, Mapping) else {"": error.detail})
        if isinstance(data, Mapping):
            for name in data.keys() - self.fields.keys():
                problems[name] = [serializers.ErrorDetail("There is no such field.", code="unknown_field")]
        if problems:
            raise serializers.ValidationError(problems)
        return value


class PlainText(serializers.CharField):
    """Text as it was sent: numbers are no text, control characters are refused."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: Any) -> str:
        """The text itself."""
        if not isinstance(data, str):
            self.fail("invalid")
        if CONTROL_CHARACTERS.search(data):
            raise serializers.ValidationError("Control characters are not allowed here.", code="invalid")
        return super().to_internal_value(data)


class OneOf(serializers.ChoiceField):
    """One of a few words; whoever writes another is told which there are."""

    def to_internal_value(self, data: Any) -> Any:
        """The word."""
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            words = f"Use {'one of ' if len(self.choices) > 1 else ''}{', '.join(map(str, self.choices))}."
            raise serializers.ValidationError(words, code="invalid_choice") from error


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[datetime, Any, str, Any]):
    """RFC 3339 with an offset."""

    default_error_messages = {"invalid": "Use a moment with its offset, such as 2026-11-22T10:15:00Z."}

    def to_internal_value(self, data: Any) -> datetime:
        """The moment, aware, in UTC."""
        moment = parse_moment(data) if isinstance(data, str) else None
        if moment is None:
            self.fail("invalid")
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail("invalid")

    def to_representation(self, value: datetime) -> str:
        """The renderer writes moments."""
        return value  # type: ignore[return-value]  # the JSON renderer knows the form


class JsonBoolean(serializers.BooleanField):
    """`true` or `false`; no other word for them, and no number."""

    def to_internal_value(self, data: Any) -> bool:
        """The value itself."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class JsonInteger(serializers.IntegerField):
    """A whole number of JSON; no text that looks like one, and no 5.0."""

    def to_internal_value(self, data: Any) -> int:
        """The value itself."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data
