"""The inbox of captured mails: what is in it, and a kept mail taken apart again for the eyes. No query counts."""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from urllib.parse import unquote
from uuid import UUID

from channels_email.models import CapturedEmail
from gateway.inbox_pages import page_of

#: Characters of a mail's source that are shown.
SOURCE_SHOWN = 200_000
#: How HTML names an image of its own mail (RFC 2392).
_CID = re.compile(r"""(["'(=]\s*)cid:([^"')\s>]+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file in a kept mail."""

    number: int
    filename: str
    content_type: str
    #: Bytes.
    size: int
    #: For an image inside the mail; else empty.
    content_id: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMail:
    """A kept mail in its parts; texts are decoded."""

    headers: Sequence[tuple[str, str]]
    html: str
    text: str
    #: The whole message as it would have left.
    source: str
    #: The source is longer than what is shown of it.
    is_source_cut: bool = False
    files: Sequence[KeptFile] = ()

    @property
    def html_with_images(self) -> str:
        """For a browser, which does not find the images of a mail by itself."""
        images = {each.content_id: each for each in self.files if each.content_id}
        return _CID.sub(lambda found: found[1] + _address(images.get(unquote(found[2])), found[2]), self.html)


def newest(*, search: str = "", older_than: UUID | None = None) -> tuple[list[CapturedEmail], bool]:
    """A page of mails without their source, newest first, and whether there are older ones. Searches to and subject."""
    mails = CapturedEmail.objects.defer("source")
    return page_of(mails, searched=("to", "subject"), search=search, older_than=older_than)


def delete_content(notification_ids: list[UUID]) -> None:
    """Delete the mails of these notifications: their time is over."""
    CapturedEmail.objects.filter(notification_id__in=notification_ids).delete()


def empty_inbox() -> int:
    """Delete every captured mail; returns how many. The notifications stay."""
    return CapturedEmail.objects.all().delete()[0]


def open_mail(source: bytes | memoryview) -> OpenedMail:
    """A message (RFC 5322) in its parts. What cannot be decoded shows replacement characters, it is no error."""
    mail = message_from_bytes(bytes(source), policy=policy.default)
    return OpenedMail(
        headers=tuple((name, _readable(str(value))) for name, value in mail.items()),
        html=_body(mail, "html"),
        text=_body(mail, "plain"),
        source=bytes(source[:SOURCE_SHOWN]).decode("utf-8", "replace"),
        is_source_cut=len(source) > SOURCE_SHOWN,
        files=_files(mail),
    )


def _files(mail: EmailMessage) -> tuple[KeptFile, ...]:
    parts = [each for each in mail.walk() if each.get_content_disposition() in ("attachment", "inline")]
    files = [_file(number, part) for number, part in enumerate(parts) if not part.is_multipart()]
    return tuple(sorted(files, key=lambda file: bool(file.content_id)))  # what was attached before what is shown anyway


def _file(number: int, part: Message) -> KeptFile:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    return KeptFile(
        number=number,
        filename=part.get_filename() or part.get_content_type(),
        content_type=part.get_content_type(),
        size=len(content),
        content_id=str(part.get("Content-ID", "")).strip("<> "),
        content=content,
    )


def _address(image: KeptFile | None, content_id: str) -> str:
    if image is None or not image.content_type.startswith("image/"):
        return f"cid:{content_id}"
    return f"data:{image.content_type};base64,{b64encode(image.content).decode()}"


def _readable(value: str) -> str:
    """The parser leaves the bytes of an address in UTF-8 (RFC 6532) as they are."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a character set nobody knows; broken transfer encoding
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else str(part.get_payload())
