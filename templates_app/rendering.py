"""Fill values into the words of a message: sources in, finished parts out (pure).

Every part is compiled alone, so that a tag cannot begin in one part and end in another. HTML is escaped, the other
parts are not. Compiled parts of published versions are kept in the process.
"""

import json
import re
import time
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from django.conf import settings
from django.utils.html import escape
from django.utils.translation import get_supported_language_variant, override

from templates_app.bounded_nodes import RenderingStopped, has_refused_scheme
from templates_app.reader_locale import reading_in
from templates_app.safe_engine import (
    SafeTemplate,
    TemplateSyntaxProblem,
    ValueNotAllowed,
    compile_html,
    compile_text,
    inert,
)
from templates_app.text_part import text_from_html
from templates_app.variables import GIVEN

#: Processor time for all parts of one message together.
RENDERING_TIME = timedelta(milliseconds=100)
#: Characters of a rendered subject, preheader or title.
MAX_LINE = 255
#: Bytes of the words of one push; the push services take no more.
MAX_PUSH = 4096
#: Characters of source whose compiled form is kept; it takes some ten times as many bytes.
KEPT_SOURCE = 8 * 1024 * 1024

NOT_ON_ONE_LINE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")
BODY_BEGINS = re.compile(r"<body\b", re.IGNORECASE)
BODY_TAG = re.compile(r"""<body(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)
#: Seen in the list of an inbox, not in the mail. Outlook needs a word of its own.
PREHEADER = '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all">{}</div>'
#: An `if` that shows nothing leaves its lines behind.
EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")


@dataclass(frozen=True, slots=True)
class EmailWords:
    """The sources of an e-mail. Without `text` it is made from `html`."""

    subject: str
    preheader: str = ""
    html: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class PushWords:
    """The sources of a push message. Every value of `data` is a source, its keys are not."""

    title: str
    body: str
    image: str = ""
    link: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    #: Buttons; every value is a source.
    actions: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class RenderedEmail:
    """An e-mail with its values. `html` begins with the hidden preheader; `cut` names the parts that were too long."""

    subject: str
    preheader: str
    html: str
    text: str
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RenderedPush:
    """A push message with its values. `cut` names the parts that were too long."""

    title: str
    body: str
    image: str
    link: str
    data: Mapping[str, str]
    actions: tuple[Mapping[str, str], ...] = ()
    cut: tuple[str, ...] = ()


class RenderingFailed(Exception):
    """A part cannot be compiled or rendered. `part` is subject, html, data/screen … or variables. It names no value."""

    def __init__(self, part: str, message: str, line: int | None = None) -> None:
        super().__init__(f"{part}, line {line}: {message}" if line else f"{part}: {message}")
        self.part = part
        self.message = message
        self.line = line


def render_email(
    words: EmailWords, values: Mapping[str, object], *, locale: str, cache_key: Hashable | None = None
) -> RenderedEmail:
    """The e-mail in the language of `locale`. `cache_key` is the id of a published version. Raises RenderingFailed."""
    sources = {"subject": words.subject, "preheader": words.preheader, "html": words.html}
    sources["text"] = words.text or _made_text(words.html)
    parts = _render(sources, dict.fromkeys(GIVEN) | dict(values), place=(cache_key, locale, "email"))
    subject, preheader = _one_line(parts["subject"]), _one_line(parts["preheader"])
    return RenderedEmail(
        subject=subject.text,
        preheader=preheader.text,
        html=_with_preheader(parts["html"], preheader.text),
        text=EMPTY_LINES.sub("\n\n", parts["text"]).strip(),
        cut=_cut_parts(subject=subject, preheader=preheader),
    )


def render_push(
    words: PushWords, values: Mapping[str, object], *, locale: str, cache_key: Hashable | None = None
) -> RenderedPush:
    """The push message in the language of `locale`. `cache_key` as for an e-mail. Raises RenderingFailed."""
    sources = {"title": words.title, "body": words.body, "image": words.image, "link": words.link}
    data_sources = {f"data/{key}": source for key, source in words.data.items()}
    buttons = {f"actions/{n}/{key}": text for n, each in enumerate(words.actions) for key, text in each.items()}
    parts = _render(sources | data_sources | buttons, values, place=(cache_key, locale, "push"))
    for part in ("image", "link", *(each for each in buttons if each.endswith("/link"))):
        if has_refused_scheme(parts[part]):
            raise RenderingFailed(part, "This is not an address with https, http or mailto.")
    title = _one_line(parts["title"])
    data = {key: parts[f"data/{key}"] for key in words.data}
    push = RenderedPush(
        title=title.text,
        body=parts["body"].strip(),
        image=parts["image"].strip(),
        link=parts["link"].strip(),
        data=data,
        actions=tuple(
            {key: parts[f"actions/{n}/{key}"].strip() for key in each} for n, each in enumerate(words.actions)
        ),
        cut=_cut_parts(title=title),
    )
    size = json.dumps([push.title, push.body, push.image, push.link, data, push.actions], ensure_ascii=False)
    if len(size.encode("utf-8", "replace")) > MAX_PUSH:
        raise RenderingFailed("body", f"The message has more than {MAX_PUSH} bytes.")
    return push


def _made_text(html: str) -> str:
    try:
        return text_from_html(html)
    except TemplateSyntaxProblem as problem:
        raise RenderingFailed("html", problem.message, problem.line) from None


# --- all parts of a message ------------------------------------------------------------------------------------------
def _render(
    sources: Mapping[str, str], values: Mapping[str, object], *, place: tuple[Hashable | None, str, str]
) -> dict[str, str]:
    """Each part by its name. `place` is the version's id, the locale and the channel."""
    try:
        plain = {name: inert(value) for name, value in values.items()}
    except ValueNotAllowed as refused:
        raise RenderingFailed("variables", str(refused)) from None
    templates = {part: _compiled(source, (*place, part)) for part, source in sources.items() if source}
    rendered = dict.fromkeys(sources, "")
    # The language first: reading its catalogue from disk is not the template's fault.
    with override(_language(place[1])), reading_in(place[1]):
        until = time.thread_time() + RENDERING_TIME.total_seconds()
        for part, template in templates.items():
            try:
                rendered[part] = template.fill(plain, until=until)
            except RenderingStopped as stopped:
                raise RenderingFailed(part, stopped.message, stopped.line) from None
    return rendered


class _Place(NamedTuple):
    version_id: Hashable | None
    locale: str
    channel: str
    part: str


class _KeptTemplates:
    """Compiled parts by place, those used last; bounded by the length of their sources."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._length = 0
        self._kept: OrderedDict[_Place, SafeTemplate] = OrderedDict()
        self._lock = Lock()

    def get(self, place: _Place, source: str) -> SafeTemplate | None:
        with self._lock:
            template = self._kept.get(place)
            # A caller that gives a key to a draft gets its words all the same, only slower.
            if template is None or template.source != source:
                return None
            self._kept.move_to_end(place)
            return template

    def keep(self, place: _Place, template: SafeTemplate) -> None:
        with self._lock:
            before = self._kept.pop(place, None)
            self._kept[place] = template
            self._length += _weight(template) - (_weight(before) if before else 0)
            while self._length > self._most:
                self._length -= _weight(self._kept.popitem(last=False)[1])


def _weight(template: SafeTemplate) -> int:
    return len(template.source) + 500  # the shortest template takes room too


_kept_templates = _KeptTemplates(KEPT_SOURCE)


def _compiled(source: str, place: tuple[Hashable | None, str, str, str]) -> SafeTemplate:
    where = _Place(*place)
    template = _kept_templates.get(where, source) if where.version_id is not None else None
    if template is None:
        try:
            template = (compile_html if where.part == "html" else compile_text)(source)
        except TemplateSyntaxProblem as problem:
            raise RenderingFailed(where.part, problem.message, problem.line) from None
        if where.version_id is not None:
            _kept_templates.keep(where, template)
    return template


@lru_cache(maxsize=1000)
def _language(locale: str) -> str:
    """The language in which Django writes months and numbers for `locale`; English where it knows none.

    Only languages it has: it keeps a catalogue in memory for every name it is asked for.
    """
    try:
        return get_supported_language_variant(locale.lower())
    except LookupError:
        return settings.LANGUAGE_CODE


# --- finishing --------------------------------------------------------------------------------------------------------
class _Line(NamedTuple):
    text: str
    was_cut: bool


def _one_line(text: str) -> _Line:
    """Without line breaks and control characters, which end a header early, and not too long."""
    line = NOT_ON_ONE_LINE.sub(" ", text).strip()
    if len(line) <= MAX_LINE:
        return _Line(line, was_cut=False)
    return _Line(line[: MAX_LINE - 1].rstrip() + "…", was_cut=True)


def _cut_parts(**lines: _Line) -> tuple[str, ...]:
    return tuple(part for part, line in lines.items() if line.was_cut)


def _with_preheader(html: str, preheader: str) -> str:
    if not html or not preheader:
        return html
    begins = BODY_BEGINS.search(html)
    body = BODY_TAG.match(html, begins.start()) if begins else None
    position = body.end() if body else 0
    return html[:position] + PREHEADER.format(escape(preheader)) + html[position:]
