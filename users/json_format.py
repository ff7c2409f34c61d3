"""JSON of the API: a strict parser, our renderer, and the only media type we produce."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import IO, Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import NotAcceptable, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from users.json_text import to_json

#: Objects and arrays inside each other. Far more than any request of ours has, far less than what ends a recursion.
DEEPEST = 64
#: Bytes of a body, where a view sets no `max_body` of its own.
LARGEST_BODY = 256 * 1024
#: What we produce; an `Accept` that allows one of them is served.
PRODUCED = ("application/json", "application/problem+json")

# Only these escapes can put a NUL or half a surrogate pair into a text: as bytes neither gets through UTF-8 and JSON.
_SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class JSONRenderer(BaseRenderer):
    """Answers as JSON; problems bring their own content type."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8; its media type knows no such parameter
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Empty for `None`: a 204 has no body."""
        return b"" if data is None else to_json(data)


class StrictJSONParser(BaseParser):
    """One JSON object in UTF-8, without duplicate names, `NaN`, a byte order mark or texts no database can store."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The object; `{}` for an empty body. Raises ParseError, or RequestDataTooBig beyond the view's `max_body`."""
        view = (parser_context or {}).get("view")
        limit: int = getattr(view, "max_body", LARGEST_BODY)
        raw: bytes = stream.read(limit + 1)
        if len(raw) > limit:
            raise RequestDataTooBig(f"The body has more than {limit} bytes.")
        return parse_object(raw)


def parse_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in these bytes; no bytes are an empty one. Raises ParseError, which says what and where."""
    if not raw:
        return {}
    text = _decoded(raw)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite_float,
            parse_int=_bounded_int,
        )
    except json.JSONDecodeError as error:
        raise malformed(f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except RecursionError:
        raise malformed(_too_deep()) from None
    if not isinstance(value, dict):
        raise malformed("The body must be a JSON object.")
    # Most requests are small and flat: the walk over all values is made only when there is something to find.
    if text.count("{") + text.count("[") > DEEPEST or _SUSPICIOUS_ESCAPE.search(text):
        _refuse_deep_or_unstorable(value)
    return value


def malformed(detail: str) -> ParseError:
    """The body cannot be read as a JSON object."""
    return ParseError(detail, code="malformed_json")


def _decoded(raw: bytes) -> str:
    if raw.startswith(b"\xef\xbb\xbf"):
        raise malformed("The body begins with a byte order mark.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed(f"The body is not UTF-8: byte {error.start} does not fit.") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise malformed(f"The name {json.dumps(twice[:60])} stands twice in one object.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise malformed(f"{name} is not JSON.")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise malformed("A number is too large.")
    return number


def _bounded_int(digits: str) -> int:
    # float() is asked first: int() takes time that grows with the square of the length, and refuses 4,300 digits.
    _finite_float(digits)
    return int(digits)


def _too_deep() -> str:
    return f"Objects and arrays may stand inside each other up to {DEEPEST} deep."


def _refuse_deep_or_unstorable(root: dict[str, Any]) -> None:
    """Level by level, not by recursion: no depth can end it."""
    level: list[dict[str, Any] | list[Any]] = [root]
    for _ in range(DEEPEST):
        names = [name for container in level if isinstance(container, dict) for name in container]
        values = [value for container in level for value in _values(container)]
        if any(_UNSTORABLE.search(text) for text in (*names, *values) if isinstance(text, str)):
            raise malformed("A text holds NUL or half of a surrogate pair; neither can be stored.")
        level = [value for value in values if isinstance(value, dict | list)]
        if not level:
            return
    raise malformed(_too_deep())


def _values(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


class JSONNegotiation(BaseContentNegotiation):
    """Everything is JSON. `Accept` can only refuse it (406); there is no `?format=`."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser made for exactly this type; a wildcard is no type of a body."""
        given = media_type_of(request.content_type)
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The first renderer of the view, or NotAcceptable."""
        if not accepts_json(request.headers.get("Accept", "")):
            raise NotAcceptable
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class AnyAnswer(JSONNegotiation):
    """Services that post their news do not say what they would like to read, or do not mean it."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """JSON."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


def media_type_of(content_type: str | None) -> str:
    """`application/json` of `Application/JSON; charset=utf-8`. Parameters mean nothing for JSON."""
    return (content_type or "").partition(";")[0].strip().lower()


def accepts_json(accept: str) -> bool:
    """Whether an `Accept` header allows what we produce; the range that fits closest decides (RFC 9110, 12.5.1)."""
    weights = dict(_range_and_weight(part) for part in accept.split(",") if part.strip())
    if not weights:
        return True
    for media_type in PRODUCED:
        fitting = (known for known in (media_type, "application/*", "*/*") if known in weights)
        if weights.get(next(fitting, ""), 0) > 0:
            return True
    return False


def _range_and_weight(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = next((text[2:] for text in parameters if text.startswith("q=")), "1")
    try:
        return media_range, float(quality)
    except ValueError:
        return media_range, 0
