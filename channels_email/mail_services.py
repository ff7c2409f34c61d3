"""The mail services we know by name: what each needs, where to find it, and what it can do.

All of those that django-anymail speaks. Settings are called as Anymail calls them, and `…_URL` is the address of the
service, which a proxy or a stand-in may take. To add a service, add its row; a table of its answers
(`service_answers/`) makes its errors exact.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from gateway.provider_settings import ProviderField
from gateway.service_address import read_service_url
from gateway.service_key import read_service_key


def _(text: str) -> str:
    """Marks words to be translated. Django's own looks at the settings, which import this page."""
    return text


#: By setting: its label and help as they are written, for readers outside the admin.
_TEXTS: dict[str, tuple[str, str]] = {}
_API_KEY = _("API key")
_REGION = _("Region")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A harmless call that shows whether a service takes our key."""

    #: Behind the service's address; empty for where mails are sent.
    path: str
    method: str = "GET"
    #: What a yes must hold; empty for nothing.
    holds: str = ""
    #: A refusal that shows that the key is taken all the same: its status, and what its headers or body must hold.
    lets_in: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailService:
    """One service. Its name is that of its module in Anymail."""

    name: str
    title: str
    #: The key comes first.
    fields: tuple[ProviderField, ...]
    question: Question | None = None
    #: It leaves our Message-ID as it is.
    keeps_message_id: bool = False
    #: It carries the notification's id, and gives it back with its news.
    takes_metadata: bool = True
    #: Its tracking of opens and clicks can be switched off mail by mail.
    takes_tracking: bool = True
    #: Headers of the mail that it wants to see.
    mail_headers: tuple[tuple[str, str], ...] = ()
    #: By it the service knows a mail that is repeated: among the headers of the request, or among those of the mail.
    repeat_header: str = ""
    repeat_field: str = ""
    #: Addresses with letters beyond ASCII before the @ (RFC 6531).
    takes_utf8_address: bool = False

    @property
    def key_setting(self) -> str:
        """The setting by which it knows us."""
        return self.fields[0].setting

    @property
    def key_is_at(self) -> str:
        """Where a person finds the key."""
        return _TEXTS[self.key_setting][1]

    def argument(self, field: ProviderField) -> str:
        """How Anymail's backend calls a setting."""
        short = field.setting.removeprefix(f"{self.name.upper()}_").lower()
        return "api_url" if short == "url" else short


def _field(setting: str, label: str, help_text: str, **more: Any) -> ProviderField:
    _TEXTS[setting] = label, help_text
    return ProviderField(setting=setting, label=gettext_lazy(label), help=gettext_lazy(help_text), **more)


def _secret(setting: str, label: str, help_text: str, *, is_needed: bool = True) -> ProviderField:
    return _field(setting, label, help_text, is_secret=True, is_needed=is_needed, read=read_service_key)


def _option(setting: str, label: str, help_text: str, **more: Any) -> ProviderField:
    return _field(setting, label, help_text, is_needed=False, **more)


def _address(setting: str, default: str = "", help_text: str = "", *, is_needed: bool = False) -> ProviderField:
    usual = _("Where it answers; a proxy or a stand-in may take its place.")
    more: dict[str, Any] = {"is_needed": is_needed, "read": _read_address, "default": default}
    more["is_address"] = True
    return _field(setting, _("Address"), help_text or usual, **more)


def _read_address(text: str) -> str:
    return read_service_url(text) if text else ""


