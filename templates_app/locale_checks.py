"""Whether the translations of a version keep up with its default locale (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from templates_app.findings import Finding, warning


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsSeen:
    """What counts of the words of one locale and channel."""

    locale: str
    channel: str
    #: Variables they use.
    names: frozenset[str]
    #: Addresses, as they are written.
    links: frozenset[str]
    revision: int
    #: The revision of the default locale's words these were written after; None when nobody knows.
    source_revision: int | None


def check_locales(words: Iterable[WordsSeen], *, default: str) -> Iterator[Finding]:
    """Missing, outdated and differing translations, as warnings."""
    found = {(each.locale, each.channel): each for each in words}
    sources = {channel: each for (locale, channel), each in found.items() if locale == default}
    for locale in sorted({locale for locale, _ in found} - {default}):
        for channel, source in sorted(sources.items()):
            where = f"contents/{locale}/{channel}"
            if translation := found.get((locale, channel)):
                yield from _compare(source, translation, where)
            else:
                detail = f"{locale} has words, but not for {channel}; people get them in {default}."
                yield warning("locale_incomplete", where, detail)


def _compare(source: WordsSeen, translation: WordsSeen, where: str) -> Iterator[Finding]:
    if translation.source_revision is not None and translation.source_revision < source.revision:
        detail = f"The words in {source.locale} changed after these were written."
        yield warning("locale_outdated", where, detail)
    for name in sorted(source.names ^ translation.names):
        where_used = "in the default language" if name in source.names else "here"
        yield warning("locale_variables_differ", where, f"The variable {name} is used {where_used} alone.")
    # Addresses may lead to the same page in another language; how many there are should be the same.
    if len(source.links) != len(translation.links):
        detail = f"{len(translation.links)} different addresses; the default language has {len(source.links)}."
        yield warning("locale_links_differ", where, detail)
