"""SendGrid, Mailgun and every other service that django-anymail speaks: channels_email/mail_services.py names them.

Anymail writes the requests and reads the answers. The sending is ours, because Anymail's sends one mail after the
other, and cannot say whether anything of a mail that failed has left.
"""

import json
import warnings
from collections.abc import Mapping
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.mime.image import MIMEImage
from email.utils import parseaddr
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from anymail.exceptions import AnymailError
from anymail.message import AnymailMessage
from django.utils.module_loading import import_string

from channels_email.mail_bytes import Mailbox, NotAMail, plain_value, read_mailbox
from channels_email.mail_services import Question
from channels_email.message import MESSAGE_ID, EmailMessage, frame, headers_of
from channels_email.providers.mail_service import (
    WHO,
    Made,
    MailServiceProvider,
    NotReadable,
    NotTaken,
    address_not_supported,
)
from channels_email.service_answers.meanings import address_refused, address_suppressed
from channels_email.trial_mail import a_trial_mail
from gateway.channel_contract import Outcome, OutgoingFile, SendResult
from gateway.http_window import Call, Reply

# Anymail's maintainers cannot try SendGrid any more; our tests hold it against what SendGrid documents.
warnings.filterwarnings("ignore", message="django-anymail has dropped official support for SendGrid")

#: What becomes of a mail, in Anymail's words.
TAKEN = frozenset({"sent", "queued"})
REFUSED = {"rejected": address_suppressed, "invalid": address_refused}
REPLY_TO = "Reply-To"
#: A receiver for a request that is never sent.
NOBODY = "nobody@example.com"


class AnymailProvider(MailServiceProvider):
    """One service, by HTTP."""

    def use(self, values: Mapping[str, str]) -> str:
        """A backend of Anymail's, made of the settings."""
        options: dict[str, Any] = {}
        for field in self.service.fields:
            argument, value = self.service.argument(field), values[field.setting]
            if value or argument != "api_url":
                options[argument] = value or None
        if self.name == "sendgrid":
            options["generate_message_id"] = False  # SendGrid has its own, by which one finds the mail there
        self._backend = import_string(f"anymail.backends.{self.name}.EmailBackend")(**options)
        return str(self._backend.api_url)

    def make(self, message: EmailMessage) -> Made:
        """Anymail's request, as bytes."""
        mail = self._mail(message)
        try:
            payload = self._backend.build_message_payload(mail, {})
            asked = requests.Request(**payload.get_request_params(self._backend.api_url)).prepare()
        except AnymailError as error:
            why = str(error.args[0]) if error.args else type(error).__name__
            words = f"{self.service.title} cannot carry this mail: {why}"
            refused = SendResult(outcome=Outcome.PERMANENT, error_code="not_supported", detail=words)
            raise NotTaken(refused) from error
        headers = {name: str(value) for name, value in asked.headers.items()} | WHO
        if self.service.repeat_header:
            headers[self.service.repeat_header] = str(message.notification_id)
        body = asked.body.encode() if isinstance(asked.body, str) else asked.body
        return Made(call=Call(asked.path_url, headers, cast(bytes, body or b"")), payload=payload)

    def read_id(self, reply: Reply, payload: Any) -> str:
        """As Anymail reads it; what it does not find may stand in a header."""
        answer = _Answer(reply)
        try:
            (status,) = self._backend.parse_recipient_status(answer, payload, payload.message).values()
        except (AnymailError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise NotReadable("body") from error
        if status.status in REFUSED:
            raise NotTaken(REFUSED[status.status](self.service.title).result(provider_code=str(reply.status)))
        if status.status not in TAKEN:
            raise NotReadable(str(status.status))
        return str(status.message_id or answer.headers.get("X-Message-Id") or "")

    def ask(self, question: Question) -> Call:
        """With the credentials of any other request."""
        call = self.make(a_trial_mail(NOBODY)).call
        headers = {name: value for name, value in call.headers.items() if not name.lower().startswith("content-")}
        path = urlsplit(self._backend.api_url).path.rstrip("/") + question.path if question.path else call.path
        return Call(path, headers, method=question.method)

    def _mail(self, message: EmailMessage) -> AnymailMessage:
        """As Anymail wants it. Raises `NotTaken` and what `make_mail` raises."""
        to = read_mailbox(message.to)
        if not to.address.isascii() and not self.service.takes_utf8_address:
            raise address_not_supported(self.service.title)
        words = frame(message)
        text, html = words.text, words.html
        _see_that_all_is_text(words.subject, text, html)
        mail = AnymailMessage(
            subject=words.subject,
            body=text or html,
            from_email=_sender(message.sender),
            to=[_with_ascii_domain(message.to, to)],
            headers=self._headers(message),
            reply_to=_reply_to(message.reply_to),
        )
        if not text:
            mail.content_subtype = "html"
        elif html:
            mail.attach_alternative(html, "text/html")
        for file in message.files:
            _attach(mail, file)
        if self.service.takes_metadata:
            mail.metadata = {"notification_id": str(message.notification_id)}
        if self.service.takes_tracking:
            mail.track_opens = mail.track_clicks = False
        return mail

    def _headers(self, message: EmailMessage) -> dict[str, str]:
        headers = {name: plain_value(value) for name, value in headers_of(message) if value}
        headers.pop(REPLY_TO, None)  # the services have a field for it
        if not self.service.keeps_message_id:
            del headers[MESSAGE_ID]
        if self.service.repeat_field:
            headers[self.service.repeat_field] = str(message.notification_id)
        return headers | dict(self.service.mail_headers)


def _attach(mail: AnymailMessage, file: OutgoingFile) -> None:
    """Raises `FileAway`."""
    if not file.content_id:
        mail.attach(file.filename, file.read(), file.content_type)
        return
    image = MIMEImage(file.read(), file.content_type.partition("/")[2])
    image.add_header("Content-Disposition", "inline", filename=file.filename)
    image.add_header("Content-ID", f"<{file.content_id}>")
    mail.attach(image)


class _Answer:
    """As much of a response as Anymail asks for."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self.headers = requests.structures.CaseInsensitiveDict(reply.headers)
        self.content = reply.body

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Raises ValueError."""
        return json.loads(self.content)


def _see_that_all_is_text(*parts: str) -> None:
    """Half of a surrogate pair is none."""
    try:
        "".join(parts).encode()
    except UnicodeEncodeError as error:
        raise NotAMail("It holds a character that is none.") from error


@lru_cache(maxsize=100)
def _reply_to(header: str) -> list[str] | None:
    """A header's value as Anymail wants an address, its name as people read it."""
    if not header:
        return None
    name, address = parseaddr(header)
    local, _, domain = address.rpartition("@")
    return [str(Address(display_name=str(make_header(decode_header(name))), username=local, domain=domain))]


@lru_cache(maxsize=100)
def _sender(mailbox: str) -> str:
    """Few senders write many mails."""
    return _with_ascii_domain(mailbox, read_mailbox(mailbox))


def _with_ascii_domain(mailbox: str, read: Mailbox) -> str:
    """Domains travel in the same form by every provider; usually they are in it already."""
    if mailbox == read.address or mailbox.endswith(f"<{read.address}>"):
        return mailbox
    local, _, domain = read.address.rpartition("@")
    return str(Address(display_name=read.name, username=local, domain=domain))
