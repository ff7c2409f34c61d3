"""In which order locales stand in for each other, and which way they are written (pure)."""

from collections.abc import Iterator

from users.locales import normalise_locale

#: Languages and scripts written from right to left.
RIGHT_TO_LEFT_LANGUAGES = frozenset(
    {"ar", "arc", "ckb", "dv", "fa", "he", "iw", "ji", "khw", "ks", "lrc"}
    | {"mzn", "nqo", "pnb", "ps", "sd", "skr", "syr", "ug", "ur", "yi"}
)
RIGHT_TO_LEFT_SCRIPTS = frozenset({"Adlm", "Arab", "Aran", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"})


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
