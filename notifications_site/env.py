"""Typed readers for environment variables. A wrong value stops the start and names the variable.

Every variable may also be given as ``NAME_FILE``: the path of a file that holds the value (container secrets).
Each reader notes what it read in `VARIABLES`, so documentation and `.env.example` can be checked against the code.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from channels_email.imap_server import read_imap_server
from channels_email.mail_bytes import NotAMail, read_mailbox
from channels_email.mail_server import WrongMailServer, read_mail_server
from gateway.provider_order import CAPTURE, read_order
from users.rates import Rate, WrongRate, parse_rates

Value = TypeVar("Value")

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off"})
REDIS_SCHEMES = ("redis://", "rediss://", "redis+cluster://", "rediss+cluster://")
UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}


class WrongSetting(ImproperlyConfigured):
    """An environment variable has a value we cannot use; the message says which, what was read and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One environment variable as the documentation shows it."""

    name: str
    #: What is used when the variable is not set, in words.
    default: str
    meaning: str


#: Every variable that `settings.py` has read, in the order of reading.
VARIABLES: dict[str, Variable] = {}


def _raw(name: str) -> str | None:
    """The value of NAME, or the content of the file NAME_FILE points to; None when neither is set, or empty."""
    path = os.environ.get(f"{name}_FILE")
    value = os.environ.get(name)
    if path and value:
        raise WrongSetting(f"{name} and {name}_FILE are both set; keep one of them.")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongSetting(f"{name}_FILE is {path!r}, which cannot be read: {error}.") from error
    return value.strip() if value and value.strip() else None


def _note(name: str, default: object, meaning: str) -> str | None:
    VARIABLES[name] = Variable(name=name, default="" if default is None else str(default), meaning=meaning)
    return _raw(name)


def text(name: str, default: str, *, meaning: str, shown_default: str | None = None) -> str:
    """A piece of text. `shown_default` replaces the default in the documentation where it depends on other settings."""
    return _note(name, default if shown_default is None else shown_default, meaning) or default


def integer(name: str, default: int, *, least: int, most: int, meaning: str, shown_default: str | None = None) -> int:
    """A whole number between `least` and `most`, both allowed."""
    raw = _note(name, default if shown_default is None else shown_default, meaning)
    if raw is None:
        return default
    try:
        value = int(raw)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise WrongSetting(f"{name} is {raw!r}; a whole number from {least} to {most} is needed.")
    return value


def choice(name: str, default: str, *, allowed: Iterable[str], meaning: str) -> str:
    """One word out of `allowed`."""
    words = tuple(allowed)
    value = _note(name, default, meaning) or default
    if value not in words:
        raise WrongSetting(f"{name} is {value!r}; allowed are {', '.join(words)}.")
    return value


def flag(name: str, default: bool, *, meaning: str, shown_default: str | None = None) -> bool:
    """True or false."""
    raw = _note(name, shown_default or ("true" if default else "false"), meaning)
    if raw is None:
        return default
    if raw.lower() in TRUE_WORDS:
        return True
    if raw.lower() in FALSE_WORDS:
        return False
    raise WrongSetting(f"{name} is {raw!r}; true or false is needed.")


def words(name: str, default: list[str], *, meaning: str, shown_default: str | None = None) -> list[str]:
    """Words separated by commas; spaces around them are ignored."""
    raw = _note(name, ",".join(default) if shown_default is None else shown_default, meaning)
    if raw is None:
        return list(default)
    return [word.strip() for word in raw.split(",") if word.strip()]


def providers(name: str, *, meaning: str) -> list[str]:
    """Providers in order of preference, each with its weight if there is one; empty where nothing is given."""
    return parsed(name, lambda text: read_order(text).words(), meaning=meaning, shown_default=CAPTURE)


def parsed(
    name: str, parse: Callable[[str], Value], *, meaning: str, default: str = "", shown_default: str | None = None
) -> Value:
    """A value with a form of its own. What `parse` raises as ValueError is said with the name."""
    try:
        return parse(_note(name, default if shown_default is None else shown_default, meaning) or default)
    except ValueError as error:
        raise WrongSetting(f"{name}: {error}") from error


def duration(name: str, default: timedelta, *, shown_default: str, least: timedelta, meaning: str) -> timedelta:
    """A length of time such as 45s, 30m, 12h or 7d."""
    raw = _note(name, shown_default, meaning)
    if raw is None:
        return default
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", raw)
    value = int(found[1]) * UNITS[found[2]] if found else timedelta(0)
    if value < least:
        raise WrongSetting(f"{name} is {raw!r}; 45s, 30m, 12h or 7d is needed, at least {least}.")
    return value


def web_address(name: str, *, meaning: str) -> str:
    """An address such as ``https://chat.example.com/hook``; empty when there is none. It may hold a secret."""
    raw = _note(name, "", meaning)
    if raw is None:
        return ""
    parts = _parts_of(raw)
    is_readable = parts is not None and parts.scheme in ("http", "https") and raw.isascii()
    if not is_readable or any(character.isspace() for character in raw):
        raise WrongSetting(f"{name} is not an address we can read; https://host/path is needed.")
    return raw


