"""Locales: language tags in the form of BCP 47 (pure)."""

import re

#: Characters of a locale; RFC 5646 asks readers to provide for as many.
MAX_LOCALE = 35

#: A well-formed tag: language, extended language, script, region, variants, extensions, private use.
TAG = re.compile(
    r"[a-z]{2,3}(-[a-z]{3})?(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(-[a-wyz0-9](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?",
    re.ASCII | re.IGNORECASE,
)


def is_locale(text: str) -> bool:
    """Whether `text` is a well-formed tag, in any case: pt-BR, zh-Hant-TW. With underscores it is none."""
    return len(text) <= MAX_LOCALE and TAG.fullmatch(text) is not None


def normalise_locale(text: str) -> str:
    """The tag in its usual letters: pt-BR for `PT_br`, zh-Hant-TW for `zh-hant-tw`. Raises ValueError for no locale."""
    tag = text.strip().replace("_", "-")
    if not is_locale(tag):
        raise ValueError("This is not a locale such as en or pt-BR.")
    first, *rest = tag.lower().split("-")
    parts, after_singleton = [first], False
    for part in rest:
        # Behind a single letter such as u or x begin extensions; they are written small.
        parts.append(part if after_singleton else _usual_letters(part))
        after_singleton = after_singleton or len(part) == 1
    return "-".join(parts)


def _usual_letters(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()  # a region
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag  # a script; or anything else
