"""Values to look at a template with: examples, short ones, very long ones, right to left (pure)."""

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from templates_app.variables import DeclaredVariable, VariableType

#: The set everybody begins with.
EXAMPLES = "examples"
#: What stands in where a variable has neither example nor default.
STAND_INS: dict[VariableType, Any] = {
    VariableType.INTEGER: 3,
    VariableType.NUMBER: 12.5,
    VariableType.BOOLEAN: True,
    VariableType.URL: "https://app.example.com/",
    VariableType.DATETIME: "2026-11-22T10:15:00Z",
}
LONG_NAME = "Wilhelmina Theodora Featherstonehaugh-Wolfeschlegelsteinhausenbergerdorff the Younger"
LONG_WORDS = "and more than anybody had reckoned with, the Donaudampfschifffahrtsgesellschaftskapitän included"
ARABIC_NAME = "نورة بنت عبد الرحمن الخالدي"
ARABIC_WORDS = "نص تجريبي من اليمين إلى اليسار، رقم 42 (ABC)"
#: Entries of a list in the long set.
LONG_LIST = 12


def example_values(variables: Sequence[DeclaredVariable]) -> dict[str, Any]:
    """A value for each variable: its example, else its default, else something of its type."""
    return {each.name: _example(each) for each in variables}


def _example(variable: DeclaredVariable) -> Any:
    for value in (variable.example, variable.default):
        if value is not None:
            return value
    if variable.type == VariableType.LIST:
        return [dict.fromkeys(variable.fields, "…") if variable.fields else "…"]
    return STAND_INS.get(variable.type, variable.name)


def _short(variable: DeclaredVariable) -> Any:
    value = _example(variable)
    if variable.type == VariableType.LIST:
        return value[:1]
    if variable.type == VariableType.STRING:
        return "Ann" if _is_name(variable) else str(value)[:12].strip()
    return value


def _long(variable: DeclaredVariable) -> Any:
    value = _example(variable)
    match variable.type:
        case VariableType.STRING:
            return LONG_NAME if _is_name(variable) else f"{value}, {LONG_WORDS}"
        case VariableType.INTEGER:
            return 1_234_567
        case VariableType.NUMBER:
            return 1_234_567.89
        case VariableType.URL if "?" not in value and not value.startswith("mailto:"):
            return f"{value}?{'0123456789abcdef' * 12}"
        case VariableType.LIST:
            return [_with_texts(row, lambda text: f"{text}, {LONG_WORDS}") for row in (value * LONG_LIST)[:LONG_LIST]]
        case _:
            return value


def _right_to_left(variable: DeclaredVariable) -> Any:
    value = _example(variable)
    if variable.type == VariableType.LIST:
        return [_with_texts(row, lambda text: ARABIC_WORDS) for row in value]
    if variable.type == VariableType.STRING:
        return ARABIC_NAME if _is_name(variable) else ARABIC_WORDS
    return value


def _is_name(variable: DeclaredVariable) -> bool:
    return variable.name == "name" or variable.name.endswith("_name")


def _with_texts(row: Any, change: Callable[[str], str]) -> Any:
    if isinstance(row, dict):
        return {key: _with_texts(value, change) for key, value in row.items()}
    return change(row) if isinstance(row, str) else row


#: The sets that are always there: how each is called and how it makes a value.
ALWAYS: dict[str, tuple[str | Promise, Callable[[DeclaredVariable], Any]]] = {
    EXAMPLES: (_("Examples"), _example),
    "short": (_("Ann, short"), _short),
    "long": (_("Very long name"), _long),
    "rtl": (_("Right to left"), _right_to_left),
}


def sample_values(chosen: str, variables: Sequence[DeclaredVariable]) -> dict[str, Any]:
    """The values of a set that is always there; those of `EXAMPLES` for a name nobody knows."""
    make = ALWAYS.get(chosen, ALWAYS[EXAMPLES])[1]
    return {each.name: make(each) for each in variables}
