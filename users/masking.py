"""Personal data and secrets made harmless, for logs and the admin.

Every function is linear in the length of its text: log lines carry what strangers send us.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "••••"
#: A shorter secret is hidden whole: four of its characters would tell too much of it.
SHORTEST_WITH_A_TAIL = 16

# A run of characters that may be the local part of an address. It starts only where no such run is under way and never
# gives a character back, so a long run without an "@" costs its length, not the square of it.
_DELIMITERS = r"""\s\x00-\x1f<>()\[\]{},;:"'`\\/?&|@%"""
_ADDRESS = re.compile(
    rf"(?<![^{_DELIMITERS}])(?P<first>[^{_DELIMITERS}])(?:[^{_DELIMITERS}]|%(?!40))*+(?P<at>@|%40)(?=[^{_DELIMITERS}]|\[)"
)
_URL_CREDENTIALS = re.compile(r"(?<=://)[^\s/@]*+@(?:[^\s/@]*+@)*+")
_API_KEY = re.compile(r"\b(?P<kind>ntf_(?:live|test)_)(?P<secret>[A-Za-z0-9_-]++)")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]++\.[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)?")
# Words may follow ("Basic authentication failed"): only what has a digit, a capital or a "=" is taken for a secret.
_CREDENTIALS = re.compile(r"\b(?P<scheme>(?i:bearer|basic)\s++)(?!ntf_)(?=[\w.~+/-]*[A-Z0-9=])[\w.~+/=-]{8,}+")


def mask_email(address: str) -> str:
    """`ann@example.com` as `a••@example.com`; what is no address is hidden whole."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}••@{domain}" if at else HIDDEN


def mask_token(token: str) -> str:
    """A key, a token, a secret by its last four characters: `••••x7Qa`. Short ones are hidden whole."""
    return HIDDEN + token[-4:] if len(token) >= SHORTEST_WITH_A_TAIL else HIDDEN


def sensitive_names(declared: Iterable[Mapping[str, Any]]) -> set[str]:
    """The names of the variables a template's version declares sensitive."""
    return {each["name"] for each in declared if each.get("sensitive")}


def mask_text(text: str) -> str:
    """Free text in which addresses, API keys, access tokens and the credentials of a URL are masked."""
    text = _API_KEY.sub(lambda found: found["kind"] + mask_token(found["secret"]), text)
    text = _JWT.sub(HIDDEN, text)
    text = _CREDENTIALS.sub(lambda found: found["scheme"] + HIDDEN, text)
    if "@" in text or "%40" in text:
        text = _ADDRESS.sub(r"\g<first>••\g<at>", text)
    if "://" in text:
        text = _URL_CREDENTIALS.sub("••@", text)
    return text
