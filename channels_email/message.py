"""The mail itself. Words come rendered; django-templated-mail frames them as subject, text and HTML."""

from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.core.mail import EmailMultiAlternatives
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