def broker_url(name: str, *, meaning: str) -> str:
    """A broker's address such as ``amqp://user:password@host:5672/vhost``; empty when there is none."""
    raw = _note(name, "", meaning)
    if raw is None:
        return ""
    # The address may hold a password: only its scheme is repeated.
    needed = "amqp://user:password@host:5672/vhost (or amqps://) is needed"
    if not raw.startswith(("amqp://", "amqps://")):
        raise WrongSetting(f"{name} begins with {raw.split(':')[0]!r}; {needed}.")
    if _parts_of(raw) is None:
        raise WrongSetting(f"{name} is not an address we can read; {needed}.")
    return raw


def mailbox(name: str, default: str, *, meaning: str) -> str:
    """An address with or without a name before it, such as ``Shop <shop@example.com>``."""
    value = _note(name, default, meaning) or default
    try:
        read_mailbox(value)
    except NotAMail:
        raise WrongSetting(f"{name} is {value!r}; an address is needed, such as Shop <shop@example.com>.") from None
    return value


def mail_server(name: str, *, meaning: str) -> str:
    """A mail server's address such as ``smtp+tls://user:password@host:587``; empty when there is none."""
    return _server(name, read_mail_server, meaning)


def imap_server(name: str, *, meaning: str) -> str:
    """A mailbox's address such as ``imaps://user:password@host/INBOX``; empty when there is none."""
    return _server(name, read_imap_server, meaning)


def _server(name: str, read: Callable[[str], object], meaning: str) -> str:
    raw = _note(name, "", meaning)
    if raw is None:
        return ""
    try:
        read(raw)
    except WrongMailServer as error:  # it repeats no password
        raise WrongSetting(f"{name} {error}") from None
    return raw


def _parts_of(address: str) -> SplitResult | None:
    """None for one without a host, or with a port that is none."""
    try:
        parts = urlsplit(address)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def redis_url(name: str, *, meaning: str) -> str:
    """A Redis address such as ``redis://:password@host:6379/0``; empty when there is none."""
    raw = _note(name, "", meaning)
    if raw is None:
        return ""
    # The address may hold a password: only its scheme is repeated.
    needed = "redis://:password@host:6379/0 (or rediss:// for TLS, redis+cluster://host:6379 for a cluster) is needed"
    if not raw.startswith(REDIS_SCHEMES):
        raise WrongSetting(f"{name} begins with {raw.split(':')[0]!r}; {needed}.")
    parts = _parts_of(raw)
    number = parts.path.strip("/") if parts else ""
    if parts is None or (number and not number.isdecimal()):
        raise WrongSetting(f"{name} is not an address we can read; {needed}.")
    if "+cluster" in parts.scheme and number not in ("", "0"):
        raise WrongSetting(f"{name} names database {number}, but a cluster has only database 0.")
    return raw


def rates(name: str, defaults: Mapping[str, Rate], *, meaning: str) -> dict[str, Rate]:
    """Rates by policy such as ``submit=100/m,login=3/m``; those that are not named keep their default."""
    raw = _note(name, ",".join(f"{policy}={rate}" for policy, rate in defaults.items()), meaning)
    try:
        return dict(defaults) | parse_rates(raw or "", policies=tuple(defaults))
    except WrongRate as error:
        raise WrongSetting(f"{name}: {error}") from error


def database(name: str, default: dict[str, Any], *, meaning: str, shown_default: str) -> dict[str, Any]:
    """A database address such as ``postgres://user:password@host:5432/name``, as Django wants it."""
    raw = _note(name, shown_default, meaning)
    if raw is None:
        return default
    if not raw.startswith(("postgres://", "postgresql://")):
        # The address may hold a password: only its scheme is repeated.
        raise WrongSetting(
            f"{name} begins with {raw.split(':')[0]!r}; postgres://user:password@host:5432/name is needed."
        )
    try:
        config: dict[str, Any] = environ.Env.db_url_config(raw)
    except (ValueError, KeyError) as error:
        raise WrongSetting(
            f"{name} is not an address we can read; postgres://user:password@host:5432/name is needed."
        ) from error
    if not config.get("NAME"):
        raise WrongSetting(f"{name} names no database; postgres://user:password@host:5432/name is needed.")
    return config
