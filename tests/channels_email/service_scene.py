"""Stand-ins of mail services, the settings that point at them, and mails to send."""

import uuid

from channels_email.channel import EmailChannel
from channels_email.message import EmailMessage
from templates_app.rendering import RenderedEmail

SENDER = "Shop <shop@mail.example>"


def use(settings, server, **other):
    """The settings of a stand-in, and the provider they make."""
    settings.DEFAULT_FROM_EMAIL = SENDER
    for name, value in (server.exports() | other).items():
        setattr(settings, name, value)
    return EmailChannel().load_provider(server.name)


def a_mail(to="Ann Lee <ann@example.com>", **fields) -> EmailMessage:
    words = {
        "subject": "Grüße, Ann",
        "preheader": "",
        "text": "Hello Ann\n",
        "html": "<p>Hello <b>Ann</b></p>",
    }
    notification_id = fields.pop("notification_id", None) or uuid.uuid4()
    usual = {
        "notification_id": notification_id,
        "message_id": f"n-{notification_id}",
        "to": to,
        "sender": SENDER,
        "locale": "de",
        "unsubscribe_url": "https://notify.example.com/u/abc",
    }
    said = RenderedEmail(**words | {name: fields.pop(name) for name in list(fields) if name in words})
    return EmailMessage(words=said, **usual | fields)


def asking(answer: str, **fields) -> EmailMessage:
    """A mail that is answered so."""
    return a_mail(f"ask-{answer}.{uuid.uuid4().hex[:6]}@example.com", **fields)


def send(provider, *messages):
    provider.connect()
    return list(provider.send(messages))
