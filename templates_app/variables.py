"""The variables a template declares: their types, how they are written as JSON, and whether given values fit.

Pure: values in, findings out. Values stay plain JSON, so that they can be stored as they are; `typed_values` turns
moments into datetimes just before rendering.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from users.moments import parse_moment

NAME = re.compile(r"[a-z][a-z0-9_]{0,49}", re.ASCII)
#: Names every mail knows without declaring them; nothing stands there where there is none.
GIVEN = frozenset({"unsubscribe_link"})
#: Variables one version may declare.
MAX_DECLARED = 100
#: Characters of a variable's description.
MAX_DESCRIPTION = 1_000
#: Lists and objects inside each other, the object `variables` counted.
MAX_DEPTH = 5
#: Keys of one object.
MAX_KEYS = 100
#: Bytes of one key.
MAX_KEY = 100
#: Entries of one list.
MAX_ENTRIES = 200
#: Bytes of one text in UTF-8.
MAX_TEXT = 10_000
#: Tab, line feed and carriage return are text; half of a surrogate pair is not.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
#: Integers that every client language can hold: 64 bits with a sign.
INTEGERS = range(-(2**63), 2**63)
URL_SCHEMES = frozenset({"https", "http", "mailto"})
#: A backslash is a slash to a browser and a letter to everybody else: https://good.example\@bad.example
REFUSED_IN_URLS = re.compile(r"[\s\x00-\x20\x7f-\x9f<>\"\\\u2028\u2029\ud800-\udfff]")


class VariableType(StrEnum):
    """What a variable holds."""

    STRING = "string"
    #: A whole number of 64 bits.
    INTEGER = "integer"
    NUMBER = "number"
    #: true, false, 1 or 0.
    BOOLEAN = "boolean"
    #: An address with https, http or mailto.
    URL = "url"
    #: A moment in the form of RFC 3339, with its offset.
    DATETIME = "datetime"
    #: Objects with plain values, or plain values where no fields are declared.
    LIST = "list"


#: What a value must be, for the sentence of a finding.
MEANINGS = {
    VariableType.STRING: "text",
    VariableType.INTEGER: "a whole number of at most 64 bits",
    VariableType.NUMBER: "a number",
    VariableType.BOOLEAN: "true, false, 1 or 0",
    VariableType.URL: "an address that begins with https://, http:// or mailto:",
    VariableType.DATETIME: "a moment such as 2026-11-22T10:15:00Z, with its offset",
    VariableType.LIST: "a list of objects with plain values",
}


@dataclass(frozen=True, slots=True)
class VariableFinding:
    """One thing wrong. `pointer` is an RFC 6901 pointer into the body; `code` is one of the field codes of the API."""

    pointer: str
    code: str
    detail: str


class DeclarationInvalid(ValueError):
    """Declared variables have the wrong shape; `findings` names everything."""

    def __init__(self, findings: Sequence[VariableFinding]) -> None:
        super().__init__("; ".join(f"{each.pointer}: {each.detail}" for each in findings))
        self.findings = tuple(findings)


@dataclass(frozen=True, slots=True)
class DeclaredVariable:
    """One variable of a version."""

    name: str
    type: VariableType = VariableType.STRING
    required: bool = False
    #: Used when the variable is optional and not given. Plain JSON.
    default: Any = None
    #: Stands in for a value in previews. Plain JSON.
    example: Any = None
    description: str = ""
    #: Hidden everywhere but in the message, and erased after sending.
    sensitive: bool = False
    #: Names every object of a list must have.
    fields: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The shape of the API; `fields` only where there are some."""
        shape = {
            "name": self.name,
            "type": str(self.type),
            "required": self.required,
            "default": self.default,
            "example": self.example,
            "description": self.description,
            "sensitive": self.sensitive,
        }
        return shape | {"fields": list(self.fields)} if self.fields else shape


class CheckedValues(NamedTuple):
    """What `check_values` found."""

    #: The declared values, plain JSON, defaults filled in. Complete only without findings.
    values: dict[str, Any]
    findings: list[VariableFinding]
    #: Names that were given but not declared, sorted.
    unknown: list[str]


