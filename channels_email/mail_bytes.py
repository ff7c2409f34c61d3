"""The bytes of a mail (RFC 5322, 2045-2047), written directly: the standard library takes ten times as long for them.

Always seven bits, so that it needs nothing of the servers on the way; only an address that cannot be written so brings
UTF-8 into its header (RFC 6532), and SMTPUTF8 with it. Held against the standard library's parser by property tests.
"""

import re
import time
from binascii import b2a_base64, b2a_qp
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import NamedTuple

from django.utils.encoding import punycode

from channels_email.enclosures import Enclosed, enclosed, in_base64

#: Characters of a line of a header, without its end: what RFC 5322 asks for.
HEADER_LINE = 78
#: Characters of an encoded word (RFC 2047).
ENCODED_WORD = 75
#: Characters of any line: what mail servers take.
LONGEST_LINE = 998
#: A word of a header that is longer is encoded, which can be broken anywhere.
LONGEST_WORD = 60
#: A name is not: programs differ in how they put the pieces together. Quoted, it still fits into a line.
LONGEST_NAME = 400

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BREAKS = re.compile(r"\r\n?")
#: Words that stay as they are: printable, one space between them.
_PLAIN_WORDS = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_PLAIN_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
#: As `email.headerregistry.Address` writes one whose name needs no quotes.
_SIMPLE_MAILBOX = re.compile(r'(?:([^"<>\\@(),:;]+) )?<([^<>"\s@]+@[^<>"\s@]+)>')
#: What may stand between < and > of an envelope: no way to end it, to begin a line, or to add an option.
_ADDRESS = re.compile(
    r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"|[^\s<>"@\x00-\x1f\x7f]+)@[^\s<>"@\x00-\x1f\x7f]+'
)
#: Not in quoted-printable (RFC 2045, 6.7), not in base64, and what has it is not sent as it is: no part can end early.
_BOUNDARY_MARK = "=_"
_TEXT_BYTES = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_ASCII_BYTES = bytes(range(0x80))
#: How the Q encoding writes each byte, also in a display name (RFC 2047, section 5).
_Q = [chr(each) if (chr(each).isalnum() and each < 0x80) or each in b"!*+-/" else f"={each:02X}" for each in range(256)]
_Q[0x20] = "_"


class NotAMail(ValueError):
    """No mail can be made of it: an address that is none, text that is no Unicode, a header that cannot be."""


class Mailbox(NamedTuple):
    """A display name, possibly empty, and an address whose domain is in ASCII."""

    name: str
    address: str


# --- the whole --------------------------------------------------------------------------------------------------------
def mail_bytes(
    *,
    headers: list[tuple[str, str]],
    sender: Mailbox,
    to: Mailbox,
    subject: str,
    text: str,
    html: str,
    mark: str,
    files: Sequence[Enclosed] = (),
) -> bytes:
    """A mail with text, HTML or both. `headers` are plain ASCII; `mark` tells its boundaries from those of other mails.

    Raises `NotAMail`.
    """
    try:
        lines = [
            f"Subject: {unstructured(subject, used=9)}",
            mailbox_header("From", sender),
            mailbox_header("To", to),
            f"Date: {date_header(int(time.time()))}",
        ]
        lines += [f"{name}: {plain_value(value)}" for name, value in headers if value]
        lines.append("MIME-Version: 1.0\r\n")
        words = _words(text, html, f"{_BOUNDARY_MARK}{mark}")
        if files:
            words = enclosed(words, files, mark=mark, is_html=bool(html))
        return "\r\n".join(lines).encode() + words
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise NotAMail("It holds a character that is none.") from error


