"""The e-mail channel: recipient and words in, message out; the table of its providers."""

import re
from collections.abc import Mapping
from email.headerregistry import Address

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from channels_email.mail_headers import feedback_id, list_id
from channels_email.mail_server import checked_mail_server, mail_server_hint
from channels_email.mail_services import MAIL_SERVICES
from channels_email.message import EmailMessage
from channels_email.webhook_keys import NEWS_FIELDS
from gateway.channel_contract import NewsPlace, Order, Provider, Refusal, UnknownProvider
from gateway.provider_order import order_known, provider_order
from gateway.provider_settings import ProviderField
from gateway.simulation import SIMULATOR, SimulatorProvider, mail_word
from templates_app.rendering import NOT_ON_ONE_LINE
from users.channels import Channel
from users.recipients import Recipient
from users.unsubscribe import unsubscribe_url_for

#: Dotted paths, so that a process never loads a vendor's library it does not use.
PROVIDERS = {
    "capture": "channels_email.providers.capture.CaptureProvider",
    "smtp": "channels_email.providers.smtp.SmtpProvider",
    **dict.fromkeys(MAIL_SERVICES, "channels_email.providers.anymail.AnymailProvider"),
    "amazon_ses": "channels_email.providers.amazon_ses.AmazonSesProvider",
}
#: Names and addresses that stand in a header as they are.
_NEEDS_NO_QUOTES = re.compile(r"[^\s()<>@,:;.\\\"\[\]](?:[^()<>@,:;.\\\"\[\]]*[^\s()<>@,:;.\\\"\[\]])?")
_IS_PLAIN = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
#: What they need to know.
FIELDS: dict[str, tuple[ProviderField, ...]] = {
    "smtp": (
        ProviderField(
            setting="EMAIL_URL",
            label=_("Mail server"),
            help=_(
                "smtp+tls://user:password@host:587 (STARTTLS required), smtps://…:465 (TLS at once) or smtp://…:25 "
                "(not encrypted). In user and password write / as %2F, @ as %40, # as %23, ? as %3F."
            ),
            is_secret=True,
            read=checked_mail_server,
            hint=mail_server_hint,
        ),
    ),
    **{name: (*service.fields, *NEWS_FIELDS.get(name, ())) for name, service in MAIL_SERVICES.items()},
}


class EmailChannel:
    """Implements `gateway.channel_contract.Channel`."""

    name = Channel.EMAIL.value

    def provider_fields(self) -> Mapping[str, tuple[ProviderField, ...]]:
        """Every provider there is for this channel, in use or not, and what each needs to know."""
        return {name: FIELDS.get(name, ()) for name in PROVIDERS}

    def provider_names(self) -> list[str]:
        """The configured providers, in order of preference."""
        return list(provider_order(self.name).names)

    def news_places(self) -> Mapping[str, NewsPlace]:
        """The mailboxes that bounces wait in. Only the sweeper asks: nobody else loads what reads them."""
        places: Mapping[str, NewsPlace] = import_string("channels_email.bounce_places.bounce_places")()
        return places

    def load_provider(self, name: str) -> Provider:
        """A fresh instance of a provider. Raises `UnknownProvider`."""
        if name == SIMULATOR:
            return SimulatorProvider(self.name)
        if name not in PROVIDERS:
            raise UnknownProvider(f"{name!r} is no e-mail provider; there are {', '.join(PROVIDERS)}.")
        make = import_string(PROVIDERS[name])
        provider: Provider = make(MAIL_SERVICES[name]) if name in MAIL_SERVICES else make()
        return provider

    def carriers(self, message: EmailMessage) -> tuple[str, ...]:
        """Every provider takes every mail; simulated ones only the simulator."""
        if message.simulated_as:
            return (SIMULATOR,)
        return order_known(self.name).ranked(message.notification_id)

    def build(self, order: Order) -> list[EmailMessage] | Refusal:
        """The one message of an e-mail notification."""
        recipient = order.recipient
        if not recipient.email:
            return Refusal(reason="no_address", data={"name": recipient.display_name})
        sender = settings.DEFAULT_FROM_EMAIL
        return [
            EmailMessage(
                notification_id=order.notification_id,
                message_id=order.message_id,
                correlation_id=order.correlation_id,
                simulated_as=mail_word(order),
                earlier_tries=order.earlier_tries,
                to=_mailbox(recipient),
                sender=sender,
                locale=order.locale,
                words=order.words,
                unsubscribe_url=unsubscribe_url_for(order.category, user_id=recipient.id, channel=Channel.EMAIL.value),
                list_id=list_id(order.category, sender=sender),
                feedback_id=feedback_id(
                    template_code=order.template_code, category=order.category.code, locale=order.locale, sender=sender
                ),
                files=order.files,
                weight=sum(file.size for file in order.files),
                reply_to=settings.DEFAULT_REPLY_TO,
            )
        ]


def _mailbox(recipient: Recipient) -> str:
    """As people read it; the mail encodes what its headers cannot hold. No name ends a header or becomes an address."""
    name = NOT_ON_ONE_LINE.sub(" ", recipient.name).strip()
    if _NEEDS_NO_QUOTES.fullmatch(name) and _IS_PLAIN.fullmatch(recipient.email):  # nearly all, at a tenth of the cost
        return f"{name} <{recipient.email}>"
    local, _, domain = recipient.email.rpartition("@")
    return str(Address(display_name=name, username=local, domain=domain))