def pointer(*steps: str | int) -> str:
    """`/variables/a~1b` for the steps `variables` and `a/b` (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


# --- values -----------------------------------------------------------------------------------------------------------
def check_values(declared: Iterable[DeclaredVariable], values: Mapping[str, Any]) -> CheckedValues:
    """Hold `values` against the declaration and report everything that does not fit. null counts as not given."""
    clean: dict[str, Any] = {}
    findings: list[VariableFinding] = []
    known = set()
    for variable in declared:
        known.add(variable.name)
        place = pointer("variables", variable.name)
        value = values.get(variable.name)
        if value is None and variable.required:
            findings.append(VariableFinding(place, "variable_missing", "This variable is required."))
            continue
        if value is None:
            value = variable.default
        else:
            findings.extend(_misfits(variable, value, place))
        is_flag = variable.type == VariableType.BOOLEAN and value is not None
        clean[variable.name] = bool(value) if is_flag else value
    return CheckedValues(clean, findings, sorted(values.keys() - known))


def check_shape(variables: object) -> list[VariableFinding]:
    """What of the limits for any `variables` object is broken, whatever the template declares."""
    if not isinstance(variables, Mapping):
        return [VariableFinding("/variables", "invalid", "The variables must be an object.")]
    return list(_shape_findings(variables, "/variables", depth=1))


def _shape_findings(value: Any, place: str, *, depth: int) -> Iterator[VariableFinding]:
    if isinstance(value, str):
        yield from _text_findings(value, place, longest=MAX_TEXT)
    elif isinstance(value, Mapping | list):
        most, steps = (MAX_KEYS, value.items()) if isinstance(value, Mapping) else (MAX_ENTRIES, enumerate(value))
        if depth > MAX_DEPTH:
            yield VariableFinding(place, "too_deep", f"Lists and objects may be nested {MAX_DEPTH} deep.")
        elif len(value) > most:
            yield VariableFinding(place, "too_many", f"At most {most} entries.")
        else:
            for step, inner in steps:
                wrong_key = list(_text_findings(step, place, longest=MAX_KEY)) if isinstance(step, str) else []
                yield from wrong_key or _shape_findings(inner, place + pointer(step), depth=depth + 1)


def _text_findings(text: str, place: str, *, longest: int) -> Iterator[VariableFinding]:
    if len(text) > longest or len(text.encode("utf-8", "replace")) > longest:
        yield VariableFinding(place, "too_long", f"A text here may have {longest:,} bytes.")
    if CONTROL_CHARACTERS.search(text):
        yield VariableFinding(place, "invalid", "Control characters are not allowed.")


def typed_values(declared: Iterable[DeclaredVariable], values: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values for the renderer: moments become datetimes, so that they are written in the reader's language."""
    typed = dict(values)
    for variable in declared:
        value = typed.get(variable.name)
        if variable.type == VariableType.DATETIME and isinstance(value, str):
            typed[variable.name] = parse_moment(value) or value
    return typed


def _misfits(variable: DeclaredVariable, value: Any, place: str) -> Iterator[VariableFinding]:
    if not FITS[variable.type](value):
        yield VariableFinding(place, "variable_type", f"This variable must be {MEANINGS[variable.type]}.")
    elif variable.type == VariableType.LIST:
        for index, row in enumerate(value):
            yield from _row_misfits(variable.fields, row, place + pointer(index))


def _row_misfits(fields: Sequence[str], row: Any, place: str) -> Iterator[VariableFinding]:
    if not isinstance(row, Mapping):
        if fields or not _is_plain(row):
            yield VariableFinding(place, "variable_type", "Every entry must be an object with plain values.")
        return
    for field in fields:
        if field not in row:
            yield VariableFinding(place + pointer(field), "variable_missing", "Every entry must have this field.")
    for field, value in row.items():
        if not _is_plain(value):
            detail = "This field must be text, a number, true, false or null."
            yield VariableFinding(place + pointer(field), "variable_type", detail)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | bool) or _is_number(value)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in INTEGERS


def _is_number(value: Any) -> bool:
    return _is_integer(value) or (isinstance(value, float | Decimal) and math.isfinite(value))


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool) or (_is_integer(value) and value in (0, 1))


def _is_url(value: Any) -> bool:
    if not isinstance(value, str) or REFUSED_IN_URLS.search(value):
        return False
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and (parts.port or 0) >= 0  # reading the port raises for one out of range
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return not parts.netloc and "@" in parts.path
    return parts.scheme in URL_SCHEMES and has_host


def _is_moment(value: Any) -> bool:
    return isinstance(value, str) and parse_moment(value) is not None


FITS: dict[VariableType, Callable[[Any], bool]] = {
    VariableType.STRING: lambda value: isinstance(value, str),
    VariableType.INTEGER: _is_integer,
    VariableType.NUMBER: _is_number,
    VariableType.BOOLEAN: _is_boolean,
    VariableType.URL: _is_url,
    VariableType.DATETIME: _is_moment,
    VariableType.LIST: lambda value: isinstance(value, list),
}


