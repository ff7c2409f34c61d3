"""Words with values, for the eyes and for checks. Nothing is stored or sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from templates_app.findings import Finding, warning
from templates_app.models import TemplateContent, TemplateVersion
from templates_app.rendering import EmailWords, RenderingFailed, render_email, render_push
from templates_app.sample_data import example_values
from templates_app.selection import words_in
from templates_app.usage import CallerShape
from templates_app.variables import DeclaredVariable, check_values, parse_variables, typed_values

#: Sets of names that callers send, the most frequent ones, with which a draft is tried.
TRIED_SHAPES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the person would get; `problem` says why there is nothing to see."""

    #: The subject of a mail, the title of a push.
    title: str = ""
    html: str = ""
    #: The text part of a mail, the body of a push.
    text: str = ""
    image: str = ""
    problem: str = ""


def preview(content: TemplateContent, values: Mapping[str, Any] | None = None) -> Preview:
    """The content filled with these values, or with the examples of its version."""
    declared = parse_variables(content.version.variables)
    given = typed_values(declared, example_values(declared) if values is None else values)
    try:
        words = words_in(content)
        if isinstance(words, EmailWords):
            mail = render_email(words, given, locale=content.locale)
            return Preview(title=mail.subject, html=mail.html, text=mail.text)
        push = render_push(words, given, locale=content.locale)
        return Preview(title=push.title, text=push.body, image=push.image)
    except RenderingFailed as failure:
        return Preview(problem=str(failure))


def shape_problems(
    version: TemplateVersion,
    declared: Sequence[DeclaredVariable],
    contents: Sequence[TemplateContent],
    callers: Sequence[CallerShape],
) -> Iterator[Finding]:
    """Try a draft with its examples, its sample sets, and what callers send: names of theirs, values of ours."""
    for content in contents:
        yield from _try(content, "the examples", example_values(declared))
    defaults = [each for each in contents if each.locale == version.template.default_locale]
    for name, values in _other_values(version, declared, callers):
        checked = check_values(declared, values)
        if checked.findings:
            wrong = ", ".join(sorted({each.pointer.removeprefix("/variables/") for each in checked.findings}))
            yield warning("sample_does_not_fit", "variables", f"{name} does not fit: {wrong}.")
            continue
        for content in defaults:
            yield from _try(content, name, checked.values)


def _other_values(
    version: TemplateVersion, declared: Sequence[DeclaredVariable], callers: Sequence[CallerShape]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for sample in version.template.sample_sets.all():
        yield f"the sample set “{sample.name}”", sample.variables
    examples = example_values(declared)
    required = {each.name for each in declared if each.required}
    # Who does not send what is required is refused at once; that is a finding of its own.
    shapes = dict.fromkeys(each.names for each in callers if each.names >= required)
    for names in list(shapes)[:TRIED_SHAPES]:
        shown = ", ".join(sorted(names)) or "no variables"
        yield f"what callers send ({shown})", {name: examples[name] for name in names if name in examples}


def _try(content: TemplateContent, name: str, values: Mapping[str, Any]) -> Iterator[Finding]:
    if problem := preview(content, values).problem:
        where = f"contents/{content.locale}/{content.channel}"
        yield warning("does_not_render", where, f"With {name} it cannot be rendered: {problem}")
