"""A template engine with an allow-list: what people may write into a template, and nothing else.

The library below holds the tags and filters of the API document, taken one by one from Django. There is no `load`,
`include`, `extends`, `block`, `autoescape` or `safe`, no attribute look-up and no call. Values are plain data, made
unchangeable by `inert`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, Never

from django.template import defaulttags
from django.template.base import (
    Lexer,
    Node,
    NodeList,
    Parser,
    Template,
    TextNode,
    Token,
    TokenType,
    VariableDoesNotExist,
    VariableNode,
)
from django.template.defaulttags import FirstOfNode, ForNode, IfNode, WithNode
from django.template.engine import Engine
from django.template.exceptions import TemplateSyntaxError
from django.template.library import Library

from templates_app.bounded_nodes import (
    MAX_OUTPUT,
    BoundedContext,
    BoundedExpression,
    CountedFirstOf,
    CountedFor,
    CountedIf,
    CountedText,
    CountedValue,
    CountedWith,
    RenderingStopped,
    names_in,
)
from templates_app.safe_filters import FILTERS

#: Characters of one source.
MAX_SOURCE = 256 * 1024
#: Tags and placeholders in one source.
MAX_TAGS = 5_000
#: Characters of one tag. Django takes tags apart with expressions that are quadratic in their length.
MAX_TAG_LENGTH = 1_000
#: Words of one tag, and so operators of one `if`: its tree is walked recursively.
MAX_TAG_WORDS = 100
#: Tags inside tags: each costs stack frames, however many the caller has left.
MAX_NESTING = 30
#: Lists and objects inside each other; the API allows less.
MAX_VALUE_DEPTH = 10
PLAIN_TYPES = frozenset({str, int, float, Decimal, bool, type(None), date, datetime})
DELIMITERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
OPENING_DELIMITER = re.compile(r"\{[{%#]")
URL_ATTRIBUTE_BEGINS = re.compile(
    r"""(?:\A|[\s"'/:])(?:href|src|srcset|action|formaction|background|poster|data|cite|longdesc)\s*=\s*["']?\s*\Z""",
    re.IGNORECASE,
)
BINDABLE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


class TemplateSyntaxProblem(Exception):
    """The source is not in the template language. `line` counts from 1; None when it is the source as a whole."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class ValueNotAllowed(TypeError):
    """A value is not plain data. The message names its type, never the value."""


def inert(value: object, depth: int = 0) -> object:
    """The same data, unchangeable: dicts become read-only mappings, lists tuples.

    Raises ValueNotAllowed for anything but plain data. Subclasses are refused too: a str that calls itself safe would
    not be escaped.
    """
    if depth > MAX_VALUE_DEPTH:
        raise ValueNotAllowed(f"Values may be nested {MAX_VALUE_DEPTH} deep.")
    if isinstance(value, float | Decimal) and not _is_finite(value):
        raise ValueNotAllowed("Numbers must be finite.")
    if type(value) in PLAIN_TYPES:
        return value
    if type(value) in (list, tuple):
        return tuple(inert(each, depth + 1) for each in value)  # type: ignore[attr-defined]  # a list or a tuple, as just checked
    if type(value) in (dict, MappingProxyType):
        return MappingProxyType({_plain_key(key): inert(each, depth + 1) for key, each in value.items()})  # type: ignore[attr-defined]
    raise ValueNotAllowed(f"A value of type {type(value).__name__} cannot enter a template.")


def _is_finite(number: float | Decimal) -> bool:
    return number.is_finite() if isinstance(number, Decimal) else number - number == 0


def _plain_key(key: object) -> str:
    if type(key) is not str:
        raise ValueNotAllowed("The keys of an object must be text.")
    return key


# --- the library: tags ------------------------------------------------------------------------------------------------
register = Library()
register.tag("comment", defaulttags.comment)


@register.tag("if")
def checked_if(parser: Parser, token: Token) -> IfNode:
    """`{% if %}`, `{% elif %}`, `{% else %}`."""
    return CountedIf(defaulttags.do_if(parser, token).conditions_nodelists)


@register.tag("for")
def checked_for(parser: Parser, token: Token) -> ForNode:
    """`{% for %}` with `{% empty %}`, `reversed` and `forloop`."""
    node = defaulttags.do_for(parser, token)
    _refuse_unbindable(node.loopvars)
    return CountedFor(node)


@register.tag("with")
def checked_with(parser: Parser, token: Token) -> WithNode:
    """`{% with short=long.name %}`."""
    node = defaulttags.do_with(parser, token)
    _refuse_unbindable(node.extra_context)
    return CountedWith(node)


@register.tag
def firstof(parser: Parser, token: Token) -> FirstOfNode:
    """`{% firstof a b "neither" %}`, with `as` to keep the result."""
    node = defaulttags.firstof(parser, token)
    _refuse_unbindable([node.asvar] if node.asvar else [])
    return CountedFirstOf(node.vars, node.asvar)


def _refuse_unbindable(names: Any) -> None:
    for name in names:
        if not BINDABLE_NAME.fullmatch(name):
            raise TemplateSyntaxError(f"A name begins with a letter and has letters, digits and underscores: '{name}'")


# --- the library: filters ---------------------------------------------------------------------------------------------
register.filters.update(FILTERS)


# --- compiling --------------------------------------------------------------------------------------------------------
class SafeParser(Parser):
    """Django's parser with counted nodes, plain look-ups and a limited depth."""

    def __init__(self, tokens: list[Token], builtins: list[Library]) -> None:
        super().__init__(tokens, builtins=builtins)
        self._depth = 0
        self._text_before = ""
        self._after_text = False

    def parse(self, parse_until: Any = None) -> NodeList:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise TemplateSyntaxError(f"Tags may be nested {MAX_NESTING - 1} deep.")
        nodes = super().parse(parse_until)
        self._depth -= 1
        return nodes

    def next_token(self) -> Token:
        token = super().next_token()
        if token.token_type == TokenType.BLOCK and len(token.contents.split()) > MAX_TAG_WORDS:
            raise self.error(token, f"A tag may have {MAX_TAG_WORDS} words.")
        return token

    def compile_filter(self, token: str) -> BoundedExpression:
        return BoundedExpression(token, self)

    def extend_nodelist(self, nodelist: NodeList, node: Node, token: Token) -> None:
        if isinstance(node, TextNode):
            # A comment of the template leaves two texts side by side.
            self._text_before = (self._text_before[-100:] if self._after_text else "") + node.s
            node = CountedText(node.s)
        elif isinstance(node, VariableNode):
            node = CountedValue(node.filter_expression)
        if isinstance(node, CountedValue | CountedFirstOf):
            node.is_link = URL_ATTRIBUTE_BEGINS.search(self._text_before[-100:]) is not None
        self._after_text = isinstance(node, CountedText)
        super().extend_nodelist(nodelist, node, token)

    def invalid_block_tag(self, token: Token, command: str, parse_until: Any = None) -> Never:
        expected = f" Expected: {', '.join(parse_until)}." if parse_until else ""
        raise self.error(token, f"There is no tag '{command}' here.{expected}")

    def find_filter(self, filter_name: str) -> Any:
        if filter_name not in self.filters:
            raise TemplateSyntaxError(f"There is no filter '{filter_name}'.")
        return super().find_filter(filter_name)


class SafeTemplate(Template):
    """A compiled part of a message. It keeps no state: threads may share it."""

    engine: SafeEngine

    def compile_nodelist(self) -> NodeList:
        nodes = SafeParser(Lexer(self.source).tokenize(), self.engine.template_builtins).parse()
        #: Whether there is nothing to fill in; sources are shorter than results may be.
        self._is_fixed = len(nodes) == 1 and isinstance(nodes[0], CountedText)
        return nodes

    def fill(self, values: Mapping[str, object], *, until: float) -> str:
        """The text with `values`, which must be inert. `until` is a reading of `time.thread_time`.

        Raises RenderingStopped.
        """
        if self._is_fixed:
            return str(self.source)
        context = BoundedContext(values, autoescape=self.engine.autoescape, until=until)
        # Django's own `render` prepares for blocks, cycles and inclusion, which are not here: a third of a short part.
        context.template = self
        try:
            text = str(self.nodelist.render(context))
        except RenderingStopped as stopped:
            raise RenderingStopped(stopped.message, stopped.line or context.line) from None
        except VariableDoesNotExist as missing:
            raise RenderingStopped(str(missing), context.line) from None
        except Exception as error:  # noqa: BLE001  any filter, any error; its text may hold a value
            raise RenderingStopped(f"A tag or filter failed ({type(error).__name__}).", context.line) from None
        if context.stopped:
            raise context.stopped
        if len(text) > MAX_OUTPUT // 4 and len(text.encode("utf-8", "replace")) > MAX_OUTPUT:
            raise RenderingStopped(f"The result is longer than {MAX_OUTPUT // 1024} KiB.")
        return text


class SafeEngine(Engine):
    """What people may write."""

    default_builtins = ["templates_app.safe_engine"]

    def from_string(self, template_code: str) -> SafeTemplate:
        return SafeTemplate(template_code, engine=self)


@cache
def _engine(*, autoescape: bool) -> SafeEngine:
    return SafeEngine(loaders=[], autoescape=autoescape)


def compile_text(source: str) -> SafeTemplate:
    """The template of a part that is not HTML: values enter as they are. Raises TemplateSyntaxProblem."""
    return _compile(source, autoescape=False)


def compile_html(source: str) -> SafeTemplate:
    """The template of an HTML part: values are escaped. Raises TemplateSyntaxProblem."""
    return _compile(source, autoescape=True)


def _compile(source: str, *, autoescape: bool) -> SafeTemplate:
    refuse_unpaired_delimiters(source)
    try:
        return _engine(autoescape=autoescape).from_string(source)
    except TemplateSyntaxError as error:
        raise TemplateSyntaxProblem(str(error), _line_of(error)) from None
    except Exception as error:  # noqa: BLE001  Django's parser lets StopIteration, RecursionError and others through
        raise TemplateSyntaxProblem(f"A tag cannot be read ({type(error).__name__}).", _line_of(error)) from None


def _line_of(error: Exception) -> int | None:
    token = getattr(error, "token", None)  # Django's parser hangs the tag on what went wrong
    return token.lineno if token else None


def refuse_unpaired_delimiters(source: str) -> None:
    """Raise TemplateSyntaxProblem unless every `{{`, `{%` and `{#` ends on its own line.

    Looks at every character at most twice, where Django's own splitting is quadratic when they do not end: 40 kB of
    `{#` took it 9 s. Length and number of the tags are limited too.
    """
    if len(source) > MAX_SOURCE:
        raise TemplateSyntaxProblem(f"A source may have {MAX_SOURCE // 1024} KiB.", None)
    position = tags = 0
    while opening := OPENING_DELIMITER.search(source, position):
        start, closing = opening.start(), DELIMITERS[opening[0]]
        end = source.find(closing, start + 2)
        problem = None
        if end < 0 or source.find("\n", start, end) >= 0:
            problem = (
                f"{opening[0]} without {closing} on the same line. Braces that mean themselves need a space between."
            )
        elif end - start > MAX_TAG_LENGTH and closing != "#}":
            problem = f"A tag may have {MAX_TAG_LENGTH} characters."
        elif (tags := tags + 1) > MAX_TAGS:
            problem = f"A source may have {MAX_TAGS} tags."
        if problem:
            raise TemplateSyntaxProblem(problem, source.count("\n", 0, start) + 1)
        position = end + 2


def referenced_variables(source: str) -> set[str]:
    """The top-level names a template reads, without those its loops, `with` and `firstof … as` bind.

    Raises TemplateSyntaxProblem.
    """
    return set(variable_lines(compile_text(source)))


def variable_lines(template: SafeTemplate) -> dict[str, int]:
    """The same names of what is compiled, each with the first line that reads it, counted from 1."""
    lines: dict[str, int] = {}
    for name, line in names_in(template.nodelist):
        lines.setdefault(name, line)
    return lines


__all__ = [
    "RenderingStopped",
    "SafeEngine",
    "SafeTemplate",
    "TemplateSyntaxProblem",
    "ValueNotAllowed",
    "compile_html",
    "compile_text",
    "inert",
    "referenced_variables",
    "refuse_unpaired_delimiters",
    "variable_lines",
]
