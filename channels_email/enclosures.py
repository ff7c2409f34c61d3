"""Files in a mail: attachments beside its words (multipart/mixed), images inside them (multipart/related, RFC 2387)."""

import re
from binascii import b2a_base64
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

#: Characters of a line of base64.
BASE64_LINE = 76
#: Characters of one piece of a name that is written in several (RFC 2231, section 3).
_PIECE = 60
#: A name that needs no writing in another way.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 !#$&'()+,.;=@\[\]^_`{}~-]+")
#: Never torn apart.
_LETTER = re.compile(r"%[0-9A-F]{2}|[^%]")


class Enclosed(NamedTuple):
    """A file as it goes into a mail."""

    filename: str
    #: Without parameters.
    content_type: str
    #: For an image inside the mail: the X of `cid:X`; else empty.
    content_id: str
    content: bytes


def enclosed(words: bytes, files: Sequence[Enclosed], *, mark: str, is_html: bool) -> bytes:
    """The part with the words, and the files around it. Boundaries begin as no line of a part can: `=_`."""
    images = [each for each in files if each.content_id and is_html]
    others = [each for each in files if each not in images]
    if images:
        root = words[len(b"Content-Type: ") : words.index(b";")].decode()
        words = _multipart(f'related; type="{root}"', f"=_r{mark}", [words, *map(_part, images)])
    return _multipart("mixed", f"=_m{mark}", [words, *map(_part, others)]) if others else words


def _multipart(kind: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    pieces = [f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'.encode()]
    rim = f"--{boundary}\r\n".encode()
    for part in parts:
        pieces += (rim, part)
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces)


def _part(file: Enclosed) -> bytes:
    disposition = "inline" if file.content_id else "attachment"
    lines = [
        f"Content-Type: {file.content_type}{_charset(file)}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {disposition};{_named('filename', file.filename)}",
    ]
    if file.content_id:
        lines.append(f"Content-ID: <{file.content_id}>")
    return "\r\n".join([*lines, "", ""]).encode() + in_base64(file.content)


def _charset(file: Enclosed) -> str:
    """Without it a program takes text for ASCII."""
    if not file.content_type.startswith("text/"):
        return ""
    try:
        file.content.decode()
    except UnicodeDecodeError:
        return ""
    return '; charset="utf-8"'


def _named(parameter: str, name: str) -> str:
    """As it is, or encoded by RFC 2231, in pieces where it is long."""
    if _PLAIN_NAME.fullmatch(name):
        return f'\r\n {parameter}="{name}"'
    pieces = [""]
    for letter in _LETTER.findall(f"utf-8''{quote(name, safe='')}"):
        if len(pieces[-1]) + len(letter) > _PIECE:
            pieces.append("")
        pieces[-1] += letter
    if len(pieces) == 1:
        return f"\r\n {parameter}*={pieces[0]}"
    return ";".join(f"\r\n {parameter}*{number}*={piece}" for number, piece in enumerate(pieces))


def in_base64(content: bytes) -> bytes:
    """In lines of 76, each ended by CR LF."""
    coded = b2a_base64(content, newline=False)
    return b"\r\n".join([coded[at : at + BASE64_LINE] for at in range(0, len(coded), BASE64_LINE)]) + b"\r\n"
