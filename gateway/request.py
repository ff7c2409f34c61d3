"""What a client asks for, as a value."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway import priorities


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentRequest:
    """One file that is to go with a mail: sent along, or uploaded before."""

    #: Empty for the name an upload has.
    filename: str = ""
    #: Of an upload it is known.
    content_type: str = ""
    content: bytes = b""
    #: Of an upload; None for what is sent along.
    file_id: UUID | None = None
    #: For an image inside the mail: the X of `cid:X`.
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """One request, its shape checked and its priority a number."""

    #: email or push; the API calls it notification_type.
    channel: str
    #: The client's own id of the person, or ours.
    user_id: str
    template_code: str
    variables: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    priority: int = priorities.DEFAULT
    #: Pins a published version.
    template_version: int | None = None
    locale: str | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    #: For email only.
    attachments: tuple[AttachmentRequest, ...] = ()
