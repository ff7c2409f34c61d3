"""Numbers, amounts and plural forms as people of a locale write them: babel's knowledge, bounded."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, format_decimal

from templates_app.bounded_nodes import RenderingStopped

#: Beyond it numbers are written out digit by digit, which is no help to anybody.
LARGEST = Decimal(10) ** 18
MAX_DECIMAL_PLACES = 20
#: Separates the forms of `plural`, and a form from its words; # is the number.
FORMS, WORDS, NUMBER = "|", "=", "#"

_locale: ContextVar[str] = ContextVar("reader_locale", default="en")


@contextmanager
def reading_in(locale: str) -> Iterator[None]:
    """Within it, numbers are written for readers of `locale`."""
    before = _locale.set(locale)
    try:
        yield
    finally:
        _locale.reset(before)


def as_number(value: Any, places: Any = None) -> str:
    """1,234.5 in English, 1.234,5 in German; with so many decimal places if given. Nothing for a missing one."""
    if value in (None, ""):
        return ""
    pattern = None
    if places is not None:
        if type(places) is not int or not 0 <= places <= MAX_DECIMAL_PLACES:
            raise RenderingStopped(f"number takes 0 to {MAX_DECIMAL_PLACES} decimal places.")
        pattern = "#,##0" + ("." + "0" * places if places else "")
    return format_decimal(_checked(value), format=pattern, locale=_babel_locale(_locale.get()))


def as_currency(value: Any, currency: Any) -> str:
    """€1,234.50 in English, 1.234,50 € in German, for `currency:"EUR"`. Nothing for a missing amount."""
    if value in (None, ""):
        return ""
    if not (isinstance(currency, str) and len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise RenderingStopped("currency takes a code of three letters, such as EUR.")
    return format_currency(_checked(value), currency.upper(), locale=_babel_locale(_locale.get()))


def as_plural(value: Any, forms: Any) -> str:
    """The words for a number by the rules of the language: `plural:"one=# parcel|other=# parcels"`.

    The forms are those of CLDR: zero, one, two, few, many, other. One that is not given is as `other`.
    """
    number = _checked(value)
    given = dict(part.split(WORDS, 1) for part in str(forms).split(FORMS) if WORDS in part)
    if "other" not in given:
        raise RenderingStopped('plural takes forms such as "one=# parcel|other=# parcels"; other is needed.')
    locale = _babel_locale(_locale.get())
    words = given.get(locale.plural_form(number), given["other"])
    return words.replace(NUMBER, format_decimal(number, locale=locale))


def _checked(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise RenderingStopped("A filter for numbers was given something that is no number.")
    number = Decimal(str(value))
    if abs(number) >= LARGEST or (number and number.adjusted() < -MAX_DECIMAL_PLACES):
        raise RenderingStopped("A number is too large or too small to be written.")
    return number


@lru_cache(maxsize=500)
def _babel_locale(tag: str) -> Locale:
    """The closest that babel knows; English where it knows none."""
    parts = tag.split("-")
    while parts:
        try:
            return Locale.parse("-".join(parts), sep="-")
        except (UnknownLocaleError, ValueError):
            parts.pop()
    return Locale("en")
