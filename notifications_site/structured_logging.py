"""Log lines on standard error, for people (text) or machines (json): ids added, personal data and secrets masked.

Everything passes here, our own lines (structlog) and those of every library (logging). settings.py imports this file,
so nothing here touches settings or models.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TextIO
from uuid import UUID

import orjson
import structlog
from structlog.typing import EventDict, WrappedLogger

from users.masking import HIDDEN, mask_text

#: Longer texts are cut; a traceback may be this long as well.
LONGEST_TEXT = 20_000
DEEPEST = 4
#: These come first, in this order; what else a line says follows in the order it was given.
FIRST_FIELDS = (
    *("time", "level", "event", "action"),
    *("request_id", "correlation_id", "trace_id", "role", "notification_id"),
)
SECRET_WORDS = frozenset(
    {"password", "passwd", "secret", "secrets", "key", "keys", "apikey", "credential", "credentials", "signature"}
    | {"token", "tokens", "authorization", "cookie", "cookies", "variables", "subscription"}
)
#: A name with a secret word is harmless when it ends with one of these: `api_key_id`, `token_count`.
HARMLESS_ENDINGS = frozenset({"id", "ids", "name", "names", "type", "count", "at", "prefix", "version"})
QUIETER_LOGGERS = {
    # A wrong host name is answered with 400 and noted by our request line; a traceback per scanner helps nobody.
    "django.security.DisallowedHost": logging.CRITICAL,
    # A broker that is away costs it a dozen lines and a traceback a second; brokers/rabbitmq/link.py says it in one.
    "pika": logging.CRITICAL,
    "httpx": logging.WARNING,
}

# Control characters, line and paragraph separators, bidirectional overrides, lone surrogates: what could forge a line,
# steer a terminal or break an encoder.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to what is standard error now, not what it was when logging was configured."""

    @property
    def stream(self) -> TextIO:
        """Looked up for every line."""
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """The base class sets it once; it is looked up instead."""


def configure_logging(level: str, log_format: str) -> None:
    """Send all loggers of this process to standard error.

    `level` is a name of the logging module; `log_format` is `text` or `json`. The last call counts.
    """
    structlog.configure(
        processors=_OUR_CHAIN,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = StandardErrorHandler()
    handler.setFormatter(_formatter(render_json if log_format == "json" else render_text))
    root = logging.getLogger()
    root.handlers = [known for known in root.handlers if not isinstance(known, StandardErrorHandler)]
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in QUIETER_LOGGERS.items():
        logging.getLogger(name).setLevel(least)
    logging.getLogger("django.request").addFilter(has_traceback)  # the same filter is added only once
    logging.captureWarnings(True)


def _formatter(render: structlog.typing.Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED_CHAIN, structlog.stdlib.add_logger_name],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            write_traceback,
            mask,
            in_order,
            render,
        ],
    )


def has_traceback(record: logging.LogRecord) -> bool:
    """Django notes each answer from 400 on, as our request line does. What it knows better is a traceback."""
    return record.levelno >= logging.ERROR and bool(record.exc_info)


def process_role(arguments: list[str]) -> str:
    """The part a process plays: `manage.py run_email_consumer` is `email_consumer`, any other command `manage`."""
    command = next((word for word in arguments[1:2] if not word.startswith("-")), "")
    if command.startswith("run_"):
        return command.removeprefix("run_")
    return "manage" if command and os.path.basename(arguments[0]) == "manage.py" else "web"


_ROLE = process_role(sys.argv)