_ALL = (
    MailService(
        name="sendgrid",
        title="SendGrid",
        fields=(
            _secret(
                "SENDGRID_API_KEY", _API_KEY, _("SendGrid, Settings, API Keys: one with the permission Mail Send.")
            ),
            _address(
                "SENDGRID_URL",
                "https://api.sendgrid.com/v3",
                _("Where it answers; for subusers in the EU https://api.eu.sendgrid.com/v3."),
            ),
        ),
        question=Question(path="/scopes", holds="mail.send"),
        keeps_message_id=True,
    ),
    MailService(
        name="mailgun",
        title="Mailgun",
        fields=(
            _secret("MAILGUN_API_KEY", _API_KEY, _("Mailgun, Sending, Domain settings, Sending API keys.")),
            _option(
                "MAILGUN_SENDER_DOMAIN",
                _("Domain"),
                _("The domain at Mailgun that sends; without it that of our sender."),
            ),
            _address(
                "MAILGUN_URL",
                "https://api.mailgun.net/v3",
                _("Where it answers; for domains in the EU https://api.eu.mailgun.net/v3."),
            ),
        ),
        # Without a sender it is refused; before that Mailgun looks at key and domain. So a sending key is enough.
        question=Question(path="", method="POST", lets_in=(400, "")),
        keeps_message_id=True,
        takes_utf8_address=True,
    ),
    MailService(
        name="amazon_ses",
        title="Amazon SES",
        fields=(
            _secret(
                "AMAZON_SES_ACCESS_KEY_ID",
                _("Access key"),
                _("AWS, IAM: of a user who may ses:SendEmail. Without it AWS says who this machine is, by its role."),
                is_needed=False,
            ),
            _secret(
                "AMAZON_SES_SECRET_ACCESS_KEY",
                _("Secret"),
                _("It belongs to the access key, and is shown once, when that is made."),
                is_needed=False,
            ),
            _field("AMAZON_SES_REGION", _REGION, _("Where the sender is verified, such as eu-central-1.")),
            _option(
                "AMAZON_SES_CONFIGURATION_SET",
                _("Configuration set"),
                _("The one whose events come to us."),
            ),
            _address("AMAZON_SES_URL", "", _("Where it answers, if not at the region's usual address.")),
        ),
        question=Question(path="/v2/email/account", lets_in=(403, "AccessDenied")),
    ),
    MailService(
        name="postmark",
        title="Postmark",
        fields=(
            _secret("POSTMARK_SERVER_TOKEN", _("Server token"), _("Postmark, the server, API Tokens.")),
            _option(
                "POSTMARK_MESSAGE_STREAM",
                _("Message stream"),
                _("Its ID; without it the server's transactional stream."),
            ),
            _address("POSTMARK_URL", "https://api.postmarkapp.com"),
        ),
        question=Question(path="/server"),
        keeps_message_id=True,
        mail_headers=(("X-PM-KeepID", "true"),),  # else the Message-ID is replaced
    ),
    MailService(
        name="brevo",
        title="Brevo",
        fields=(
            _secret("BREVO_API_KEY", _API_KEY, _("Brevo, SMTP & API, API keys.")),
            _address("BREVO_URL", "https://api.brevo.com/v3"),
        ),
        question=Question(path="/account"),
        takes_tracking=False,
        repeat_field="idempotencyKey",
    ),
    MailService(
        name="resend",
        title="Resend",
        fields=(
            _secret("RESEND_API_KEY", _API_KEY, _("Resend, API Keys: sending access is enough.")),
            _address("RESEND_URL", "https://api.resend.com"),
        ),
        question=Question(path="/domains", lets_in=(401, "restricted_api_key")),
        takes_tracking=False,
        repeat_header="Idempotency-Key",
    ),
    MailService(
        name="mailersend",
        title="MailerSend",
        fields=(
            _secret("MAILERSEND_API_TOKEN", _("API token"), _("MailerSend, Integrations, API tokens.")),
            _address("MAILERSEND_URL", "https://api.mailersend.com/v1"),
        ),
        takes_metadata=False,
    ),
    MailService(
        name="mailjet",
        title="Mailjet",
        fields=(
            _secret("MAILJET_API_KEY", _API_KEY, _("Mailjet, Account settings, API key management.")),
            _secret("MAILJET_SECRET_KEY", _("Secret"), _("It belongs to the API key.")),
            _address("MAILJET_URL", "https://api.mailjet.com/v3.1"),
        ),
    ),
    MailService(
        name="mailtrap",
        title="Mailtrap",
        fields=(
            _secret("MAILTRAP_API_TOKEN", _("API token"), _("Mailtrap, Settings, API Tokens.")),
            _option("MAILTRAP_SANDBOX_ID", _("Sandbox"), _("The one that keeps the mails; without it they are sent.")),
            _address("MAILTRAP_URL", "", _("Where it answers, if not at its usual address.")),
        ),
        takes_tracking=False,
    ),
    MailService(
        name="mandrill",
        title="Mandrill",
        fields=(
            _secret("MANDRILL_API_KEY", _API_KEY, _("Mailchimp Transactional, Settings, SMTP & API Info.")),
            _address("MANDRILL_URL", "https://mandrillapp.com/api/1.0"),
        ),
    ),
    MailService(
        name="postal",
        title="Postal",
        fields=(
            _secret("POSTAL_API_KEY", _API_KEY, _("Postal, the mail server, Credentials: one of the kind API.")),
            _address(
                "POSTAL_URL", "", _("Where your Postal answers, such as https://postal.example.com."), is_needed=True
            ),
        ),
        takes_metadata=False,
        takes_tracking=False,
    ),
    MailService(
        name="scaleway",
        title="Scaleway",
        fields=(
            _secret("SCALEWAY_SECRET_KEY", _("Secret key"), _("Scaleway console, IAM, API keys.")),
            _field("SCALEWAY_PROJECT_ID", _("Project"), _("Its ID: Scaleway console, Project dashboard.")),
            _option("SCALEWAY_REGION", _REGION, _("That of Transactional Email."), default="fr-par"),
            _address("SCALEWAY_URL", "", _("Where it answers, if not at its usual address.")),
        ),
        takes_tracking=False,
    ),
    MailService(
        name="sparkpost",
        title="SparkPost",
        fields=(
            _secret(
                "SPARKPOST_API_KEY",
                _API_KEY,
                _("SparkPost, Configuration, API Keys: with the permission Transmissions: Read/Write."),
            ),
            _address(
                "SPARKPOST_URL",
                "https://api.sparkpost.com/api/v1",
                _("Where it answers; in the EU https://api.eu.sparkpost.com/api/v1."),
            ),
        ),
    ),
    MailService(
        name="unisender_go",
        title="Unisender Go",
        fields=(
            _secret("UNISENDER_GO_API_KEY", _API_KEY, _("Unisender Go, Account, Security.")),
            _address(
                "UNISENDER_GO_URL",
                "",
                _("Where your account answers, such as https://go1.unisender.ru/ru/transactional/api/v1."),
                is_needed=True,
            ),
        ),
    ),
)
#: By the name in EMAIL_PROVIDERS.
MAIL_SERVICES: Mapping[str, MailService] = {each.name: each for each in _ALL}


def all_settings() -> Iterator[tuple[ProviderField, str]]:
    """The settings of all of them, each with its meaning."""
    for service in MAIL_SERVICES.values():
        for field in service.fields:
            label, help_text = _TEXTS[field.setting]
            yield field, f"{label} of {service.title}. {help_text}"
