"""The text part of an e-mail, made from its HTML.

It is made of the template source when a version is published, so that placeholders and tags stay in it as they are.
"""

import re
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser

from templates_app.safe_engine import refuse_unpaired_delimiters

#: Kept apart from the HTML while it is read: a tag may hold quotes and angle brackets. Comments of the template go.
TEMPLATE_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
#: Private characters that stand for a tag of the template: one for values, one for tags without text of their own.
VALUE, STEP, END = "\ue000", "\ue001", "\ue002"
STAND_IN = re.compile(f"[{VALUE}{STEP}](\\d+){END}")
#: A filter whose <br> would be seen as such.
LINE_BREAKING_FILTER = re.compile(r"\|\s*linebreaksbr\b")
STEP_STAND_IN = re.compile(f"({STEP}\\d+{END})")
PRIVATE = re.compile(f"[{VALUE}{STEP}{END}]")

#: What html.parser may read: everything else in angle brackets is taken out first. Its own search for the end of a tag
#: is quadratic when there is none: 20 kB took 5 s.
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
DECLARATION = re.compile(r"<[!?][^<>]*>")
#: Longer tags are pictures written out as data.
LONG_TAG = re.compile(r"<[^<>]{10000,}>")
BROKEN_TAG = re.compile(r"<(?![^<>]*>)")

SKIPPED = frozenset({"head", "title", "style", "script", "template", "svg", "select", "textarea", "object", "iframe"})
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl"}
    | {"blockquote", "pre", "figure", "form", "hr", "address"}
)
LINES = frozenset(
    {"div", "section", "article", "header", "footer", "main", "nav", "aside", "center"}
    | {"tr", "thead", "tbody", "tfoot", "caption", "li", "dt", "dd", "figcaption"}
)
#: Levels of lists that are indented further.
MAX_INDENT = 8
CELLS = frozenset({"td", "th"})
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
#: Characters that only widen a preview line in the inbox, and soft hyphens.
INVISIBLE = re.compile("[\u00ad\u034f\u200b\u2060\ufeff]")
BLANKS = re.compile(r"[\s\xa0]+")
BLANKS_AT_END = re.compile(r" +(?=\n)")
#: Text that would be read as a tag of the template, although it was written with entities in the HTML.
LOOKS_LIKE_TAG = re.compile(r"\{(?=[{%#])")


def text_from_html(html: str) -> str:
    """The HTML as plain text: link targets, headings, lists, table rows and the words for pictures are kept.

    Hidden elements, styles and scripts are left out; lines are not wrapped. `{{ placeholders }}` and tags stay. Raises
    TemplateSyntaxProblem when one of those has no end.
    """
    refuse_unpaired_delimiters(html)
    tags: dict[str, int] = {}
    source = TEMPLATE_TAG.sub(lambda found: _stand_in(found[0], tags), PRIVATE.sub("", html))
    for unwanted in (COMMENT, DECLARATION, LONG_TAG):
        source = unwanted.sub("", source)
    source = BROKEN_TAG.sub("&lt;", source)
    reader = _Reader()
    reader.feed(source)
    reader.close()
    text = LOOKS_LIKE_TAG.sub("{ ", BLANKS_AT_END.sub("", reader.text()))
    written = list(tags)
    return STAND_IN.sub(lambda found: LINE_BREAKING_FILTER.sub("", written[int(found[1])]), text)


def _stand_in(tag: str, tags: dict[str, int]) -> str:
    if tag.startswith("{#"):
        return ""
    return f"{VALUE if tag.startswith('{{') else STEP}{tags.setdefault(tag, len(tags))}{END}"


