"""The mail itself. Words come rendered; django-templated-mail frames them as subject, text and HTML."""

import re
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.utils.encoding import punycode
from templated_mail.mail import BaseEmailMessage

from gateway.channel_contract import Message
from templates_app.rendering import RenderedEmail


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailMessage(Message):
    """What an e-mail provider is handed."""

    #: With display name where there is one.
    to: str
    sender: str
    locale: str
    words: RenderedEmail


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """As it leaves: the addresses of the envelope, and the bytes (RFC 5322), each line ended by CR LF."""

    sender: str
    recipient: str
    content: bytes
    #: The recipient's address can only be written with SMTPUTF8.
    needs_utf8: bool = False


class NotAMail(Exception):
    """No mail can be made of the message; it is at fault, not its neighbours."""


class FramedMail(BaseEmailMessage):  # type: ignore[misc]  # the library ships no types
    """The shell file only says which block is subject, text and HTML. `render()` once, never the library's `send()`."""

    template_name = "channels_email/message.html"
    subject: str
    _rendered = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Only the words: no view, no user, no site."""
        return dict(self.context)

    def render(self) -> None:
        """Fill subject, text and HTML. A second call would attach the HTML part twice, so it does nothing."""
        if self._rendered:
            return
        super().render()
        self.subject = " ".join(self.subject.split())  # a line break in a header is an error at best
        self._rendered = True


def frame(message: EmailMessage) -> EmailMultiAlternatives:
    """The mail as Django sends it: multipart/alternative, the same Message-ID over all attempts."""
    words = message.words
    mail = FramedMail(
        context={"subject": words.subject, "text": words.text, "html": words.html},
        from_email=message.sender,
        to=[message.to],
        headers={
            "Message-ID": message_id_header(message),
            "Content-Language": message.locale,
            "X-Notification-ID": str(message.notification_id),
            "Auto-Submitted": "auto-generated",  # RFC 3834: no out-of-office answers, please
        },
    )
    mail.render()
    framed: EmailMultiAlternatives = mail
    return framed


def message_id_header(message: EmailMessage) -> str:
    """RFC 5322, section 3.6.4: unique at the sender's domain."""
    _, at, domain = parseaddr(message.sender)[1].rpartition("@")
    return f"<{message.message_id}@{domain if at else 'localhost.localdomain'}>"


#: What may stand between < and > of an envelope: no way to end it, to begin a line, or to add an option.
_ENVELOPE_ADDRESS = re.compile(
    r'(?:"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"|[^\s<>"@\x00-\x1f\x7f]+)@[^\s<>@\x00-\x1f\x7f]+'
)


def make_mail(message: EmailMessage) -> Mail:
    """The mail with its envelope. Raises `NotAMail`."""
    try:
        content = frame(message).message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own class takes it
    except ValueError as error:  # a header that cannot be
        raise NotAMail(f"No mail can be made of it: {type(error).__name__}.") from error
    recipient = envelope_address(message.to)
    return Mail(
        sender=envelope_address(message.sender),
        recipient=recipient,
        content=content,
        needs_utf8=not recipient.isascii(),
    )


def envelope_address(mailbox: str) -> str:
    """The bare address, its domain in ASCII. Raises `NotAMail`."""
    local, at, domain = parseaddr(mailbox)[1].rpartition("@")
    try:
        address = f"{local}{at}{punycode(domain)}"
    except UnicodeError as error:
        raise NotAMail("The domain of the address is no domain.") from error
    if not _ENVELOPE_ADDRESS.fullmatch(address):
        raise NotAMail("The address is no address.")
    return address
