"""The ways by which an alert reaches operators: mail by a server of their own, and a webhook. Never a notification."""

import http.client
import smtplib
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import orjson
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

#: For each step of a connection.
TIMEOUT = timedelta(seconds=10)
SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """One message to operators; nothing personal in it."""

    #: A kind of `models.Alert`, or test.
    alert: str
    #: alarm or all_clear.
    state: str
    title: str
    sentence: str
    count: int
    #: The id of the notification to look at first; empty where none is to blame.
    first: str
    link: str

    @property
    def text(self) -> str:
        """All of it in one line, as chats show it."""
        return f"{self.title}: {self.sentence} {self.link}"


class PostFailed(Exception):
    """A message did not go out by one of the ways; the words name no secret."""


class Post(Protocol):
    """One way."""

    name: str

    def send(self, message: AlertMessage) -> None:
        """Raises `PostFailed`."""


class MailPost:
    """To all of `ALERT_EMAILS`, by the server of `ALERT_EMAIL_URL`."""

    name = "mail"

    def __init__(self, server: dict[str, Any], *, addresses: list[str]) -> None:
        self._server = server
        self._addresses = addresses

    def send(self, message: AlertMessage) -> None:
        """One mail with everybody in To: operators may see each other."""
        connection = get_connection(SMTP_BACKEND, timeout=int(TIMEOUT.total_seconds()), **self._server)
        first = f"First notification: {message.first}\n" if message.first else ""
        mail = EmailMessage(
            subject=message.title,
            body=f"{message.sentence}\n\n{first}{message.link}\n",
            to=self._addresses,
            headers={"Auto-Submitted": "auto-generated"},  # RFC 3834: no out-of-office answers
            connection=connection,
        )
        try:
            mail.send()
        except (OSError, smtplib.SMTPException) as error:
            code = getattr(error, "smtp_code", "")
            # A server's words may repeat addresses: only the kind of trouble is told.
            raise PostFailed(f"{type(error).__name__} {code}".strip()) from error


class WebhookPost:
    """A JSON object to `ALERT_WEBHOOK_URL`; chats that understand {"text": …} show that."""

    name = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url
        # Nothing that follows redirects, reads files or asks a proxy.
        self._opener = urllib.request.OpenerDirector()
        for handler in (urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
            self._opener.add_handler(handler)

    def send(self, message: AlertMessage) -> None:
        """The answer's status counts, its body is not read."""
        fields = ("alert", "state", "count", "first", "link")
        body = orjson.dumps({"text": message.text} | {name: getattr(message, name) for name in fields})
        request = urllib.request.Request(  # noqa: S310  settings let only http and https through
            self._url, data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        try:
            answer = self._opener.open(request, timeout=TIMEOUT.total_seconds())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise PostFailed(_words_for(error)) from error
        with answer:
            if not 200 <= answer.status < 300:
                raise PostFailed(f"It answered {answer.status}.")


def _words_for(error: Exception) -> str:
    """What went wrong, without the address: that may hold a secret."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return type(reason).__name__ if isinstance(reason, Exception) else "URLError"


def configured_posts() -> list[Post]:
    """The ways that the settings name."""
    posts: list[Post] = []
    if settings.ALERT_EMAILS and settings.ALERT_EMAIL_URL:
        posts.append(MailPost(settings.ALERT_EMAIL_URL, addresses=settings.ALERT_EMAILS))
    if settings.ALERT_WEBHOOK_URL:
        posts.append(WebhookPost(settings.ALERT_WEBHOOK_URL))
    return posts