def add_time_and_role(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """When, in UTC with milliseconds, and which part of the platform speaks (a bound `role` wins)."""
    event_dict["time"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event_dict.setdefault("role", _ROLE)
    return event_dict


def write_traceback(logger: WrappedLogger, name: str, event_dict: EventDict) -> EventDict:
    """`exc_info` as text under `exception`, line by line masked and without control characters."""
    event_dict = structlog.processors.format_exc_info(logger, name, event_dict)
    for field in ("exception", "stack"):
        if text := event_dict.pop(field, None):
            event_dict[field] = Lines(harmless_text(line) for line in str(text)[-LONGEST_TEXT:].split("\n"))
    return event_dict


class Lines(list[str]):
    """A traceback: lines that have been made harmless already."""


def mask(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """Secrets hidden by the name of their field, addresses and keys wherever they stand, control characters escaped."""
    return {
        harmless_text(str(name)): value if isinstance(value, Lines) else harmless(value, str(name))
        for name, value in event_dict.items()
    }


def harmless(value: object, name: str = "", depth: int = 0) -> object:
    """A value that may stand in a log line. Of an object only the type is shown: its text may hold anything."""
    if value is None or isinstance(value, bool | float):
        return value
    if is_secret(name):
        return HIDDEN
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)  # what JSON readers can take
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str | datetime | UUID | BaseException | os.PathLike):
        return harmless_text(str(value))
    if depth < DEEPEST and isinstance(value, Mapping):
        return {harmless_text(str(key)): harmless(inner, str(key), depth + 1) for key, inner in value.items()}
    if depth < DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [harmless(inner, "", depth + 1) for inner in value]
    return f"<{type(value).__name__}>"


def harmless_text(text: str) -> str:
    """Masked, in one line, of bearable length."""
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + "…"
    return _CONTROL.sub(_escaped, mask_text(text))


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def is_secret(name: str) -> bool:
    """Whether a field of this name is hidden: `password`, `X-Api-Key`, `refreshToken`; not `api_key_id`."""
    words = _CAMEL.sub("_", name).lower().replace("-", "_").split("_")
    return words[-1] not in HARMLESS_ENDINGS and not SECRET_WORDS.isdisjoint(words)


def in_order(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """The well-known fields first, so that lines can be compared by eye."""
    first = {name: event_dict.pop(name) for name in FIRST_FIELDS if name in event_dict}
    return first | dict(event_dict)


def render_json(_: WrappedLogger, __: str, event_dict: EventDict) -> str:
    """One JSON object; a traceback is one text in it."""
    plain = {name: "\n".join(value) if isinstance(value, Lines) else value for name, value in event_dict.items()}
    return orjson.dumps(plain).decode()


_COLOURS = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[31;1m",
}
_PLAIN = "\x1b[0m"


def render_text(_: WrappedLogger, __: str, event_dict: EventDict) -> str:
    """`time LEVEL role  Sentence.  key=value …`; a traceback below, indented, so that none of it passes for a line."""
    moment, level, role = (str(event_dict.pop(name, "")) for name in ("time", "level", "role"))
    event = str(event_dict.pop("event", ""))
    if event_dict.get("correlation_id") == event_dict.get("request_id"):
        event_dict.pop("correlation_id", None)  # the same long id twice helps no reader
    below = [line for name in list(event_dict) if isinstance(event_dict[name], Lines) for line in event_dict.pop(name)]
    pairs = " ".join(f"{name}={_shown(value)}" for name, value in event_dict.items())
    word = f"{level.upper():<8}"
    if wants_colour():
        word = f"{_COLOURS.get(level, '')}{word}{_PLAIN}"
    head = f"{moment} {word} {role:<14} {event}" + (f"  {pairs}" if pairs else "")
    return "\n    ".join([head, *below])


def _shown(value: object) -> str:
    """A value of `key=value`; in quotes where a reader could not tell where it ends."""
    if isinstance(value, str) and value and not set(value) & {" ", '"', "="}:
        return value
    return orjson.dumps(value).decode()


def wants_colour() -> bool:
    """Colours are for terminals, and not when NO_COLOR is set (no-color.org)."""
    return not os.environ.get("NO_COLOR") and sys.stderr.isatty()


_SHARED_CHAIN: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    add_time_and_role,
]
#: One list for the life of the process: loggers keep it, and structlog's capture_logs() exchanges its items in place.
_OUR_CHAIN: list[structlog.typing.Processor] = [
    structlog.stdlib.filter_by_level,
    *_SHARED_CHAIN,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.StackInfoRenderer(),
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]
