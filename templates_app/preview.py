"""One content with example values, for the eyes. Nothing is stored or sent."""

from dataclasses import dataclass
from typing import Any

from templates_app.models import TemplateContent
from templates_app.rendering import EmailWords, RenderingFailed, render_email, render_push
from templates_app.selection import words_in
from templates_app.variables import DeclaredVariable, parse_variables, typed_values


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


def example_values(variables: tuple[DeclaredVariable, ...]) -> dict[str, Any]:
    """A value for each variable: its example, else its default, else its own name."""
    return {
        each.name: each.example if each.example is not None else each.default if each.default is not None else each.name
        for each in variables
    }


def preview(content: TemplateContent) -> Preview:
    """The content filled with example values."""
    declared = parse_variables(content.version.variables)
    values = typed_values(declared, example_values(declared))
    words = words_in(content)
    try:
        if isinstance(words, EmailWords):
            mail = render_email(words, values, locale=content.locale)
            return Preview(title=mail.subject, html=mail.html, text=mail.text)
        push = render_push(words, values, locale=content.locale)
        return Preview(title=push.title, text=push.body, image=push.image)
    except RenderingFailed as failure:
        return Preview(problem=str(failure))
