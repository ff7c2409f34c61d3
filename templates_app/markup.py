"""The HTML of a template as a browser takes it apart: where values may stand, which links and pictures it has (pure).

Values are escaped when they are filled in; that helps in text and inside quotes. Where it does not help, they may not
stand. The reader below goes through the source once, whatever is in it.
"""

import re
from dataclasses import dataclass, field
from html import unescape

from templates_app.bounded_nodes import IGNORED_IN_SCHEMES, SCHEME

#: Tags of the template: a value, a step such as `if`, a comment.
TEMPLATE_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
#: Private characters that stand for them while the HTML is read.
VALUE, STEP = "\ue000", "\ue001"
PRIVATE = re.compile(f"[{VALUE}{STEP}]")
#: Steps that begin, divide and end a block.
OPENING = frozenset({"if", "for", "with", "comment"})
DIVIDING = frozenset({"elif", "else", "empty"})
CLOSING = frozenset({"endif", "endfor", "endwith", "endcomment"})

COMMENT = re.compile(r"<!--(?!\[if)(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL | re.IGNORECASE)
#: What Outlook alone reads; between these stands HTML like any other.
CONDITION = re.compile(
    r"<!--\[if[^\]>]*\]>(?:<!-->|-->)?|<!\[endif\](?:--)?>|<!--<!\[endif\]-->|<!\[if[^\]>]*\]>", re.IGNORECASE
)
TAG_NAME = re.compile(rf"[A-Za-z{PRIVATE.pattern[1:-1]}][^\s/>]*")
BETWEEN_ATTRIBUTES = re.compile(r"[\s/]*")
ATTRIBUTE_NAME = re.compile(r"[^\s/>=]+")
EQUALS = re.compile(r"\s*=\s*")
UNQUOTED = re.compile(r"[^\s>]*")

#: Attributes that hold an address.
ADDRESSES = frozenset(
    {"href", "src", "action", "background", "formaction", "poster", "data", "xlink:href", "srcset", "cite", "longdesc"}
)
#: A tag of the template inside a name: what comes out may be another name.
SPLIT_NAME = re.compile(rf"[{VALUE}{STEP}](?=[^\s{VALUE}{STEP}])")
#: What may come out as the end of a comment.
SPLIT_COMMENT_END = re.compile(rf"-!?[{VALUE}{STEP}]+[-!>]")
#: Characters between an attribute's name and its value; the engine looks no further back.
LONGEST_WAY = 60
FIXED_PREFIX = re.compile(r"\s*(?:https?|mailto):", re.IGNORECASE)
#: Schemes that run something, and `data` where it is no picture.
RUNNING = frozenset({"javascript", "vbscript", "livescript", "file"})
PICTURE_DATA = re.compile(r"data:image/(?:png|gif|jpe?g|webp|avif)[;,]", re.IGNORECASE)
#: Elements no mail program shows, and that some run.
REFUSED_ELEMENTS = frozenset({"script", "iframe", "object", "embed", "applet", "base", "frame", "frameset"})
#: Elements whose content is no HTML.
RAW = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "plaintext"})
#: In these a browser reads entities, so that escaping helps.
RAW_WITH_ENTITIES = frozenset({"textarea", "title"})
#: What mail programs do read: schema.org actions.
LINKED_DATA = "application/ld+json"
#: One mistake is often repeated; so many are told.
MOST_PROBLEMS = 20

IN_TEXT = ("text", 0)


@dataclass(slots=True)
class Markup:
    """What was found. Lines count from 1."""

    #: (line, sentence) of each place where a value could break out, or that runs something.
    problems: list[tuple[int, str]] = field(default_factory=list)
    #: (line, address) of each link and picture; a value is shown as `{{…}}`.
    addresses: list[tuple[int, str]] = field(default_factory=list)
    #: Lines of pictures without words.
    pictures_without_alt: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Attribute:
    name: str
    value: str
    start: int
    is_quoted: bool


