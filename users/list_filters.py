"""Filters of a list, as they stand behind the question mark (section 5 of the API document)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from users.moments import parse_moment
from users.problems import FieldError, Problem

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilters:
    """What a list can be narrowed by. Several values, separated by commas, mean "one of"."""

    #: Field → what it may be.
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Fields that hold ids.
    ids: tuple[str, ...] = ()
    #: Parameter → look-up.
    moments: Mapping[str, str] = field(default_factory=dict)
    #: Parameter → what its values mean; raises ValueError with words for whoever wrote them.
    queries: Mapping[str, Callable[[list[str]], Q]] = field(default_factory=dict)

    @property
    def several(self) -> tuple[str, ...]:
        """Parameters that take several values."""
        return (*self.choices, *self.ids)

    @property
    def names(self) -> frozenset[str]:
        """All parameters."""
        return frozenset((*self.several, *self.moments, *self.queries))

    def applied(self, rows: QuerySet[Row], asked: Mapping[str, str]) -> QuerySet[Row]:
        """The rows that are meant. Raises `Problem` with everything that is wrong."""
        errors: list[FieldError] = []
        meant = [each for name in asked if (each := self._condition(name, asked[name], errors)) is not None]
        if errors:
            raise Problem("validation_error", errors=errors)
        return rows.filter(*meant)

    def _condition(self, name: str, text: str, errors: list[FieldError]) -> Q | None:
        """What one parameter asks for; None for those of every list, such as `cursor`."""
        if name in self.several:
            return Q(**{f"{name}__in": self._values(name, text, errors)})
        if name in self.moments:
            moment = parse_moment(text)
            if moment is None:
                words = "Use a moment with its offset, such as 2026-11-22T10:15:00Z."
                errors.append(FieldError(f"?{name}", "invalid", words))
            return Q(**{self.moments[name]: moment})
        if name in self.queries:
            try:
                return self.queries[name](text.split(","))
            except ValueError as error:
                errors.append(FieldError(f"?{name}", "invalid", str(error)))
        return None

    def _values(self, name: str, text: str, errors: list[FieldError]) -> list[Any]:
        values: list[Any] = text.split(",")
        if name in self.choices:
            if not set(values) <= set(self.choices[name]):
                words = f"Use {', '.join(self.choices[name])}."
                errors.append(FieldError(f"?{name}", "invalid_choice", words))
            return values
        try:
            return [UUID(each) for each in values]
        except ValueError:
            errors.append(FieldError(f"?{name}", "invalid", "Use ids as we gave them."))
            return []


def text(lookup: str, *, choices: Sequence[str] = ()) -> Callable[[list[str]], Q]:
    """One of these texts; `choices`: what they may be."""

    def query(values: list[str]) -> Q:
        if choices and not set(values) <= set(choices):
            raise ValueError(f"Use {', '.join(choices)}.")
        return Q(**{f"{lookup}__in": values})

    return query


def flag(lookup: str) -> Callable[[list[str]], Q]:
    """`true` or `false`."""

    def query(values: list[str]) -> Q:
        if values not in (["true"], ["false"]):
            raise ValueError("Use true or false.")
        return Q(**{lookup: values == ["true"]})

    return query


def whole_numbers(lookup: str) -> Callable[[list[str]], Q]:
    """One of these numbers."""

    def query(values: list[str]) -> Q:
        if not all(each.isascii() and each.isdigit() and len(each) < 10 for each in values):
            raise ValueError("Use whole numbers.")
        return Q(**{f"{lookup}__in": [int(each) for each in values]})

    return query
