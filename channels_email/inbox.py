"""The inbox of captured mails: what is in it, and a kept mail taken apart again for the eyes. No query counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import UUID

from channels_email.models import CapturedEmail
from gateway.inbox_pages import page_of


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedMail:
    """A kept mail in its parts; texts are decoded."""

    headers: Sequence[tuple[str, str]]
    html: str
    text: str
    #: The whole message as it would have left.
    source: str
    attachments: Sequence[str] = ()


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
        source=bytes(source).decode("utf-8", "replace"),
        attachments=tuple(part.get_filename() or part.get_content_type() for part in mail.iter_attachments()),
    )


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
