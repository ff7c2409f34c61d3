"""What a serializer found wrong, as entries of a problem's `errors`: all of it, each with a pointer into the body."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

#: The codes clients may rely on; everything else is shown as `invalid`.
FIELD_CODES = frozenset(
    {"required", "null", "blank", "invalid", "invalid_choice", "too_short", "too_long", "too_many", "too_deep"}
    | {"out_of_range", "in_the_past", "not_unique", "unknown_field", "variable_missing", "variable_type", "syntax"}
)
#: What Django and DRF call them.
OUR_CODES = {
    "min_length": "too_short",
    "empty": "too_short",
    "max_length": "too_long",
    "max_string_length": "too_long",
    "min_value": "out_of_range",
    "max_value": "out_of_range",
    "overflow": "out_of_range",
    "max_digits": "out_of_range",
    "max_decimal_places": "out_of_range",
    "max_whole_digits": "out_of_range",
    "unique": "not_unique",
    "not_a_choice": "invalid_choice",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One finding. `pointer` is an RFC 6901 pointer into the body, or `?name` for a query parameter."""

    pointer: str
    code: str
    detail: str
    #: Further members of this entry, such as `existing_id` or `line`.
    more: Mapping[str, object] = field(default_factory=dict)

    def members(self) -> dict[str, object]:
        """As it stands in an answer."""
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail, **self.more}


def pointer(*steps: str | int) -> str:
    """`/variables/a~1b` for the steps `variables` and `a/b` (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def findings(error: ValidationError) -> list[FieldError]:
    """Everything a validation error holds, in the order of the fields."""
    return list(_walk(error.detail, ""))


def _walk(detail: object, place: str) -> Iterator[FieldError]:
    """DRF nests dicts by field name or index, lists of items, and lists of messages."""
    if isinstance(detail, str):
        yield FieldError(place, _our_code(detail), str(detail))
    elif isinstance(detail, Mapping):
        for name, inner in detail.items():
            belongs_here = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _walk(inner, place if belongs_here else place + pointer(name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            yield from _walk(inner, place if isinstance(inner, str) else place + pointer(index))


def _our_code(message: str) -> str:
    given = message.code if isinstance(message, ErrorDetail) else ""
    code = OUR_CODES.get(given or "", given or "")
    return code if code in FIELD_CODES else "invalid"