def _words(text: str, html: str, boundary: str) -> bytes:
    """The part with the words, its headers in front."""
    if not (text and html):
        return _part("html", html) if html else _part("plain", text)
    rim = f"--{boundary}\r\n".encode()
    return b"".join(
        (
            f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode(),
            rim,
            _part("plain", text),
            rim,
            _part("html", html),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _part(kind: str, text: str) -> bytes:
    """Its headers and content. The last line break belongs to the boundary behind it."""
    if "\r" in text:
        text = _BREAKS.sub("\n", text)
    data = text.replace("\n", "\r\n").encode() + b"\r\n"
    if data.isascii():
        is_plain = not data.translate(None, _TEXT_BYTES) and b"=_" not in data
        if is_plain and len(max(data.split(b"\r\n"), key=len)) <= LONGEST_LINE:
            encoding = "7bit"
        else:
            encoding, data = "quoted-printable", b2a_qp(data, istext=True)
    elif len(data.translate(None, _ASCII_BYTES)) * 6 < len(data):
        encoding, data = "quoted-printable", b2a_qp(data, istext=True)
    else:
        encoding, data = "base64", in_base64(data[:-2])
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + data


# --- headers ----------------------------------------------------------------------------------------------------------
@lru_cache(maxsize=8)
def date_header(second: int) -> str:
    """RFC 5322, 3.3."""
    return format_datetime(datetime.fromtimestamp(second, UTC))


def plain_value(value: str) -> str:
    """A value of ours: printable ASCII on one line. Raises `NotAMail`."""
    if not _PLAIN_VALUE.fullmatch(value) or len(value) > LONGEST_LINE - HEADER_LINE:
        raise NotAMail("A header holds what a header cannot.")
    return value


def unstructured(text: str, *, used: int) -> str:
    """The words of a subject, folded; `used` characters of the first line are taken."""
    if _PLAIN_WORDS.fullmatch(text) and "=?" not in text:
        if used + len(text) <= HEADER_LINE:
            return text
        if len(max(text.split(" "), key=len)) <= LONGEST_WORD:
            return _folded(text, used)
    return _encoded(text, used) if text else ""


def mailbox_header(header: str, mailbox: Mailbox) -> str:
    """`To: Ann Lee <ann@example.com>`."""
    if not mailbox.name:
        return f"{header}: {mailbox.address}"
    name = phrase(mailbox.name, used=len(header) + 2)
    last = len(name) - name.rfind("\n") - 1
    is_short = (last if "\n" in name else len(header) + 2 + last) + len(mailbox.address) + 3 <= HEADER_LINE
    return f"{header}: {name}{' ' if is_short else chr(13) + chr(10) + ' '}<{mailbox.address}>"


def phrase(name: str, *, used: int) -> str:
    """A display name: as it is, in quotes, or encoded."""
    if "=?" not in name and len(name) < LONGEST_NAME and _PLAIN_WORDS.fullmatch(name):
        if not _ATOMS.fullmatch(name):
            name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        return name if used + len(name) <= HEADER_LINE else _folded(name, used)
    return _encoded(name, used)


def _folded(text: str, used: int) -> str:
    lines, line, room = [], "", HEADER_LINE - used
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line, room = word, HEADER_LINE - 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line])


def _encoded(text: str, used: int) -> str:
    """Encoded words, each at most 75 characters, none with half a letter in it; between them a line break."""
    data = text.encode()
    is_q = len(data.translate(None, _ASCII_BYTES)) * 6 < len(data)
    form = _q_word if is_q else _b_word
    whole = form(text)
    if len(whole) <= min(ENCODED_WORD, HEADER_LINE - used):
        return whole
    cost = [len(_q(letter)) for letter in text] if is_q else [len(letter.encode()) for letter in text]
    words: list[str] = []
    begin, room = 0, _room(min(ENCODED_WORD, HEADER_LINE - used), is_q)
    taken = 0
    for at, each in enumerate(cost):
        if taken + each > room:
            words.append(text[begin:at])
            begin, taken, room = at, 0, _room(ENCODED_WORD, is_q)
        taken += each
    words.append(text[begin:])
    return "\r\n ".join([form(word) for word in words])


def _room(length: int, is_q: bool) -> int:
    """Characters of Q, or bytes before base64, that fit into an encoded word of `length`."""
    inside = length - len("=?utf-8?q??=")
    return inside if is_q else inside // 4 * 3


def _q(text: str) -> str:
    return "".join([_Q[each] for each in text.encode()])


def _q_word(text: str) -> str:
    return f"=?utf-8?q?{_q(text)}?="


def _b_word(text: str) -> str:
    return f"=?utf-8?b?{b2a_base64(text.encode(), newline=False).decode()}?="


# --- addresses --------------------------------------------------------------------------------------------------------
def read_mailbox(mailbox: str) -> Mailbox:
    """`Ann Lee <ann@bücher.example>` in its parts, the domain as it travels. Raises `NotAMail`."""
    if _CONTROL.search(mailbox):
        raise NotAMail("The address holds a line break or another control character.")
    name, address = _in_two(mailbox)
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = punycode(domain)
        except UnicodeError as error:
            raise NotAMail("The domain of the address is no domain.") from error
    address = f"{local}@{domain}"
    if not _ADDRESS.fullmatch(address):
        raise NotAMail("The address is no address.")
    return Mailbox(name, address)


def _in_two(mailbox: str) -> tuple[str, str]:
    if not mailbox.endswith(">"):
        return "", mailbox
    if simple := _SIMPLE_MAILBOX.fullmatch(mailbox):
        return simple[1] or "", simple[2]
    name, address = parseaddr(mailbox)
    if not mailbox.endswith(f"<{address}>"):  # it guesses
        raise NotAMail("The address is no address.")
    return name, address
