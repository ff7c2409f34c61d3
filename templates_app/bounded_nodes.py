"""What a compiled template is made of: Django's own nodes, counted while they render.

Django's nodes trust the author: a dotted name may call a method, a loop may run for ever, a text may grow until memory
is gone. Here a dotted name is an item of plain data and nothing else, and every text, pass and filter result is counted
from inside, so that a hostile template is stopped before it costs something.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from html import escape
from types import MappingProxyType
from typing import Any, NamedTuple

from django.template.base import (
    FilterExpression,
    NodeList,
    Parser,
    TextNode,
    Token,
    Variable,
    VariableDoesNotExist,
    VariableNode,
    render_value_in_context,
)
from django.template.context import Context
from django.template.defaultfilters import default, default_if_none
from django.template.defaulttags import FirstOfNode, ForNode, IfNode, WithNode
from django.template.exceptions import TemplateSyntaxError
from django.utils.safestring import SafeString, mark_safe

#: Characters, and bytes of UTF-8, that one rendered part may have.
MAX_OUTPUT = 512 * 1024
#: Characters that all filters of one part may make together: what is put aside with `with` must not fill the memory.
MAX_MADE = 8 * MAX_OUTPUT
#: Passes that all loops of one part may make together.
MAX_PASSES = 10_000
#: Every so many expressions the clock is read; it costs as much as a look-up.
EXPRESSIONS_PER_CLOCK_READING = 16

#: Names every template knows.
CONSTANTS = frozenset({"True", "False", "None"})
CONTAINERS = frozenset({tuple, dict, MappingProxyType})
#: Browsers drop white space and control characters inside a scheme; so do we before we look at it.
IGNORED_IN_SCHEMES = re.compile(r"[\x00-\x20\x7f-\x9f]+")
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
#: The schemes a link may have. Without a scheme it is relative and cannot run anything.
LINK_SCHEMES = frozenset({"https", "http", "mailto"})


class RenderingStopped(Exception):
    """The template compiled but cannot be rendered with these values. The message may be logged: it names no value."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


def has_refused_scheme(link: str) -> bool:
    """Whether a browser would read `link` as anything but https, http, mailto or a relative address."""
    scheme = SCHEME.match(IGNORED_IN_SCHEMES.sub("", link))
    return scheme is not None and scheme[1].lower() not in LINK_SCHEMES


class BoundedContext(Context):
    """The values of one part and what it has used up so far. `until` is a reading of `time.thread_time`, in seconds."""

    def __init__(self, values: Mapping[str, object], *, autoescape: bool, until: float) -> None:
        # A moment is shown in the offset it was given with, whatever zone this process or a reader of the admin is in.
        super().__init__(dict(values), autoescape=autoescape, use_tz=False)
        self.until = until
        self.line: int | None = None
        self.stopped: RenderingStopped | None = None
        self._written = self._made = self._passes = self._expressions = 0

    def stop(self, message: str) -> None:
        # Kept, because an operator of `{% if %}` takes every exception for "false" and goes on.
        self.stopped = RenderingStopped(message, self.line)
        raise self.stopped

    def wrote(self, characters: int) -> None:
        self._written += characters
        if self._written > MAX_OUTPUT:
            self.stop(f"The result is longer than {MAX_OUTPUT // 1024} KiB.")

    def made(self, characters: int) -> None:
        self._made += characters
        if self._made > MAX_MADE:
            self.stop("The filters make too much text.")

    def begin_pass(self) -> None:
        self._passes += 1
        if self._passes > MAX_PASSES:
            self.stop(f"The loops make more than {MAX_PASSES} passes.")
        self.read_clock()

    def begin_expression(self) -> None:
        self._expressions += 1
        if not self._expressions % EXPRESSIONS_PER_CLOCK_READING:
            self.read_clock()

    def read_clock(self) -> None:
        if time.thread_time() > self.until:
            self.stop("Rendering takes too long.")