def read_markup(source: str) -> Markup:
    """Take an HTML source apart whose delimiters pair up."""
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: str) -> None:
        self._steps: list[str] = []
        self._html = TEMPLATE_TAG.sub(self._stand_in, PRIVATE.sub(" ", source))
        self._found = Markup()
        self._line, self._counted_to = 1, 0
        #: Where the open blocks of the template began.
        self._open: list[tuple[str, int]] = []
        self._step = 0

    def _stand_in(self, found: re.Match[str]) -> str:
        if found[0].startswith("{#"):
            return ""
        words = found[0][2:-2].split()
        if found[0].startswith("{%") and words and words[0] != "firstof":
            self._steps.append(words[0])
            return STEP
        return VALUE

    def read(self) -> Markup:
        position = 0
        while (start := self._html.find("<", position)) >= 0:
            self._pass_steps(position, start, IN_TEXT)
            position = self._read_from(start)
        self._pass_steps(position, len(self._html), IN_TEXT)
        return self._found

    def _read_from(self, start: int) -> int:
        """Read what begins with this `<`; returns where the text goes on."""
        html = self._html
        for pattern in (CONDITION, COMMENT):
            if found := pattern.match(html, start):
                if SPLIT_COMMENT_END.search(found[0]):
                    self._tell(start, "A tag of the template stands where a comment could end.")
                if not found[0].endswith(">"):
                    self._tell(start, "A comment has no end.")
                return self._pass_steps(start, found.end(), ("comment", start))
        if html.startswith(("<!", "<?"), start):
            end = html.find(">", start)
            return self._pass_steps(start, end + 1 if end >= 0 else len(html), ("comment", start))
        is_end = html.startswith("/", start + 1)
        name = TAG_NAME.match(html, start + 1 + is_end)
        if not name:
            return start + 1
        return self._read_tag(start, name, is_end=is_end)

    def _read_tag(self, start: int, name: re.Match[str], *, is_end: bool) -> int:
        attributes: list[_Attribute] = []
        position = self._pass_steps(start, name.end(), ("tag", start))
        if VALUE in name[0] or SPLIT_NAME.search(name[0]):
            self._tell(start, "No tag of the template can stand in the name of an element.")
        while True:
            position = self._pass_steps(position, self._end(BETWEEN_ATTRIBUTES, position), ("tag", start))
            if position >= len(self._html):
                self._tell(start, "An element or a quotation mark has no end.")
                break
            if self._html[position] == ">":
                break
            attribute, position = self._read_attribute(position, start)
            attributes.append(attribute)
        if is_end:
            return position + 1
        element = PRIVATE.sub("", name[0]).lower()
        self._judge_element(element, attributes, start)
        return self._pass_raw(element, position + 1, start)

    def _read_attribute(self, position: int, tag: int) -> tuple[_Attribute, int]:
        html, start = self._html, position
        # A step between attributes is no part of a name; an equals sign may begin one.
        if html[position] == STEP:
            return _Attribute("", "", start, is_quoted=True), self._pass_steps(position, position + 1, ("tag", tag))
        name = ATTRIBUTE_NAME.match(html, position)
        end = name.end() if name else position + 1
        if name and STEP in name[0]:
            end = position + name[0].index(STEP)
            if SPLIT_NAME.search(name[0]):
                self._tell(position, "A block of the template begins or ends inside the name of an attribute.")
        written = html[position:end]
        equals = EQUALS.match(html, end)
        if not equals:
            return _Attribute(written.lower(), "", start, is_quoted=VALUE not in written), end
        position = equals.end()
        quote = html[position : position + 1]
        if quote in ('"', "'"):
            close = html.find(quote, position + 1)
            close = close if close >= 0 else len(html)
            self._pass_steps(position, close, ("value", position))
            value, after = html[position + 1 : close], close + 1
        else:
            after = self._end(UNQUOTED, position)
            self._pass_steps(position, after, ("value", position))
            value = html[position:after]
        is_quoted = quote in ('"', "'") and VALUE not in written
        return _Attribute(written.lower(), value, start, is_quoted=is_quoted), min(after, len(html))

    def _pass_raw(self, element: str, position: int, start: int) -> int:
        if element not in RAW:
            return position
        closing = re.compile(rf"</{element}(?=[\s/>])", re.IGNORECASE).search(self._html, position)
        end = closing.start() if closing else len(self._html)
        if not closing:
            self._tell(start, f"<{element}> has no end.")
        self._pass_steps(position, end, ("raw", start))
        if element not in RAW_WITH_ENTITIES and VALUE in self._html[position:end]:
            where = self._html.index(VALUE, position)
            self._tell(where, f"Inside <{element}> escaping does not help: no value may stand here.")
        return end

    def _end(self, pattern: re.Pattern[str], position: int) -> int:
        found = pattern.match(self._html, position)
        return found.end() if found else position

    # --- blocks of the template
    def _pass_steps(self, start: int, end: int, place: tuple[str, int]) -> int:
        """Hold the steps in a stretch against their blocks; returns `end`."""
        for _ in range(self._html.count(STEP, start, end)):
            step = self._steps[self._step]
            self._step += 1
            if step in OPENING:
                self._open.append(place)
            elif self._open and step in DIVIDING | CLOSING:
                began = self._open.pop() if step in CLOSING else self._open[-1]
                if began != place:
                    self._tell(start, "A block of the template ends in another element or attribute than it began in.")
        return end

    # --- judging
    def _judge_element(self, element: str, attributes: list[_Attribute], start: int) -> None:
        given = {each.name: each.value for each in attributes}
        if element in REFUSED_ELEMENTS and not (element == "script" and given.get("type", "").lower() == LINKED_DATA):
            self._tell(start, f"<{element}> has no place in a message.")
        if element == "meta" and given.get("http-equiv", "").strip().lower() == "refresh":
            self._tell(start, "A message cannot lead elsewhere by itself.")
        if element == "img" and "alt" not in given:
            self._found.pictures_without_alt.append(self._line_of(start))
        for attribute in attributes:
            self._judge_attribute(attribute)

    def _judge_attribute(self, attribute: _Attribute) -> None:
        name, value = attribute.name, attribute.value
        if not attribute.is_quoted and (VALUE in value or VALUE in name):
            self._tell(attribute.start, "Inside a tag a value must stand in quotes.")
        elif name.startswith("on") and len(name) > 2:
            self._tell(attribute.start, f"The attribute {PRIVATE.sub('', name)} runs code.")
        elif name == "srcdoc":
            self._tell(attribute.start, "The attribute srcdoc holds a page of its own.")
        elif name in ADDRESSES:
            self._judge_address(attribute)

    def _judge_address(self, attribute: _Attribute) -> None:
        value = attribute.value
        shown = value.replace(VALUE, "{{…}}").replace(STEP, "").strip()
        self._found.addresses.append((self._line_of(attribute.start), shown))
        if VALUE in value and value.strip() != VALUE and not FIXED_PREFIX.match(value):
            words = "is the whole address, or stands behind https: or mailto:"
            self._tell(attribute.start, f"In {attribute.name} a value {words}.")
        elif value.strip() == VALUE and self._html.index(VALUE, attribute.start) - attribute.start > LONGEST_WAY:
            self._tell(attribute.start, f"Between {attribute.name} and its value stand too many blanks.")
        elif runs_something(value.replace(STEP, "")):
            self._tell(attribute.start, f"The address in {attribute.name} runs code.")

    def _tell(self, position: int, sentence: str) -> None:
        if len(self._found.problems) < MOST_PROBLEMS:
            self._found.problems.append((self._line_of(position), sentence))

    def _line_of(self, position: int) -> int:
        if position < self._counted_to:
            return self._html.count("\n", 0, position) + 1
        self._line += self._html.count("\n", self._counted_to, position)
        self._counted_to = position
        return self._line


def runs_something(address: str) -> bool:
    """Whether a browser would run what it finds at this address, as it stands in an attribute."""
    plain = IGNORED_IN_SCHEMES.sub("", unescape(address))
    scheme = SCHEME.match(plain)
    if scheme is None:
        return False
    word = scheme[1].lower()
    return word in RUNNING or (word == "data" and not PICTURE_DATA.match(plain))


def links_of(markup: Markup) -> set[str]:
    """The fixed part of each address: what a translation should have too."""
    return {address for _, address in markup.addresses if address and not address.startswith("#")}


__all__ = ["Markup", "links_of", "read_markup", "runs_something"]
