"""The frame around an e-mail's words, so that preview and mail are the same.

A layout holds `{{ content }}` once, in its HTML and in its text. The words may come in blocks: what stands behind
`<!-- block: footer -->` goes where the layout says `{{ footer }}`, and so with `header`; in a text the footer begins
behind a line of two dashes. `{{ title }}`, `{{ locale }}`, `{{ direction }}`, `{{ start }}` and `{{ end }}` (left or
right, the other way round where people read from the right) are filled in as well. All of that happens when a version
is published; other placeholders of a layout stay, as those of the words do.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from django.db import transaction

from templates_app.compilation import CompilationProblem, html_from_mjml, with_styles_inlined
from templates_app.locales import is_right_to_left
from templates_app.models import Layout, TemplateContent
from templates_app.safe_engine import TemplateSyntaxProblem, compile_text
from templates_app.text_part import text_from_html
from users import audit
from users.models import User

#: Where a frame takes in the mail's own words.
SLOT = "{{ content }}"
SLOTS = re.compile(r"\{\{ *(content|header|footer|title|locale|direction|start|end) *\}\}")
BLOCK = re.compile(r"^[ \t]*<!-- *block: *(\w+) *-->[ \t]*\n?", re.MULTILINE)
#: The usual line between a mail and its signature.
TEXT_FOOTER = re.compile(r"^-- ?\n", re.MULTILINE)
#: A document of its own, which nothing is put around.
WHOLE_DOCUMENT = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype|html|mjml)\b", re.IGNORECASE | re.DOTALL)
TAG = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})")


class LayoutInvalid(ValueError):
    """A layout cannot be stored; the message names the part and the remedy."""


class Finished(NamedTuple):
    """What is sent of a mail's content, still with its placeholders."""

    html: str
    text: str


def current_layout(code: str) -> Layout | None:
    """The newest version of a layout; None when there is none of this code, which means no frame."""
    return Layout.objects.filter(code=code).order_by("-number").first()


def locked_layout(code: str) -> Layout | None:
    """As above, and nobody stores another of this code before the transaction ends."""
    # The first version never goes; the newest may be another once its lock is free.
    Layout.objects.select_for_update(no_key=True).filter(code=code, number=1).first()
    return current_layout(code)


@transaction.atomic
def store_layout(
    *, code: str, name: str, html: str, text: str = SLOT, by: User | None = None, reason: str = ""
) -> Layout:
    """The next version of a layout; the newest one when nothing differs. Published versions keep theirs.

    Of two at the same instant each gets a number of its own. Raises `LayoutInvalid`.
    """
    check_layout(html=html, text=text)
    words = {"name": name, "html": html, "text": text}
    newest = locked_layout(code)
    if newest is None:
        # There is no row to lock: of two first ones the constraint lets one in, the other comes after it.
        first, is_ours = Layout.objects.get_or_create(code=code, number=1, defaults={**words, "created_by": by})
        if is_ours:
            _note_stored(first, after=None, by=by, reason=reason)
            return first
        newest = locked_layout(code) or first
    if all(getattr(newest, column) == said for column, said in words.items()):
        return newest
    stored = Layout.objects.create(code=code, number=newest.number + 1, created_by=by, **words)
    _note_stored(stored, after=newest, by=by, reason=reason)
    return stored


def _note_stored(stored: Layout, *, after: Layout | None, by: User | None, reason: str) -> None:
    audit.note(
        who=by or "the command line",
        what="layout.stored",
        about=stored,
        before={"number": after.number, "name": after.name} if after else None,
        after={"number": stored.number, "name": stored.name},
        why=reason,
    )


def check_layout(*, html: str, text: str) -> None:
    """Raises `LayoutInvalid`, whose message begins with the part: `html: ` or `text: `."""
    for part, source in (("html", html), ("text", text)):
        if len(re.findall(r"\{\{ *content *\}\}", source)) != 1:
            raise LayoutInvalid(f"{part}: write {SLOT} once, where the words of the mail go.")
        try:
            compile_text(SLOTS.sub("", source))
        except TemplateSyntaxProblem as problem:
            raise LayoutInvalid(f"{part}: {problem.message}") from None


def compile_content(content: TemplateContent, layout: Layout | None) -> None:
    """Set what of a mail's content is sent, where that is not what was written.

    Sets the fields; whoever wants them kept saves the content. Raises `CompilationProblem`.
    """
    finished = finish(content, layout)
    content.compiled_html = finished.html if finished.html != content.html else ""
    content.compiled_text = finished.text if finished.text != content.text else ""


def finish(content: TemplateContent, layout: Layout | None) -> Finished:
    """A mail's content as it is sent: compiled, framed, its styles in its elements. Raises `CompilationProblem`."""
    own = _own_html(content.html, content.source_format)
    text = content.text or _text_of(own)
    if layout and text:
        text = _framed_text(layout.text, text)
    if content.source_format == TemplateContent.SourceFormat.MJML:
        return Finished(own, text)  # MJML has its own word for rules that go into their elements
    if layout and own and not WHOLE_DOCUMENT.match(own):
        return Finished(_inlined_in_frame(own, layout, content), text)
    return Finished(with_styles_inlined(own), text)


def made_text(html: str, source_format: str) -> str:
    """The text part of a mail that has only HTML. Raises `CompilationProblem` or `TemplateSyntaxProblem`."""
    return _text_of(_own_html(html, source_format))


def _own_html(html: str, source_format: str) -> str:
    return html_from_mjml(html) if html and source_format == TemplateContent.SourceFormat.MJML else html


def _text_of(html: str) -> str:
    return text_from_html(BLOCK.sub(lambda found: "<p>--</p>" if found[1] == "footer" else "", html))


def _inlined_in_frame(own: str, layout: Layout, content: TemplateContent) -> str:
    framed = _framed_html(layout.html, own, locale=content.locale, subject=content.subject)
    try:
        return with_styles_inlined(framed)
    except CompilationProblem as problem:
        # Once more by itself: the line the editor sees is that of the words, not of the frame around them.
        with_styles_inlined("<style>p{}</style>" + own)
        raise CompilationProblem(f"In the layout {layout.code}: {problem.message}", None) from None


def _framed_html(frame: str, own: str, *, locale: str, subject: str) -> str:
    is_mirrored = is_right_to_left(locale)
    values = {
        "title": "".join(part if index % 2 else escape(part) for index, part in enumerate(TAG.split(subject))),
        "locale": escape(locale),
        "direction": "rtl" if is_mirrored else "ltr",
        "start": "right" if is_mirrored else "left",
        "end": "left" if is_mirrored else "right",
    }
    return _filled(frame, values | _blocks(own))


def _framed_text(frame: str, own: str) -> str:
    content, *footer = TEXT_FOOTER.split(own, maxsplit=1)
    return _filled(frame, {"content": content.rstrip(), "footer": "".join(footer).rstrip()})


def _blocks(own: str) -> dict[str, str]:
    first, *others = BLOCK.split(own)
    return {"content": first.rstrip()} | {
        name: words.rstrip() for name, words in zip(others[::2], others[1::2], strict=True)
    }


def _filled(frame: str, values: Mapping[str, str]) -> str:
    return SLOTS.sub(lambda found: values.get(found[1], ""), frame)