class PlainVariable(Variable):
    """A dotted name as keys and indexes of plain data. No attribute is read and nothing is called."""

    def __init__(self, var: str) -> None:
        super().__init__(var)
        if self.lookups is not None and "" in self.lookups:
            raise TemplateSyntaxError(f"A part of the name is missing: '{var}'")

    @property
    def name(self) -> str | None:
        """The top-level name, or None for a literal."""
        if self.lookups is None or self.lookups[0] in CONSTANTS:
            return None
        return str(self.lookups[0])

    def _resolve_lookup(self, context: Any) -> object:
        first, *rest = self.lookups or ()
        try:
            current: Any = context[first]
            for step in rest:
                current = current[int(step)] if isinstance(current, str | tuple) else current[step]
        except (KeyError, IndexError, TypeError, ValueError):
            raise VariableDoesNotExist("%s has no value.", (self.var,)) from None
        return current


class BoundedExpression(FilterExpression):
    """A value and its filters; the result of each filter is counted."""

    __slots__ = ("has_fallback", "look_up", "steps")

    def __init__(self, token: str, parser: Parser) -> None:
        super().__init__(token, parser)
        if self.is_var:
            self.var = PlainVariable(self.var.var)
        elif not isinstance(self.var, SafeString):
            raise TemplateSyntaxError(f"Translation marks are not available: '{token}'")
        self.filters = [(function, [_plain(*each) for each in arguments]) for function, arguments in self.filters]
        self.steps = [_Step.of(function, arguments) for function, arguments in self.filters]
        # Most expressions are a name without filters; every call on the way there counts.
        self.look_up = self.var._resolve_lookup if isinstance(self.var, PlainVariable) and self.var.lookups else None
        self.has_fallback = bool(self.filters) and self.filters[0][0] in (default, default_if_none)

    def resolve(self, context: Any, ignore_failures: bool = False) -> Any:
        """The value; a missing one is None where that is expected, and an error elsewhere."""
        context.begin_expression()
        value = self.var
        if self.is_var:
            try:
                value = self.look_up(context) if self.look_up else self.var.resolve(context)
            except VariableDoesNotExist:
                if not (ignore_failures or self.has_fallback):
                    raise
                value = None
        for step in self.steps:
            value = _filtered(value, step, context)
        return value

    def names(self) -> Iterator[str]:
        """The top-level names this expression reads."""
        if self.is_var and self.var.name:
            yield self.var.name
        for _, arguments in self.filters:
            yield from (argument.name for is_variable, argument in arguments if is_variable and argument.name)


def _plain(is_variable: bool, argument: Any) -> tuple[bool, Any]:
    if is_variable:
        return True, PlainVariable(argument.var)
    if not isinstance(argument, SafeString):
        raise TemplateSyntaxError("Translation marks are not available.")
    return False, argument


class _Step(NamedTuple):
    """One filter of an expression, with what Django asks of it each time."""

    function: Any
    arguments: list[tuple[bool, Any]]
    needs_autoescape: bool
    is_safe: bool

    @classmethod
    def of(cls, function: Any, arguments: list[tuple[bool, Any]]) -> _Step:
        """Of a filter and its arguments; each says whether it is a variable."""
        return cls(
            function, arguments, getattr(function, "needs_autoescape", False), getattr(function, "is_safe", False)
        )


def _filtered(value: Any, step: _Step, context: BoundedContext) -> Any:
    context.read_clock()
    given = [argument.resolve(context) if is_variable else argument for is_variable, argument in step.arguments]
    if step.needs_autoescape:
        result = step.function(value, *given, autoescape=context.autoescape)
    else:
        result = step.function(value, *given)
    if isinstance(result, str):
        context.made(len(result))
        if step.is_safe and isinstance(value, SafeString):
            return mark_safe(result)  # noqa: S308  Django's own rule: a filter marked is_safe keeps safe text safe
    return result


def _written_out(value: Any, context: BoundedContext) -> str:
    if type(value) is int:
        return str(value)
    if not isinstance(value, str):
        return render_value_in_context(value, context)
    # Most values are text; Django's way to the same escaping takes three times as long.
    return escape(value) if context.autoescape and not isinstance(value, SafeString) else value


class CountedText(TextNode):
    """Fixed text."""

    def render_annotated(self, context: Any) -> str:
        context.wrote(len(self.s))
        return self.s