# --- declarations -----------------------------------------------------------------------------------------------------
def parse_variables(raw: object) -> tuple[DeclaredVariable, ...]:
    """Declared variables from their JSON. Raises DeclarationInvalid with every finding."""
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise DeclarationInvalid([VariableFinding("/variables", "invalid", "The variables must be a list of objects.")])
    if len(raw) > MAX_DECLARED:
        raise DeclarationInvalid([VariableFinding("/variables", "too_many", f"At most {MAX_DECLARED} variables.")])
    findings: list[VariableFinding] = []
    names: set[object] = set()
    for index, shape in enumerate(raw):
        place = pointer("variables", index)
        findings.extend(_declaration_findings(shape, place))
        name = shape.get("name") if isinstance(shape, Mapping) else None
        if isinstance(name, str) and name in names:
            findings.append(VariableFinding(f"{place}/name", "not_unique", "This name is declared twice."))
        names.add(name if isinstance(name, str) else None)
    if findings:
        raise DeclarationInvalid(findings)
    return tuple(_from_json(shape) for shape in raw)


def variables_to_json(variables: Iterable[DeclaredVariable | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Declared variables, or their JSON with members left out, in the full shape of the API.

    Raises DeclarationInvalid with every finding.
    """
    shapes = [each.to_json() if isinstance(each, DeclaredVariable) else each for each in variables]
    return [each.to_json() for each in parse_variables(shapes)]


def _from_json(shape: Mapping[str, Any]) -> DeclaredVariable:
    given = {member: value for member, value in shape.items() if value is not None}
    kind = VariableType(given.pop("type", VariableType.STRING))
    return DeclaredVariable(type=kind, fields=tuple(given.pop("fields", ())), **given)


def _declaration_findings(shape: Any, place: str) -> Iterator[VariableFinding]:
    if not isinstance(shape, Mapping):
        yield VariableFinding(place, "invalid", "A variable is an object with a name and a type.")
        return
    for member, value in shape.items():
        problem = _member_problem(member, value)
        if problem:
            yield VariableFinding(place + pointer(member), *problem)
    if "name" not in shape:
        yield VariableFinding(f"{place}/name", "required", "A variable needs a name.")
    kind, fields = shape.get("type") or VariableType.STRING, shape.get("fields") or ()
    if fields and kind != VariableType.LIST:
        yield VariableFinding(f"{place}/fields", "invalid", "Only a list has fields.")
    if _is_type(kind) and _are_fields(fields):
        variable = DeclaredVariable("", VariableType(kind), fields=tuple(fields))
        yield from _sample_findings(variable, shape, place)


def _sample_findings(variable: DeclaredVariable, shape: Mapping[str, Any], place: str) -> Iterator[VariableFinding]:
    for member in ("default", "example"):
        if shape.get(member) is not None:
            yield from _misfits(variable, shape[member], f"{place}/{member}")


def _member_problem(member: str, value: Any) -> tuple[str, str] | None:
    """The code and sentence for a member that is wrong by itself."""
    if member not in MEMBERS:
        return "unknown_field", "A variable has no such member."
    accepts, code, sentence = MEMBERS[member]
    if (value is None and member != "name") or accepts(value):
        return None
    return code, sentence


def _is_type(value: Any) -> bool:
    return isinstance(value, str) and value in set(VariableType)


def _are_fields(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, str) and NAME.fullmatch(each) for each in value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


#: What each member of a declaration may be, and the finding when it is not.
MEMBERS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "name": (
        lambda value: isinstance(value, str) and NAME.fullmatch(value),
        "invalid",
        "A name has 1 to 50 small letters, digits and underscores, and begins with a letter.",
    ),
    "type": (_is_type, "invalid_choice", f"The type is one of {', '.join(VariableType)}."),
    "required": (_is_flag, "invalid", "This must be true or false."),
    "sensitive": (_is_flag, "invalid", "This must be true or false."),
    "default": (lambda value: True, "", ""),
    "example": (lambda value: True, "", ""),
    "description": (
        lambda value: isinstance(value, str) and len(value) <= MAX_DESCRIPTION,
        "too_long",
        f"The description is text of at most {MAX_DESCRIPTION} characters.",
    ),
    "fields": (_are_fields, "invalid", "Fields are names as of variables."),
}
