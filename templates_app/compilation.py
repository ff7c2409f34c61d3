"""What an editor wrote, made ready to send: MJML becomes HTML, rules of style sheets go into the elements they are for.

Done once, when a version is published, never per message. Placeholders and tags of the template language leave it as
they came: private characters stand for them while other libraries read the markup, and afterwards each must be in its
place. Nothing is fetched from anywhere.

The two libraries are loaded with the first document: most processes only send what has been made ready long ago.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from templates_app.markup_pieces import Kind, MarkupProblem, Piece, pieces_of, require_readable
from templates_app.safe_engine import TemplateSyntaxProblem, refuse_unpaired_delimiters

if TYPE_CHECKING:
    import css_inline

TEMPLATE_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
#: Around the number of a tag; nobody types them.
BEGIN, END = "\ue003", "\ue004"
PRIVATE = re.compile(f"[{BEGIN}{END}]")
STAND_IN = re.compile(f"{BEGIN}(\\d+){END}")
#: Between elements a step is a comment, which may stand anywhere; text may not, for instance between rows of a table.
AS_COMMENT = re.compile(f"<!--({BEGIN}(\\d+){END})-->")
#: A stand-in that is neither in quotes nor begins a value without quotes.
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|=\s*[^\s\"'>]+")
STYLE_ATTRIBUTE = re.compile(r"""(?<=[\s"'])style(?=\s*=\s*["'])""", re.IGNORECASE)
#: An element's own style, put aside: other rules must not be merged into a value that holds a tag.
OWN_STYLE = "data-own-style"
BOTH_STYLES = re.compile(rf'{OWN_STYLE}="([^"]*)"(.*?) style="([^"]*)"', re.DOTALL)
EMPTY_STYLE = re.compile(r"<style[^<>]*>\s*</style>")
IGNORED_STYLE = ' data-css-inline="ignore"'
#: Elements that stand around others whether they were written or not.
IMPLIED = frozenset({"html", "head", "body", "tbody"})
#: Tags behind which a table takes no text.
BETWEEN_CELLS = {
    Kind.START: frozenset({"table", "thead", "tbody", "tfoot", "tr"}),
    Kind.END: frozenset({"thead", "tbody", "tfoot", "tr", "td", "th", "caption"}),
}
#: Elements of MJML in which a comment would be text.
ONLY_TEXT = frozenset({"mj-title", "mj-preview", "mj-style"})
ROW_GROUP = re.compile(r"</?tbody>")
#: Braces that an entity kept from being a tag.
WOULD_BE_TAG = re.compile(r"\{(?=[{%#])")
#: The library writes characters in attributes so when they are not for the eyes: a stand-in, a no-break space.
ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
MJML_POSITION = re.compile(r"^(.*?)(?: in root template)?(?: at position (\d+):\d+)?$")

#: What MJML knows; the library lets other tags through as they are.
MJML_ELEMENTS = frozenset(
    {"mjml", "mj-head", "mj-body", "mj-title", "mj-preview", "mj-breakpoint", "mj-font", "mj-style", "mj-attributes"}
    | {"mj-all", "mj-class", "mj-html-attributes", "mj-selector", "mj-html-attribute", "mj-section", "mj-column"}
    | {"mj-group", "mj-wrapper", "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-raw"}
    | {"mj-hero", "mj-navbar", "mj-navbar-link", "mj-social", "mj-social-element", "mj-accordion"}
    | {"mj-accordion-element", "mj-accordion-title", "mj-accordion-text", "mj-carousel", "mj-carousel-image"}
)


class CompilationProblem(Exception):
    """The source cannot be made into HTML. `line` counts from 1; None when it is the source as a whole."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def html_from_mjml(source: str) -> str:
    """The HTML of an MJML document, its tags and placeholders in their places. Raises CompilationProblem.

    Links to fonts elsewhere are left out: a mail fetches nothing.
    """
    import mrml  # noqa: PLC0415  see above

    tags = _Tags(source)
    prepared = tags.with_steps_as_comments(_require_mjml(tags))
    try:
        made = mrml.to_html(
            prepared,
            mrml.ParserOptions(include_loader=mrml.noop_loader()),
            mrml.RenderOptions(fonts={}),
        ).content
    except OSError as error:
        raise _mjml_problem(error, prepared) from None
    made = ESCAPED.sub(lambda found: _unescaped(found, source=tags.source), made)
    return tags.restored(made, is_rearranged=True)


@lru_cache(maxsize=16)  # publishing needs every language of a version twice, an editor at the same one often
def with_styles_inlined(source: str) -> str:
    """The HTML with the rules of its style sheets in the elements they are for. Raises CompilationProblem.

    What cannot stand in an element, such as `@media` and `:hover`, stays in the style sheet. HTML without a style sheet
    stays as it is, to the letter.
    """
    if "<style" not in source.lower():
        return source
    tags = _Tags(source)
    made = _inliner().inline(tags.with_steps_as_comments(tags.pieces()))
    if "<tbody" not in source.lower():
        made = ROW_GROUP.sub("", made)
    made = EMPTY_STYLE.sub("", _with_own_styles(made).replace(IGNORED_STYLE, ""))
    return tags.restored(made)


@cache
def _inliner() -> "css_inline.CSSInliner":
    import css_inline  # noqa: PLC0415  see above

    return css_inline.CSSInliner(
        load_remote_stylesheets=False,
        keep_link_tags=True,
        keep_style_tags=True,
        keep_at_rules=True,
        remove_inlined_selectors=True,
    )


# --- tags of the template language ------------------------------------------------------------------------------------
class _Step(NamedTuple):
    """How deep in elements a block began, and which tag began it."""

    depth: int
    number: int


class _Tags:
    """The tags and placeholders of one source, each under a number; notes in `{# #}` go."""

    def __init__(self, source: str) -> None:
        try:
            refuse_unpaired_delimiters(source)
        except TemplateSyntaxProblem as problem:
            raise CompilationProblem(problem.message, problem.line) from None
        self.written: list[str] = []
        self.source = TEMPLATE_TAG.sub(self._put_apart, PRIVATE.sub("", source))

    def _put_apart(self, found: re.Match[str]) -> str:
        if found[0].startswith("{#"):
            return ""
        self.written.append(found[0])
        return f"{BEGIN}{len(self.written) - 1}{END}"

    def pieces(self) -> list[Piece]:
        """The markup around the stand-ins. Raises CompilationProblem where it cannot be read."""
        try:
            require_readable(self.source)
            return list(pieces_of(self.source))
        except MarkupProblem as problem:
            raise self.problem(problem.message, problem.position) from None

    def with_steps_as_comments(self, pieces: Iterable[Piece]) -> str:
        """The source as the libraries may read it."""
        return "".join(self._prepared(pieces))

    def _prepared(self, pieces: Iterable[Piece]) -> Iterator[str]:
        before = None
        for piece in pieces:
            if piece.kind is Kind.START:
                yield self._prepared_tag(piece)
            elif piece.kind is Kind.TEXT and not (before and before.kind is Kind.START and before.name in ONLY_TEXT):
                yield self._prepared_text(piece, before)
            else:
                yield piece.source
            if piece.kind in (Kind.START, Kind.END):
                before = piece

    def _prepared_text(self, piece: Piece, before: Piece | None) -> str:
        is_between_cells = before is not None and before.name in BETWEEN_CELLS[before.kind]
        for found in STAND_IN.finditer(piece.source):
            if is_between_cells and not self.is_step(found):
                raise self._misplaced(int(found[1]))
        return STAND_IN.sub(lambda found: f"<!--{found[0]}-->" if self.is_step(found) else found[0], piece.source)

    def _prepared_tag(self, piece: Piece) -> str:
        if bare := STAND_IN.search(QUOTED.sub("", piece.source)):
            message = (
                f"{self.written[int(bare[1])]} stands in a tag outside quotes. Put it inside the quotes of a value."
            )
            raise self.problem(message, piece.position)
        if piece.name == "style" and self._has_tags_in(piece):
            return f"<style{IGNORED_STYLE}{piece.source[6:]}"
        return STYLE_ATTRIBUTE.sub(OWN_STYLE, piece.source)

    def _has_tags_in(self, element: Piece) -> bool:
        begin = element.position + len(element.source)
        return BEGIN in self.source[begin : self.source.lower().find(f"</{element.name}", begin)]

    def is_step(self, stand_in: re.Match[str]) -> bool:
        """Whether it shows nothing by itself, such as `if`."""
        written = self.written[int(stand_in[1])]
        return written.startswith("{%") and _word(written) != "firstof"

    def restored(self, made: str, *, is_rearranged: bool = False) -> str:
        """The HTML with its tags back. Raises CompilationProblem when one is not where it was.

        `is_rearranged`: attributes may have gone to other elements, even to several.
        """
        expected, present = _numbers(self.source), _numbers(made)
        if is_rearranged:
            for number in range(len(self.written)):
                if number not in present:
                    raise self._misplaced(number)
            expected, present = self._between_elements(made, expected), self._between_elements(made, present)
        for number, found in zip_longest(expected, present):
            if number != found:
                raise self._misplaced(number if number is not None else found)
        self._require_whole_elements_in_blocks(made)
        made = WOULD_BE_TAG.sub("&#123;", made)
        return STAND_IN.sub(lambda found: self.written[int(found[1])], AS_COMMENT.sub(r"\1", made))

    def _between_elements(self, made: str, numbers: list[int]) -> list[int]:
        there = {int(found[2]) for found in AS_COMMENT.finditer(made)}
        return [number for number in numbers if number in there]

    def _misplaced(self, number: int) -> CompilationProblem:
        message = (
            f"{self.written[number]} cannot stand here: mail programs would move or drop it. "
            "In a table it belongs inside a cell, or around whole rows."
        )
        return self.problem(message, self._position(number))

    def _position(self, number: int) -> int:
        return self.source.index(f"{BEGIN}{number}{END}")

    def _require_whole_elements_in_blocks(self, made: str) -> None:
        depth, blocks = 0, list[_Step]()
        for piece in pieces_of(made):
            if piece.kind is Kind.END and piece.name not in IMPLIED:
                depth -= 1
            for found in STAND_IN.finditer(piece.source):
                if self.is_step(found):
                    self._step(int(found[1]), depth, blocks)
            if blocks and depth < blocks[-1].depth:
                raise self._crossed(blocks[-1].number)
            if piece.kind is Kind.START and piece.name not in IMPLIED and not piece.is_empty_element:
                depth += 1

    def _step(self, number: int, depth: int, blocks: list[_Step]) -> None:
        word = _word(self.written[number])
        is_later = word.startswith("end") or word in ("else", "elif", "empty")
        if is_later and blocks and depth != blocks[-1].depth:
            raise self._crossed(number)
        if word.startswith("end"):
            blocks[-1:] = []
        elif not is_later:
            blocks.append(_Step(depth, number))

    def _crossed(self, number: int) -> CompilationProblem:
        message = (
            f"An element begins on one side of {self.written[number]} and ends on the other. "
            "Between a tag and its end there must be whole elements, each with its end tag."
        )
        return self.problem(message, self._position(number))

    def problem(self, message: str, position: int) -> CompilationProblem:
        """A problem at a position of the source; tags never hold a line break, so lines are the editor's own."""
        shown = STAND_IN.sub(lambda found: self.written[int(found[1])], message)
        return CompilationProblem(shown, self.source.count("\n", 0, position) + 1)


def _numbers(source: str) -> list[int]:
    """Of all stand-ins in their order; within a tag sorted, for attributes have none."""
    numbers: list[int] = []
    for piece in pieces_of(source):
        here = [int(found[1]) for found in STAND_IN.finditer(piece.source)]
        numbers += sorted(here) if piece.kind is Kind.START else here
    return numbers


def _word(tag: str) -> str:
    words = tag[2:-2].split(maxsplit=1)
    return words[0] if words else ""


# --- styles -----------------------------------------------------------------------------------------------------------
def _with_own_styles(made: str) -> str:
    """An element's own style comes last, so that it wins as it did before."""
    return "".join(
        _with_own_style(piece.source) if piece.kind is Kind.START and OWN_STYLE in piece.source else piece.source
        for piece in pieces_of(made)
    )


def _with_own_style(tag: str) -> str:
    def both(found: re.Match[str]) -> str:
        return f'style="{found[3].rstrip("; ")};{found[1]}"{found[2]}'

    merged, count = BOTH_STYLES.subn(both, tag)
    return merged if count else tag.replace(OWN_STYLE, "style", 1)


# --- MJML -------------------------------------------------------------------------------------------------------------
def _require_mjml(tags: _Tags) -> list[Piece]:
    """The pieces of an MJML document. The library says little of what is wrong, and takes unknown tags for HTML."""
    pieces = tags.pieces()
    tops = [piece for piece in pieces if piece.kind is Kind.START]
    if not tops or tops[0].name != "mjml":
        raise tags.problem("MJML begins with <mjml>.", tops[0].position if tops else 0)
    for piece in pieces:
        if piece.kind is Kind.START:
            _require_known(piece, tags)
    _require_ends(pieces, tags)
    return pieces


def _require_known(piece: Piece, tags: _Tags) -> None:
    if piece.name == "mj-include":
        raise tags.problem("There is nothing to include: write the parts into one document.", piece.position)
    if piece.name.startswith("mj") and piece.name not in MJML_ELEMENTS:
        raise tags.problem(f"There is no <{piece.name}> in MJML.", piece.position)


def _require_ends(pieces: Iterable[Piece], tags: _Tags) -> None:
    opened: list[Piece] = []
    for piece in pieces:
        if piece.kind is Kind.START and not piece.source.endswith("/>"):
            opened.append(piece)
        elif piece.kind is Kind.END:
            if not opened or opened[-1].name != piece.name:
                begun = f" <{opened[-1].name}> must end first." if opened else ""
                raise tags.problem(f"</{piece.name}> ends nothing here.{begun}", piece.position)
            opened.pop()
    if opened:
        name = opened[-1].name
        raise tags.problem(f"<{name}> has no end: </{name}> is missing.", opened[-1].position)


def _mjml_problem(error: OSError, prepared: str) -> CompilationProblem:
    found = MJML_POSITION.match(str(error))
    words, position = (found[1], found[2]) if found else (str(error), None)
    line = prepared.encode()[: int(position)].count(b"\n") + 1 if position else _line_no_xml(prepared)
    return CompilationProblem(f"This is not MJML: {words}.", line)


def _line_no_xml(source: str) -> int | None:
    """The first line that is not XML, which MJML must be."""
    parser = expat.ParserCreate()
    parser.UseForeignDTD(True)  # names such as &nbsp; are known elsewhere
    try:
        parser.Parse(source, True)
    except expat.ExpatError as error:
        return error.lineno
    return None


def _unescaped(found: re.Match[str], *, source: str) -> str:
    character = chr(int(found[1], 16))
    return character if character in source else found[0]
