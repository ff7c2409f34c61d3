"""The filters of the template language: Django's own, taken one by one, and guarded where they could be misused."""

import re
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.template import defaultfilters
from django.template.library import Library
from django.utils import dateformat, formats
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from templates_app.bounded_nodes import MAX_OUTPUT, RenderingStopped
from templates_app.reader_locale import as_currency, as_number, as_plural
from users.moments import parse_moment

#: Characters of a date format; each may become a month's name.
MAX_DATE_FORMAT = 100
#: Decimal places of `floatformat`; Django makes as many digits as it is asked for.
MAX_DECIMAL_PLACES = 20
#: Numbers from here on are left to Django, which knows what to do with those of hundreds of digits.
MAX_QUICK, MAX_QUICK_PLACES = 10**15, 6
#: Characters `truncatechars` looks at; it normalises them, which is quadratic for combining marks.
MAX_TRUNCATED = 5_000

#: Formats that every language defines. Django would look up any other name in a module, `__file__` too.
NAMED_FORMATS = frozenset(
    {"DATE_FORMAT", "DATETIME_FORMAT", "TIME_FORMAT", "SHORT_DATE_FORMAT", "SHORT_DATETIME_FORMAT"}
    | {"YEAR_MONTH_FORMAT", "MONTH_DAY_FORMAT"}
)
FLOAT_FORMAT = re.compile(r"[-+]?(\d{0,3})[gu]{0,2}", re.ASCII)
#: Django's filters that can do no harm as they are.
HARMLESS = (
    *("upper", "lower", "title", "capfirst", "default", "default_if_none", "pluralize", "yesno"),
    *("length", "first", "last", "urlencode", "linebreaksbr"),
)

register = Library()


@register.filter("date")
def checked_date(value: Any, form: str | None = None) -> str:
    """A date in the reader's language; nothing for a missing one."""
    return _in_date_format(value, form, defaultfilters.date, dateformat.format)


@register.filter("time")
def checked_time(value: Any, form: str | None = None) -> str:
    """A time in the reader's language; nothing for a missing one."""
    return _in_date_format(value, form, defaultfilters.time, dateformat.time_format)


def _in_date_format(value: Any, form: Any, by_name: Callable[..., str], by_letters: Callable[..., str]) -> str:
    if value is None or value == "":
        return ""
    moment = parse_moment(value) if isinstance(value, str) else value  # the rows of a list hold moments as text
    if not isinstance(moment, date):
        raise RenderingStopped("A date or time filter was given something that is no moment.")
    if form is None or form in NAMED_FORMATS:
        return str(by_name(moment, form))
    if not isinstance(form, str) or len(form) > MAX_DATE_FORMAT:
        raise RenderingStopped(f"A date format is a text of at most {MAX_DATE_FORMAT} characters.")
    try:
        return str(by_letters(moment, form))
    except (AttributeError, TypeError):  # hours of a date, or days by the time filter
        raise RenderingStopped("A date or time format asks for what the value does not have.") from None


@register.filter("floatformat", is_safe=True)
def checked_floatformat(value: Any, places: Any = -1) -> str:
    """A number with so many decimal places; nothing for a missing one."""
    form = _number_form(str(places))
    if form is None:
        raise RenderingStopped(f"floatformat takes at most {MAX_DECIMAL_PLACES} decimal places.")
    if type(value) in (int, float) and abs(value) < MAX_QUICK and form.places <= MAX_QUICK_PLACES:
        return mark_safe(_in_form(value, form))  # noqa: S308  digits, a sign and separators
    text = str(defaultfilters.floatformat(value, places))
    if not text and value not in (None, ""):
        raise RenderingStopped("floatformat was given something that is no number.")
    return text


class _NumberForm(NamedTuple):
    """What the argument of `floatformat` says."""

    places: int
    #: Fewer places for a whole number: none.
    is_short: bool
    is_grouped: bool
    is_localised: bool


class _Separators(NamedTuple):
    decimal: str
    thousands: str
    #: Whether digits stand in groups of three, as in most languages.
    by_three: bool


@lru_cache(maxsize=100)
def _number_form(argument: str) -> _NumberForm | None:
    found = FLOAT_FORMAT.fullmatch(argument)
    if found is None or int(found[1] or 0) > MAX_DECIMAL_PLACES:
        return None
    places = int(argument.rstrip("gu") or -1)
    return _NumberForm(abs(places), places <= 0, "g" in argument, "u" not in argument)


@lru_cache(maxsize=100)
def _separators(language: str, *, is_localised: bool) -> _Separators:
    if not is_localised:
        return _Separators(settings.DECIMAL_SEPARATOR, settings.THOUSAND_SEPARATOR, settings.NUMBER_GROUPING == 3)
    return _Separators(
        str(formats.get_format("DECIMAL_SEPARATOR", language)),
        str(formats.get_format("THOUSAND_SEPARATOR", language)),
        formats.get_format("NUMBER_GROUPING", language) == 3,
    )


def _in_form(value: float, form: _NumberForm) -> str:
    """What Django's `floatformat` makes of it, in a quarter of the time: receipts are full of amounts."""
    separators = _separators(get_language() or settings.LANGUAGE_CODE, is_localised=form.is_localised)
    number = Decimal(str(value))
    places = 0 if form.is_short and number == number.to_integral_value() else form.places
    rounded = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) or Decimal(0)  # no sign before a zero
    if not (form.is_grouped and separators.by_three):
        return f"{rounded:.{places}f}".replace(".", separators.decimal)
    whole, _, fraction = f"{rounded:,.{places}f}".partition(".")
    whole = whole.replace(",", separators.thousands)
    return f"{whole}{separators.decimal}{fraction}" if fraction else whole


@register.filter("truncatechars", is_safe=True)
def checked_truncatechars(value: Any, most: Any) -> str:
    """The text, cut to so many characters, the last one an ellipsis."""
    text = str(value)
    head = text if len(text) <= MAX_TRUNCATED else text[: MAX_TRUNCATED + 1]
    return str(defaultfilters.truncatechars(head, min(int(most), MAX_TRUNCATED)))


@register.filter("join", is_safe=True, needs_autoescape=True)
def checked_join(items: Any, separator: Any, autoescape: bool = True) -> str:
    """The values of a list with a text between them. Django's own joins letters too, and so may make gigabytes."""
    if items is None:
        return ""
    if not isinstance(items, tuple):
        raise RenderingStopped("join takes a list.")
    between, *texts = [conditional_escape(each) if autoescape else str(each) for each in (separator, *items)]
    if sum(map(len, texts)) + len(texts) * len(between) > MAX_OUTPUT:
        raise RenderingStopped("join makes too much text.")
    joined = between.join(texts)
    return mark_safe(joined) if autoescape else joined  # noqa: S308  every text was escaped above


register.filter("number", as_number)
register.filter("currency", as_currency)
register.filter("plural", as_plural)

FILTERS: dict[str, Callable[..., Any]] = {name: getattr(defaultfilters, name) for name in HARMLESS} | register.filters
