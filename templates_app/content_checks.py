"""What blocks publishing and what only warns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from templates_app.models import TemplateContent, TemplateVersion
from templates_app.safe_engine import TemplateSyntaxProblem, compile_html, compile_text, variable_lines
from templates_app.variables import DeclaredVariable, parse_variables
from users.channels import Channel

#: The parts that are templates, and which of them a content cannot do without.
PARTS = {
    Channel.EMAIL: ("subject", "preheader", "html", "text"),
    Channel.PUSH: ("title", "body", "image", "link"),
}
REQUIRED = {Channel.EMAIL: ("subject", "html"), Channel.PUSH: ("title", "body")}
#: Gmail cuts longer mails.
HTML_WARNING = 102 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to mend (`error`) or to look at (`warning`)."""

    level: Literal["error", "warning"]
    code: str
    #: Such as contents/de/email/subject.
    path: str
    detail: str
    line: int | None = None


def check_version(version: TemplateVersion, *, publisher: str = "") -> list[Finding]:
    """All findings of a version, errors first. `publisher`: who wants to publish it, as `drafting.name_of` has it."""
    variables = {each.name: each for each in parse_variables(version.variables)}
    contents = list(version.contents.all())
    findings = [*_check_second_person(version, publisher), *_check_default_locale(version, contents)]
    used: set[str] = set()
    for content in contents:
        for finding, names in _check_content(content, variables):
            used |= names
            if finding:
                findings.append(finding)
    findings += [
        Finding(level="warning", code="variable_unused", path=f"variables/{name}", detail=f"{name} is used nowhere.")
        for name in variables
        if name not in used
    ]
    return sorted(findings, key=lambda each: each.level != "error")


def _check_second_person(version: TemplateVersion, publisher: str) -> Iterator[Finding]:
    if version.template.needs_second_person and publisher and publisher in version.writers:
        yield Finding(
            level="error",
            code="second_person_needed",
            path="",
            detail="Whoever wrote this draft cannot publish it; ask a colleague.",
        )


def _check_default_locale(version: TemplateVersion, contents: list[TemplateContent]) -> Iterator[Finding]:
    default = version.template.default_locale
    channels = sorted({content.channel for content in contents}) or ["email"]
    present = {(content.locale, content.channel) for content in contents}
    for channel in channels:
        if (default, channel) not in present:
            yield Finding(
                level="error",
                code="missing_default_locale",
                path=f"contents/{default}/{channel}",
                detail=f"There are no words in {default}, the language used when no other fits.",
            )


def _check_content(
    content: TemplateContent, variables: dict[str, DeclaredVariable]
) -> Iterator[tuple[Finding | None, set[str]]]:
    channel = Channel(content.channel)
    where = f"contents/{content.locale}/{channel}"
    for part in REQUIRED[channel]:
        if not getattr(content, part).strip():
            detail = f"The {part} is empty."
            yield Finding(level="error", code="missing_field", path=f"{where}/{part}", detail=detail), set()
    sources = {part: getattr(content, part) for part in PARTS[channel]}
    sources |= {f"data/{key}": str(source) for key, source in content.data.items()}
    for part, source in sources.items():
        yield from _check_part(source, f"{where}/{part}", variables, is_html=part == "html")
    if len(content.html.encode()) > HTML_WARNING:
        detail = "The HTML is over 102 kB; some inboxes cut it there."
        yield Finding(level="warning", code="html_over_102_kb", path=f"{where}/html", detail=detail), set()


def _check_part(
    source: str, path: str, variables: dict[str, DeclaredVariable], *, is_html: bool
) -> Iterator[tuple[Finding | None, set[str]]]:
    try:
        (compile_html if is_html else compile_text)(source)
        names = variable_lines(source)
    except TemplateSyntaxProblem as problem:
        detail = problem.message
        yield Finding(level="error", code="syntax", path=path, detail=detail, line=problem.line), set()
        return
    yield None, set(names)
    for name, line in names.items():
        if name not in variables:
            detail = f"{{{{ {name} }}}} is not declared."
            yield Finding(level="error", code="variable_unknown", path=path, detail=detail, line=line), set()
