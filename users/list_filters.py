"""Filters of a list, as they stand behind the question mark (section 5 of the API document)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

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

    @property
    def several(self) -> tuple[str, ...]:
        """Parameters that take several values."""
        return (*self.choices, *self.ids)

    @property
    def names(self) -> frozenset[str]:
        """All parameters."""
        return frozenset((*self.several, *self.moments))

    def applied(self, rows: QuerySet[Row], asked: Mapping[str, str]) -> QuerySet[Row]:
        """The rows that are meant. Raises `Problem` with everything that is wrong."""
        errors: list[FieldError] = []
        found: dict[str, Any] = {}
        for name in self.several:
            if name in asked:
                found[f"{name}__in"] = self._values(name, asked[name], errors)
        for name, lookup in self.moments.items():
            if name in asked:
                found[lookup] = parse_moment(asked[name])
                if found[lookup] is None:
                    words = "Use a moment with its offset, such as 2026-11-22T10:15:00Z."
                    errors.append(FieldError(f"?{name}", "invalid", words))
        if errors:
            raise Problem("validation_error", errors=errors)
        return rows.filter(**found)

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
