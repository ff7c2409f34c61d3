"""The e-mail channel: recipient and words in, message out; the table of its providers."""

from email.headerregistry import Address

from django.conf import settings
from django.utils.module_loading import import_string

from channels_email.message import EmailMessage
from gateway.channel_contract import Order, Provider, Refusal, UnknownProvider
from gateway.simulation import SIMULATOR, SimulatorProvider, mail_word
from templates_app.rendering import NOT_ON_ONE_LINE
from users.channels import Channel
from users.recipients import Recipient
from users.unsubscribe import unsubscribe_url_for

#: Dotted paths, so that a process never loads a vendor's library it does not use.
PROVIDERS = {
    "capture": "channels_email.providers.capture.CaptureProvider",
    "smtp": "channels_email.providers.smtp.SmtpProvider",
}


class EmailChannel:
    """Implements `gateway.channel_contract.Channel`."""

    name = Channel.EMAIL.value

    def provider_names(self) -> list[str]:
        """The configured providers, in order of preference."""
        return list(settings.EMAIL_PROVIDERS)

    def load_provider(self, name: str) -> Provider:
        """A fresh instance of a provider. Raises `UnknownProvider`."""
        if name == SIMULATOR:
            return SimulatorProvider(self.name)
        if name not in PROVIDERS:
            raise UnknownProvider(f"{name!r} is no e-mail provider; there are {', '.join(PROVIDERS)}.")
        provider: Provider = import_string(PROVIDERS[name])()
        return provider

    def carriers(self, message: EmailMessage) -> tuple[str, ...]:
        """Every provider takes every mail; simulated ones only the simulator."""
        if message.simulated_as:
            return (SIMULATOR,)
        return tuple(settings.EMAIL_PROVIDERS)

    def build(self, order: Order) -> list[EmailMessage] | Refusal:
        """The one message of an e-mail notification."""
        recipient = order.recipient
        if not recipient.email:
            return Refusal(reason="no_address", data={"name": recipient.display_name})
        return [
            EmailMessage(
                notification_id=order.notification_id,
                message_id=order.message_id,
                correlation_id=order.correlation_id,
                simulated_as=mail_word(order),
                earlier_tries=order.earlier_tries,
                to=_mailbox(recipient),
                sender=settings.DEFAULT_FROM_EMAIL,
                locale=order.locale,
                words=order.words,
                unsubscribe_url=unsubscribe_url_for(order.category, user_id=recipient.id, channel=Channel.EMAIL.value),
            )
        ]


def _mailbox(recipient: Recipient) -> str:
    """As people read it; the mail encodes what its headers cannot hold. No name ends a header or becomes an address."""
    name = NOT_ON_ONE_LINE.sub(" ", recipient.name).strip()
    local, _, domain = recipient.email.rpartition("@")
    return str(Address(display_name=name, username=local, domain=domain))