class CountedValue(VariableNode):
    """`{{ name|filter }}`. `is_link` when it begins the value of a `href` or `src`."""

    token: Token
    is_link = False

    def render(self, context: Any) -> str:
        context.line = self.token.lineno
        value = self.filter_expression.resolve(context)
        if value is None:
            return ""
        if type(value) in CONTAINERS:
            raise RenderingStopped(f"{self.filter_expression} is a list, not a text: go through it with a for tag.")
        text = _written_out(value, context)
        if self.is_link and context.autoescape and has_refused_scheme(text):
            raise RenderingStopped(f"{self.filter_expression} is not a link with https, http or mailto.")
        context.wrote(len(text))
        return text

    def names(self, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
        yield from _free([self.filter_expression], bound, self)


class CountedIf(IfNode):
    """`{% if %}`."""

    token: Token

    def render(self, context: Any) -> str:
        context.line = self.token.lineno
        return super().render(context)

    def names(self, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
        for condition, nodes in self.conditions_nodelists:
            yield from _free(_expressions_of(condition), bound, self)
            yield from names_in(nodes, bound)


class _CountedItems:
    """What a loop goes through: asks before every pass whether it may go on."""

    def __init__(self, expression: Any) -> None:
        self.expression = expression

    def resolve(self, context: BoundedContext, ignore_failures: bool = False) -> _Passes:
        items = self.expression.resolve(context)
        if items is not None and type(items) not in CONTAINERS:
            raise RenderingStopped(f"{self.expression} is not a list.")
        return _Passes(context, tuple(items or ()))

    def __str__(self) -> str:
        return str(self.expression)


class _Passes:
    def __init__(self, context: BoundedContext, items: tuple[object, ...]) -> None:
        self.context = context
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[object]:
        for item in self.items:
            self.context.begin_pass()
            yield item

    def __reversed__(self) -> Iterator[object]:
        return iter(_Passes(self.context, self.items[::-1]))


class CountedFor(ForNode):
    """`{% for %}`: Django's loop over a list that counts its passes."""

    token: Token
    sequence: Any
    nodelist_loop: Any
    nodelist_empty: Any

    def __init__(self, node: ForNode) -> None:
        super().__init__(node.loopvars, "", node.is_reversed, node.nodelist_loop, node.nodelist_empty)
        self.sequence = _CountedItems(node.sequence)

    def render(self, context: Any) -> str:
        context.line = self.token.lineno
        return super().render(context)

    def names(self, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
        yield from _free([self.sequence.expression], bound, self)
        yield from names_in(self.nodelist_loop, bound | {*self.loopvars, "forloop"})
        yield from names_in(self.nodelist_empty, bound)


class CountedWith(WithNode):
    """`{% with %}`."""

    token: Token

    def __init__(self, node: WithNode) -> None:
        super().__init__(None, None, node.nodelist, extra_context=node.extra_context)

    def render(self, context: Any) -> str:
        context.line = self.token.lineno
        return super().render(context)

    def names(self, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
        yield from _free(self.extra_context.values(), bound, self)
        yield from names_in(self.nodelist, bound | set(self.extra_context))


class CountedFirstOf(FirstOfNode):
    """`{% firstof %}`."""

    token: Token
    is_link = False

    def render(self, context: Any) -> str:
        context.line = self.token.lineno
        text = super().render(context)
        if self.is_link and context.autoescape and has_refused_scheme(text):
            raise RenderingStopped("The first of these values is not a link with https, http or mailto.")
        context.wrote(len(text))
        if self.asvar:
            context.made(len(context[self.asvar]))
        return text

    def names(self, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
        yield from _free(self.vars, bound, self)


Node = CountedText | CountedValue | CountedIf | CountedFor | CountedWith | CountedFirstOf


def names_in(nodes: NodeList, bound: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
    """The top-level names these nodes read, each with its line, without those a loop, `with` or `firstof` binds."""
    for node in nodes:
        if isinstance(node, CountedValue | CountedIf | CountedFor | CountedWith | CountedFirstOf):
            yield from node.names(bound)
        if isinstance(node, CountedFirstOf) and node.asvar:
            bound |= {node.asvar}


def _free(expressions: Collection[Any], bound: frozenset[str], node: Any) -> Iterator[tuple[str, int]]:
    for expression in expressions:
        yield from ((name, node.token.lineno) for name in expression.names() if name not in bound)


def _expressions_of(condition: Any) -> list[Any]:
    """The expressions in the operator tree of an `if`; an `else` has no condition."""
    if condition is None:
        return []
    if isinstance(condition.value, BoundedExpression):
        return [condition.value]
    return _expressions_of(condition.first) + _expressions_of(condition.second)