class _Reader(HTMLParser):
    """Collects text. Line breaks and separators wait until text follows, so that they never pile up."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._breaks = 0  # line breaks wanted before the next text
        self._written_breaks = 2  # those at the end of what was written; the beginning counts as a new paragraph
        self._between = ""  # a blank or a separator of cells wanted before the next text on this line
        self._beside_dash = False  # in a list entry that shows nothing yet but its dash
        self._indents: list[str] = []  # one per open list
        self._link: tuple[str, int] | None = None  # target of the open link, and where its text begins
        self._hidden, self._hidden_depth = "", 0  # the element not shown that we are in, and how often it is open

    def text(self) -> str:
        return "".join(self._out).strip()

    # --- what html.parser finds
    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "body":
            self._hidden, self._hidden_depth = "", 0  # the end of the head may be left out
        if self._hidden:
            self._hidden_depth += tag == self._hidden
        elif tag in SKIPPED or "hidden" in found or HIDDEN_STYLE.search(found.get("style", "")):
            self._hidden, self._hidden_depth = ("", 0) if tag in VOID else (tag, 1)
        else:
            self._break_for(tag)
            self._begin(tag, found)

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            self._hidden_depth -= tag == self._hidden
            if not self._hidden_depth:
                self._hidden = ""
            return
        if tag == "a" and self._link:
            self._end_link(*self._link)
            self._link = None
        elif tag in ("ul", "ol") and self._indents:
            self._indents.pop()
        elif tag in CELLS and not self._written_breaks:
            self._between = " | "
        self._break_for(tag)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        for index, piece in enumerate(STEP_STAND_IN.split(data)):
            if index % 2:
                self._write_step(piece)
            else:
                self._write(piece)

    # --- writing
    def _begin(self, tag: str, found: Mapping[str, str]) -> None:
        match tag:
            case "br":
                self._breaks = min(self._breaks + 1, 2)
            case "a":
                self._link = (found.get("href", "").strip(), len(self._out))  # links are never inside each other
            case "img":
                self._write(found.get("alt", ""))
            case "ul" | "ol":
                self._indents.append("  " * min(len(self._indents), MAX_INDENT))
            case "li":
                self._write_dash()
            case "hr":
                self._write("---")
                self._break_for(tag)

    def _break_for(self, tag: str) -> None:
        if tag in PARAGRAPHS and not (self._indents and tag in ("ul", "ol")):
            self._breaks = max(self._breaks, 2)
        elif tag in LINES or tag in PARAGRAPHS:
            self._breaks = max(self._breaks, 1)

    def _write(self, data: str) -> None:
        text = BLANKS.sub(" ", INVISIBLE.sub("", data))
        if not text.strip():
            self._between = self._between or text
            return
        self._flush(text[0] == " ")
        self._out.append(text.strip())
        self._written_breaks = 0
        self._between = " " if text[-1] == " " else ""

    def _write_dash(self) -> None:
        self._beside_dash = False  # the entry before may have been empty
        self._flush()
        self._out.append(f"{self._indents[-1] if self._indents else ''}- ")
        self._written_breaks, self._beside_dash = 0, True

    def _write_step(self, stand_in: str) -> None:
        """A tag such as `if` shows nothing: what waits belongs before it, so that its lines come and go with it."""
        self._flush()
        self._out.append(stand_in)

    def _flush(self, begins_with_blank: bool = False) -> None:
        """Write what waits: line breaks, or else a blank or separator; nothing beside the dash of a list entry."""
        if self._beside_dash:
            self._beside_dash = False
        elif self._breaks > self._written_breaks:
            self._out.append("\n" * (self._breaks - self._written_breaks))
            self._written_breaks = self._breaks
        elif not self._written_breaks and (self._between or begins_with_blank):
            self._out.append(self._between or " ")
        self._breaks, self._between = 0, ""

    def _end_link(self, target: str, begin: int) -> None:
        shown = "".join(self._out[begin:]).strip()
        bare = target.removeprefix("mailto:")
        if not target or target.startswith("#") or shown in (target, bare):
            return
        if shown:
            self._out.append(f" ({target})")
        else:
            self._write(target)
