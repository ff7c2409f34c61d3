"""What blocks publishing and what only warns: everything about a version as it stands."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from templates_app.caller_checks import check_callers
from templates_app.compile_checks import check_compiled
from templates_app.findings import Finding, error, warning
from templates_app.locale_checks import WordsSeen, check_locales
from templates_app.markup import Markup, links_of, read_markup
from templates_app.models import TemplateContent, TemplateVersion
from templates_app.preview import shape_problems
from templates_app.rendering import MAX_PUSH
from templates_app.safe_engine import MAX_SOURCE, TemplateSyntaxProblem, compile_html, compile_text, variable_lines
from templates_app.usage import callers_of
from templates_app.variables import GIVEN, DeclaredVariable, parse_variables
from users.channels import Channel

__all__ = ["Finding", "check_content", "check_version"]

#: The parts that are templates, and which of them a content cannot do without.
PARTS = {
    Channel.EMAIL: ("subject", "preheader", "html", "text"),
    Channel.PUSH: ("title", "body", "image", "link"),
}
REQUIRED = {Channel.EMAIL: ("subject", "html"), Channel.PUSH: ("title", "body")}
#: Gmail cuts longer mails.
HTML_WARNING = 102 * 1024
#: Characters of fixed words that a locked phone shows of a push; Android shows the least of a title, iOS of a body.
SHOWN_OF_PUSH = {"title": ("Android", 65), "body": ("iOS", 178)}


@dataclass(slots=True)
class _Seen:
    """What the check of one content came across."""

    findings: list[Finding] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)


def check_version(version: TemplateVersion, *, publisher: str = "") -> list[Finding]:
    """All findings of a version, errors first. `publisher`: who wants to publish it, as `drafting.name_of` has it.

    An error of code `breaking_change` may be acknowledged; all others have to be mended.
    """
    declared = parse_variables(version.variables)
    contents = list(version.contents.all())
    findings = [*_check_second_person(version, publisher), *_check_default_locale(version, contents)]
    seen: dict[tuple[str, str], _Seen] = {}
    for content in contents:
        each = seen[content.locale, content.channel] = check_content(content, declared)
        findings += each.findings
    used = {name for each in seen.values() for name in each.names}
    findings += [
        warning("variable_unused", f"variables/{each.name}", f"{each.name} is used nowhere.")
        for each in declared
        if each.name not in used
    ]
    words = [_words_seen(content, seen[content.locale, content.channel]) for content in contents]
    findings += check_locales(words, default=version.template.default_locale)
    findings += _check_unsubscribe(version, contents, seen)
    if version.state == TemplateVersion.State.DRAFT:
        if not any(each.level == "error" for each in findings):
            findings += check_compiled(version, contents)
        callers = callers_of(version.template)
        breaking = list(check_callers(version, declared, callers))
        # What does not compile was told above.
        if not any(each.level == "error" for each in findings):
            findings += shape_problems(version, declared, contents, callers)
        findings += breaking
    return sorted(findings, key=lambda each: each.level != "error")


def check_content(content: TemplateContent, declared: Sequence[DeclaredVariable]) -> _Seen:
    """The words of one locale and channel by themselves."""
    channel, seen = Channel(content.channel), _Seen()
    where = f"contents/{content.locale}/{channel}"
    for part in REQUIRED[channel]:
        if not getattr(content, part).strip():
            seen.findings.append(error("missing_field", f"{where}/{part}", f"The {part} is empty."))
    sources = {part: getattr(content, part) for part in PARTS[channel]}
    sources |= {f"data/{key}": str(source) for key, source in content.data.items()}
    sources |= {f"actions/{n}/{key}": str(each[key]) for n, each in enumerate(content.actions) for key in each}
    names = {each.name for each in declared}
    compiles = {part: _check_part(source, f"{where}/{part}", names, seen) for part, source in sources.items()}
    if channel == Channel.EMAIL and compiles["html"] and content.source_format == "html":
        markup = read_markup(content.html)
        seen.links |= links_of(markup)
        seen.findings += _check_markup(markup, f"{where}/html")
    seen.findings += _check_size(content, sources, where)
    return seen


def _check_part(source: str, path: str, declared: set[str], seen: _Seen) -> bool:
    """Whether it compiles."""
    try:
        compiled = (compile_html if path.endswith("/html") else compile_text)(source)
    except TemplateSyntaxProblem as problem:
        seen.findings.append(error("syntax", path, problem.message, line=problem.line))
        return False
    names = variable_lines(compiled)
    seen.names |= set(names)
    for name, line in names.items():
        if name not in declared and name not in GIVEN:
            seen.findings.append(error("variable_unknown", path, f"{{{{ {name} }}}} is not declared.", line=line))
    return True


def _check_markup(markup: Markup, path: str) -> Iterator[Finding]:
    for line, sentence in markup.problems:
        yield error("unsafe_markup", path, sentence, line=line)
    for line in markup.pictures_without_alt:
        words = 'A picture has no alt: whoever does not see it learns nothing. alt="" is for mere decoration.'
        yield warning("image_without_alt", path, words, line=line)
    for line, address in markup.addresses:
        if address.lower().startswith("http://"):
            yield warning("http_link", path, f"{address} is not https.", line=line)


def _check_size(content: TemplateContent, sources: dict[str, str], where: str) -> Iterator[Finding]:
    for part in ("html", "text"):
        if len(getattr(content, part)) > MAX_SOURCE:
            yield error("too_large", f"{where}/{part}", f"More than {MAX_SOURCE // 1024} KiB.")
    if len(content.html.encode()) > HTML_WARNING:
        yield warning("html_over_102_kb", f"{where}/html", "The HTML is over 102 kB; some inboxes cut it there.")
    if content.channel != Channel.PUSH:
        return
    if len(json.dumps(list(sources.values()), ensure_ascii=False).encode("utf-8", "replace")) > MAX_PUSH:
        yield error("too_large", f"{where}/body", f"A push has at most {MAX_PUSH:,} bytes.")
    for part, (platform, most) in SHOWN_OF_PUSH.items():
        if len(sources[part]) > most:
            words = f"{platform} shows about {most} characters of the {part}; this has {len(sources[part])}."
            yield warning("push_cut_off", f"{where}/{part}", words)


def _check_second_person(version: TemplateVersion, publisher: str) -> Iterator[Finding]:
    if version.template.needs_second_person and publisher and publisher in version.writers:
        yield error("second_person_needed", "", "Whoever wrote this draft cannot publish it; ask a colleague.")


def _check_default_locale(version: TemplateVersion, contents: list[TemplateContent]) -> Iterator[Finding]:
    default = version.template.default_locale
    channels = sorted({content.channel for content in contents}) or ["email"]
    present = {(content.locale, content.channel) for content in contents}
    for channel in channels:
        if (default, channel) not in present:
            words = f"There are no words in {default}, the language used when no other fits."
            yield error("missing_default_locale", f"contents/{default}/{channel}", words)


def _check_unsubscribe(
    version: TemplateVersion, contents: Iterable[TemplateContent], seen: dict[tuple[str, str], _Seen]
) -> Iterator[Finding]:
    """The mail program's own button comes by a header; many people look for a link at the end."""
    if not version.template.category.is_marketing:
        return
    for content in contents:
        each = seen[content.locale, content.channel]
        if content.channel == Channel.EMAIL and not any("unsubscribe" in text for text in each.names | each.links):
            words = "Marketing without a link to unsubscribe; only the button of the mail program is left."
            yield warning("no_unsubscribe_link", f"contents/{content.locale}/email/html", words)


def _words_seen(content: TemplateContent, seen: _Seen) -> WordsSeen:
    return WordsSeen(
        locale=content.locale,
        channel=content.channel,
        names=frozenset(seen.names),
        links=frozenset(seen.links),
        revision=content.revision,
        source_revision=content.source_revision,
    )
