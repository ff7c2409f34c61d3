"""Locales: language tags in the form of BCP 47, and in which order they stand in for each other (pure)."""

import re
from collections.abc import Iterator

#: Characters of a locale; RFC 5646 asks readers to provide for as many.
MAX_LOCALE = 35

#: A well-formed tag: language, extended language, script, region, variants, extensions, private use.
TAG = re.compile(
    r"[a-z]{2,3}(-[a-z]{3})?(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(-[a-wyz0-9](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?",
    re.ASCII | re.IGNORECASE,
)

#: Languages and scripts written from right to left.
RIGHT_TO_LEFT_LANGUAGES = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ji", "khw", "ks", "lrc"}
    | {"mzn", "nqo", "pnb", "ps", "sd", "skr", "syr", "ug", "ur", "yi"}
)
RIGHT_TO_LEFT_SCRIPTS = frozenset({"Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"})


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


def fallback_chain(requested: str | None, user_locale: str | None, default_locale: str) -> list[str]:
    """The locales to try, best first: pt-BR, pt, the person's, its language, the default. Each stands once.

    What is no locale is left out.
    """
    wanted = [*_with_parents(requested), *_with_parents(user_locale), *list(_with_parents(default_locale))[:1]]
    return list(dict.fromkeys(wanted))


def _with_parents(locale: str | None) -> Iterator[str]:
    """The locale and what is left of it when subtags are taken off its end (RFC 4647 look-up)."""
    try:
        parts = normalise_locale(locale or "").split("-")
    except ValueError:
        return
    while parts:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:  # a tag cannot end with the letter of an extension
            parts.pop()


def is_right_to_left(locale: str) -> bool:
    """Whether the locale's script runs from right to left; a script in the tag decides over its language."""
    try:
        language, *rest = normalise_locale(locale).split("-")
    except ValueError:
        return False
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    return script in RIGHT_TO_LEFT_SCRIPTS if script else language in RIGHT_TO_LEFT_LANGUAGES
