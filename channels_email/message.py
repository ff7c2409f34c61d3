"""The mail itself. Words come rendered; django-templated-mail frames them as subject, text and HTML."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from templated_mail.mail import BaseEmailMessage

from channels_email.enclosures import Enclosed
from channels_email.mail_bytes import NotAMail, mail_bytes, read_mailbox
from channels_email.mail_headers import domain_of, sender_mailbox
from channels_email.return_address import return_address
from gateway.channel_contract import FileAway, Message, Outcome, OutgoingFile, SendResult
from templates_app.rendering import NOT_ON_ONE_LINE, RenderedEmail
from users.unsubscribe import ONE_CLICK

#: The header by which mail programs know a mail again.
MESSAGE_ID = "Message-ID"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailMessage(Message):
    """What an e-mail provider is handed."""

    #: With display name where there is one.
    to: str
    sender: str
    locale: str
    words: RenderedEmail
    #: Where one POST turns off what this mail is about (RFC 8058); empty where that cannot be turned off so.
    unsubscribe_url: str = ""
    #: The values of three headers, as `mail_headers.py` writes them; empty for none.
    list_id: str = ""
    feedback_id: str = ""
    reply_to: str = ""
    #: Attachments, and images inside the mail.
    files: tuple[OutgoingFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """As it leaves: the addresses of the envelope, and the bytes (RFC 5322), each line ended by CR LF."""

    sender: str
    recipient: str
    content: bytes
    #: The recipient's address can only be written with SMTPUTF8.
    needs_utf8: bool = False


class FramedMail(BaseEmailMessage):  # type: ignore[misc]  # the library ships no types
    """The shell file only says which block is subject, text and HTML. `render()` once, never the library's `send()`."""

    template_name = "channels_email/message.html"
    subject: str
    #: What the library makes of the words: the plain text, or the HTML where there is no text.
    body: str
    html: str | None
    _rendered = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Only the words: no view, no user, no site."""
        return dict(self.context)

    def render(self) -> None:
        """Fill subject, text and HTML. A second call would attach the HTML part twice, so it does nothing."""
        if self._rendered:
            return
        super().render()
        self.subject = NOT_ON_ONE_LINE.sub(" ", self.subject)  # a line break in a header is an error at best
        self._rendered = True

    @property
    def text(self) -> str:
        """Empty for a mail of HTML alone."""
        return "" if self.content_subtype == "html" else self.body


class Framed(NamedTuple):
    """Subject, text and HTML as the shell file makes them of the words; empty for a part the mail does not have."""

    subject: str
    text: str
    html: str


_PARTS = ("subject", "text", "html")
#: Stands for words in a shell that is filled again and again: characters no word of a shell file is written with.
_PLACE = re.compile(f"\ue000({'|'.join(_PARTS)})\ue001")


def frame(message: EmailMessage) -> Framed:
    """The words of the message in their places."""
    words = {name: getattr(message.words, name) for name in _PARTS}
    shell = _shell(tuple(name for name, value in words.items() if value))
    subject, text, html = [_filled(pieces, words).strip() for pieces in shell]
    return Framed(NOT_ON_ONE_LINE.sub(" ", subject), text, html)


def _filled(pieces: Sequence[str], words: Mapping[str, str]) -> str:
    return "".join([words[each] if number % 2 else each for number, each in enumerate(pieces)])


@lru_cache(maxsize=8)
def _shell(given: tuple[str, ...]) -> tuple[list[str], list[str], list[str]]:
    """What the library makes of a mail with these words, in pieces: a text of the shell, the name of words, a text …

    The shell is the same for all mails, so the library does not walk through it for each of them.
    """
    mail = FramedMail(context={name: f"\ue000{name}\ue001" if name in given else "" for name in _PARTS})
    mail.render()
    return _PLACE.split(mail.subject), _PLACE.split(mail.text), _PLACE.split(mail.html or "")


def make_mail(message: EmailMessage, *more_headers: tuple[str, str]) -> Mail:
    """The mail with its envelope, the same Message-ID over all attempts. Raises one of `CANNOT_BE_MADE`."""
    sender, to, words = sender_mailbox(message.sender), read_mailbox(message.to), frame(message)
    content = mail_bytes(
        sender=sender,
        to=to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        headers=[*headers_of(message), *more_headers],
        mark=message.notification_id.hex,
        files=[Enclosed(each.filename, each.content_type, each.content_id, each.read()) for each in message.files],
    )
    return Mail(
        sender=return_address(message.notification_id) or sender.address,
        recipient=to.address,
        content=content,
        needs_utf8=not to.address.isascii(),
    )


#: What `make_mail` raises: no mail can be made of it, or something of it cannot be had.
CANNOT_BE_MADE = (NotAMail, FileAway)


def not_made(error: Exception) -> SendResult:
    """One of `CANNOT_BE_MADE` as the answer about this message: it alone is at fault, not its neighbours."""
    if isinstance(error, FileAway):
        return SendResult(outcome=error.outcome, error_code="attachment_away", detail=str(error))
    return SendResult(outcome=Outcome.PERMANENT, error_code="not_a_mail", detail=str(error))


def headers_of(message: EmailMessage) -> list[tuple[str, str]]:
    """All but From, To, Subject and Date, whoever carries the mail: plain ASCII; what it lacks has an empty value."""
    return [
        (MESSAGE_ID, message_id_header(message)),
        ("Reply-To", message.reply_to),
        ("Content-Language", message.locale),
        ("X-Notification-ID", str(message.notification_id)),
        ("Auto-Submitted", "auto-generated"),  # RFC 3834: no out-of-office answers, please
        ("List-Id", message.list_id),
        *unsubscribe_headers(message),
        ("Feedback-ID", message.feedback_id),
    ]


def unsubscribe_headers(message: EmailMessage) -> list[tuple[str, str]]:
    """RFC 2369 and RFC 8058; none for mails without a link."""
    if not message.unsubscribe_url:
        return []
    return [("List-Unsubscribe", f"<{message.unsubscribe_url}>"), ("List-Unsubscribe-Post", ONE_CLICK)]


def message_id_header(message: EmailMessage) -> str:
    """RFC 5322, section 3.6.4: unique at the sender's domain."""
    return f"<{message.message_id}@{domain_of(message.sender)}>"
