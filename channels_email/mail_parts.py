"""A mail that anybody may have written, taken apart: parts, headers, texts. Nothing in it makes this fail or take long.

The standard library's parser reads everything, however deep; here each limit has a number, and what is beyond it is
left out. The work grows with the length of the mail alone.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

#: Bytes of a mail that are read.
LARGEST_MAIL = 2 * 1024 * 1024
#: Parts within parts, parts in all, headers of a part, bytes of them, characters of one.
DEEPEST, MOST_PARTS, MOST_HEADERS, LARGEST_HEAD, LONGEST_HEADER = 8, 100, 500, 64 * 1024, 2000
#: What is a mail within the mail: the one that came back, or the head of it.
EMBEDDED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_FOLD = re.compile(r"\n(?=[ \t])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mail, or a part of one."""

    headers: tuple[tuple[str, str], ...]
    #: In small letters.
    content_type: str
    charset: str
    #: Of a part without parts; no encoding is left.
    body: bytes = b""
    parts: tuple["Part", ...] = ()

    def header(self, name: str) -> str:
        """The first of this name; empty where there is none."""
        return next((value for each, value in self.headers if each == name), "")

    def all(self, name: str) -> list[str]:
        """Every header of this name."""
        return [value for each, value in self.headers if each == name]

    def walk(self) -> Iterator["Part"]:
        """This one and all within it, as they are written."""
        yield self
        for each in self.parts:
            yield from each.walk()

    def first(self, *content_types: str) -> "Part | None":
        """The first part of one of these types."""
        return next((each for each in self.walk() if each.content_type in content_types), None)

    def text(self, most: int) -> str:
        """The first `most` bytes as text; what is no letter there is replaced."""
        data = self.body[:most]
        try:
            words = data.decode(self.charset or "utf-8", "replace")
        except (LookupError, ValueError):
            words = data.decode("utf-8", "replace")
        return _CONTROL.sub("", words)


class _Budget:
    """How many parts may still be made."""

    def __init__(self) -> None:
        self.parts = MOST_PARTS


def read_mail(raw: bytes) -> Part:
    """The whole of it; of a longer one than `LARGEST_MAIL` the beginning."""
    data = raw[:LARGEST_MAIL].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n")
    if data.startswith((b"From ", b">From ")):  # as mailboxes write it before a mail
        data = data.partition(b"\n")[2]
    return _part(data, depth=0, budget=_Budget())


def read_fields(block: str) -> tuple[tuple[str, str], ...]:
    """Header-like lines: name in small letters, value on one line."""
    fields: list[tuple[str, str]] = []
    for line in _FOLD.sub("", block[:LARGEST_HEAD]).split("\n", MOST_HEADERS)[:MOST_HEADERS]:
        name, colon, value = line.partition(":")
        if colon and name and not name[0].isspace():
            fields.append((name.strip().lower()[:80], _CONTROL.sub(" ", value[:LONGEST_HEADER]).strip()))
    return tuple(fields)


def _part(data: bytes, *, depth: int, budget: _Budget) -> Part:
    budget.parts -= 1
    if data.startswith(b"\n"):  # no headers at all
        head, body = b"", data[1:]
    else:
        head, _, body = data.partition(b"\n\n")
    headers = read_fields(head[:LARGEST_HEAD].decode("utf-8", "replace"))
    declared = _declared(next((value for name, value in headers if name == "content-type"), "text/plain"))
    content_type = declared.get_content_type()
    encoding = next((value for name, value in headers if name == "content-transfer-encoding"), "")
    parts: tuple[Part, ...] = ()
    if declared.get_content_maintype() == "multipart":
        if depth < DEEPEST:
            parts = tuple(_pieces(body, _parameter(declared, "boundary"), depth=depth, budget=budget))
    else:
        body = _decoded(body, encoding.strip().lower())
        if content_type in EMBEDDED and depth < DEEPEST and budget.parts > 0:
            parts = (_part(body.replace(b"\r\n", b"\n").lstrip(b"\n"), depth=depth + 1, budget=budget),)
    return Part(
        headers=headers,
        content_type=content_type,
        charset=_parameter(declared, "charset"),
        body=b"" if parts else body,
        parts=parts,
    )


def _pieces(body: bytes, boundary: str, *, depth: int, budget: _Budget) -> Iterator[Part]:
    """What lies between the lines `--boundary`."""
    if not boundary:
        return
    rim = re.compile(rb"\n--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*(?=\n|\Z)")
    body = b"\n" + body
    begin = -1
    for found in rim.finditer(body):
        if begin >= 0:
            yield _part(body[begin : found.start()], depth=depth + 1, budget=budget)
        if found[1] or budget.parts <= 0:
            return
        begin = found.end() + 1
    if begin >= 0:  # cut short
        yield _part(body[begin:], depth=depth + 1, budget=budget)


def _decoded(body: bytes, encoding: str) -> bytes:
    try:
        if encoding == "base64":
            return binascii.a2b_base64(body)
        if encoding == "quoted-printable":
            return binascii.a2b_qp(body)
    except (binascii.Error, ValueError):
        pass
    return body


def _declared(content_type: str) -> Message:
    """The standard library knows how parameters are written; the value is short."""
    message = Message()
    message["Content-Type"] = content_type
    return message


def _parameter(declared: Message, name: str) -> str:
    try:
        value = declared.get_param(name, "")
        return str(value[2] if isinstance(value, tuple) else value or "").strip()[:200]
    except (ValueError, LookupError, TypeError):  # RFC 2231 as nobody should write it
        return ""
