"""Markup taken apart into comments, raw elements, tags and text, in time that grows with its length and no faster.

The libraries that read markup for us are fast and trusting: elements some thousands deep end the whole process. So
everything they are handed goes through here first.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

#: Elements inside each other. Mail programs give up far earlier; the libraries use up the stack far later.
MAX_DEPTH = 200

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
#: Elements whose content is text to the letter.
RAW = frozenset({"style", "script", "title", "textarea"})
#: Elements that the next of their kind, or the end of what is around them, ends too.
MAY_STAY_OPEN = frozenset({"p", "li", "dt", "dd", "option", "td", "th", "tr", "tbody", "thead", "tfoot"})

BEGINS_TAG = re.compile(r"</?([a-zA-Z][^\s/><\"']*)")
TAG_ENDS = re.compile(r"""(?>[^"'>]++|"[^"]*+"|'[^']*+')*+>""")


class MarkupProblem(Exception):
    """The markup cannot be read. `position` counts characters from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class Kind(Enum):
    """What a piece is."""

    TEXT = "text"
    #: `<!-- … -->`, and declarations such as `<!doctype html>`.
    COMMENT = "comment"
    #: The content of an element of RAW.
    RAW = "raw"
    START = "start"
    END = "end"


class Piece(NamedTuple):
    """A part of the source; all pieces one after the other are the source."""

    kind: Kind
    source: str
    position: int
    #: Of a tag, in small letters; of a raw piece, that of its element.
    name: str = ""

    @property
    def is_empty_element(self) -> bool:
        """Whether no end tag belongs to it."""
        return self.kind is Kind.START and (self.name in VOID or self.source.endswith("/>"))


def pieces_of(source: str) -> Iterator[Piece]:
    """The pieces of the source, in order. Raises MarkupProblem for a comment, tag or raw element without an end."""
    position = 0
    while position < len(source):
        opening = source.find("<", position)
        if opening < 0:
            opening = len(source)
        if opening > position:
            yield Piece(Kind.TEXT, source[position:opening], position)
            position = opening
            continue
        piece = _piece_at(source, position)
        yield piece
        position += len(piece.source)
        if piece.kind is Kind.START and piece.name in RAW and not piece.source.endswith("/>"):
            raw = _raw_content(source, position, piece)
            yield raw
            position += len(raw.source)


def _piece_at(source: str, position: int) -> Piece:
    if source.startswith("<!--", position):
        end = source.find("-->", position + 4)
        if end < 0:
            raise MarkupProblem("This comment has no end: --> is missing.", position)
        return Piece(Kind.COMMENT, source[position : end + 3], position)
    if source.startswith(("<!", "<?"), position):
        end = source.find(">", position)
        if end < 0:
            raise MarkupProblem("This declaration has no end: > is missing.", position)
        return Piece(Kind.COMMENT, source[position : end + 1], position)
    begins = BEGINS_TAG.match(source, position)
    if not begins:
        return Piece(Kind.TEXT, "<", position)
    ends = TAG_ENDS.match(source, begins.end())
    if not ends:
        raise MarkupProblem("This tag has no end: > or a quote is missing.", position)
    kind = Kind.END if source[position + 1] == "/" else Kind.START
    return Piece(kind, source[position : ends.end()], position, begins[1].lower())


def _raw_content(source: str, position: int, element: Piece) -> Piece:
    end = re.compile(f"</{re.escape(element.name)}", re.IGNORECASE).search(source, position)
    if end is None:
        raise MarkupProblem(f"<{element.name}> has no end: </{element.name}> is missing.", element.position)
    return Piece(Kind.RAW, source[position : end.start()], position, element.name)


def require_readable(source: str) -> None:
    """Raise MarkupProblem for markup that has no end somewhere, or whose elements are too deep inside each other.

    Depth is judged too high rather than too low: an end tag counts only where it surely ends its element.
    """
    open_elements: list[str] = []
    for piece in pieces_of(source):
        if piece.kind is Kind.START and not piece.is_empty_element:
            if open_elements and piece.name == open_elements[-1] and piece.name in MAY_STAY_OPEN:
                open_elements.pop()
            open_elements.append(piece.name)
            if len(open_elements) > MAX_DEPTH:
                raise MarkupProblem(f"Elements may be {MAX_DEPTH} deep inside each other.", piece.position)
        elif piece.kind is Kind.END:
            _end(open_elements, piece.name)


def _end(open_elements: list[str], name: str) -> None:
    index = len(open_elements) - 1
    while index >= 0 and open_elements[index] != name and open_elements[index] in MAY_STAY_OPEN:
        index -= 1
    if index >= 0 and open_elements[index] == name:
        del open_elements[index:]
