"""The mail by which an operator tries a provider."""

from uuid import uuid4

from channels_email.message import EmailMessage
from gateway.provider_settings import provider_setting
from templates_app.rendering import RenderedEmail

_WORDS = RenderedEmail(
    subject="Test of the notification platform",
    preheader="",
    text="This mail shows that mail is sent. Nobody needs to do anything.\n",
    html="<p>This mail shows that mail is sent. Nobody needs to do anything.</p>",
)


def a_trial_mail(to: str) -> EmailMessage:
    """To one address; it belongs to no notification."""
    made = uuid4()
    return EmailMessage(
        notification_id=made,
        message_id=f"test-{made}",
        to=to,
        sender=str(provider_setting("DEFAULT_FROM_EMAIL")),
        locale="en",
        words=_WORDS,
    )
