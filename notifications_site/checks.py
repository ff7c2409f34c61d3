"""`manage.py check` says in words what is misconfigured, with a hint each. Loops run these before they start."""

import difflib
from collections.abc import Collection, Iterable
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection

from channels_email.webhooks import SERVICES as WEBHOOK_SERVICES
from gateway.channel_table import channels
from gateway.provider_order import CAPTURE, provider_order, setting_of
from gateway.provider_settings import provider_setting
from users.channels import Channel

#: The commands that run only our own checks ask for them by this name.
TAG = "notify"


@register(TAG)
def providers_exist(**kwargs: Any) -> list[CheckMessage]:
    """notify.E005"""
    return [
        message
        for name, channel in channels().items()
        for message in wrong_names(setting_of(name), provider_order(name).names, channel.provider_fields())
    ]


def wrong_names(setting: str, names: Iterable[str], known: Collection[str]) -> list[CheckMessage]:
    """An error for each name that is no provider."""
    return [
        Error(f"{setting} names {name!r}, which is no provider.", hint=did_you_mean(name, known), id="notify.E005")
        for name in names
        if name not in known
    ]


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The closest known name, if one is close, and all of them."""
    close = difflib.get_close_matches(name.lower(), known, n=1)
    question = f"Did you mean {close[0]!r}? " if close else ""
    return f"{question}There are: {', '.join(known)}."


@register(TAG)
def providers_have_what_they_need(**kwargs: Any) -> list[CheckMessage]:
    """notify.E006"""
    return [
        Error(
            f"{setting_of(name)} names {provider!r}, but {field.setting} is not set.",
            hint=f"Set {field.setting}, or {field.setting}_FILE to a file that holds it, or store it in the admin "
            f"under Providers & breakers. {field.label}: {field.help}",
            id="notify.E006",
        )
        for name, channel in channels().items()
        for provider in provider_order(name).names
        for field in channel.provider_fields().get(provider, ())
        if field.is_needed and not provider_setting(field.setting)
    ]


@register(TAG)
def amazon_has_its_library(**kwargs: Any) -> list[CheckMessage]:
    """notify.E025"""
    used = [setting_of(name) for name in channels() if "amazon_ses" in provider_order(name).names]
    return [
        Error(
            f"{setting} names 'amazon_ses', but AWS's library boto3 is not installed.",
            hint='Install it: pip install "notification-platform[ses]".',
            id="notify.E025",
        )
        for setting in used
        if find_spec("botocore") is None
    ]


@register(TAG)
def rules_name_known_providers(**kwargs: Any) -> list[CheckMessage]:
    """notify.E009"""
    known = sorted({provider for channel in channels().values() for provider in channel.provider_fields()})
    return [
        Error(
            f"DELIVERY_RULES names {name!r}, which is no channel and no provider.",
            hint=did_you_mean(name, [*channels(), *known]),
            id="notify.E009",
        )
        for name in settings.DELIVERY_RULES.providers
        if name not in known
    ]


@register(TAG)
def news_can_be_proven(**kwargs: Any) -> list[CheckMessage]:
    """notify.W016"""
    if settings.IS_LOCAL or provider_setting("PROVIDER_WEBHOOK_SECRET"):
        return []
    return [
        Warning(
            f"EMAIL_PROVIDERS names {name!r}, but nothing proves its news: it is refused, bounces and complaints too.",
            hint="Set PROVIDER_WEBHOOK_SECRET to user:password and enter both in the address of the webhook"
            + (f", or set {service.key_setting}." if service.key_setting else "."),
            id="notify.W016",
        )
        for name in provider_order(Channel.EMAIL.value).names
        if (service := WEBHOOK_SERVICES.get(name))
        and not (service.key_setting and provider_setting(service.key_setting))
    ]


@register(TAG)
def mail_password_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """notify.W018"""
    parts = urlsplit(provider_setting("EMAIL_URL"))
    if settings.IS_LOCAL or parts.scheme != "smtp" or not parts.password:
        return []
    return [
        Warning(
            "EMAIL_URL begins with smtp:// and holds a password, which would travel in the open.",
            hint="Begin it with smtp+tls:// (STARTTLS) or smtps:// (TLS at once).",
            id="notify.W018",
        )
    ]


@register(TAG)
def keys_of_services_are_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """notify.W026"""
    if settings.IS_LOCAL:
        return []
    return [
        Warning(
            f"{field.setting} begins with http://: the key of {provider} and the mails would travel in the open.",
            hint="Begin it with https://; a proxy without encryption belongs on this machine (http://127.0.0.1).",
            id="notify.W026",
        )
        for name, channel in channels().items()
        for provider in provider_order(name).names
        for field in channel.provider_fields().get(provider, ())
        if field.is_address and _is_in_the_open(provider_setting(field.setting))
    ]


def _is_in_the_open(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1")


@register(TAG)
def nothing_is_captured_in_production(**kwargs: Any) -> list[CheckMessage]:
    """notify.E002"""
    if settings.ENVIRONMENT != "production":
        return []
    return [
        Error(
            f"{setting_of(name)} names {CAPTURE!r}: messages would be kept for the inbox, and nobody would get them.",
            hint=f"Set {setting_of(name)} to a provider that sends, or ENVIRONMENT to local or staging.",
            id="notify.E002",
        )
        for name in channels()
        if CAPTURE in provider_order(name).names
    ]


@register(TAG)
def personal_data_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """notify.E003"""
    needed = {
        "ENCRYPTION_KEYS": "personal data cannot be stored encrypted, and is not stored otherwise.",
        "BLIND_INDEX_KEY": "people could not be found by their e-mail address.",
    }
    return [
        Error(
            f"{setting} is not set: {what}",
            hint=f"Set {setting} to 32 random characters or more, or {setting}_FILE to a file that holds them. "
            "Keep it: without it the data is lost.",
            id="notify.E003",
        )
        for setting, what in needed.items()
        if not getattr(settings, setting)
    ]


@register(TAG)
def rabbitmq_has_postgresql(**kwargs: Any) -> list[CheckMessage]:
    """notify.E004"""
    if not settings.RABBITMQ_URL or connection.vendor == "postgresql":
        return []
    return [
        Error(
            "RABBITMQ_URL is set, but the database is SQLite: it lets one process write at a time.",
            hint="Set DATABASE_URL to PostgreSQL too, or unset RABBITMQ_URL.",
            id="notify.E004",
        )
    ]


@register(TAG)
def broker_has_a_password(**kwargs: Any) -> list[CheckMessage]:
    """notify.W011"""
    if settings.IS_LOCAL or not settings.RABBITMQ_URL:
        return []
    parts = urlsplit(settings.RABBITMQ_URL)
    # What an address leaves out is guest.
    if (parts.username or "guest", parts.password or "guest") != ("guest", "guest"):
        return []
    return [
        Warning(
            "RABBITMQ_URL uses guest/guest, which everybody knows.",
            hint="Give RabbitMQ a user of its own for this installation: amqp://user:password@host:5672/vhost.",
            id="notify.W011",
        )
    ]


@register(TAG)
def sqlite_is_for_one_machine(**kwargs: Any) -> list[CheckMessage]:
    """notify.W010"""
    if settings.IS_LOCAL or connection.vendor != "sqlite":
        return []
    return [
        Warning(
            f"The database is a SQLite file with ENVIRONMENT={settings.ENVIRONMENT}: "
            "all processes must run on one machine, and one of them writes at a time.",
            hint="Set DATABASE_URL to PostgreSQL: postgres://user:password@host:5432/name.",
            id="notify.W010",
        )
    ]


@register(TAG)
def links_are_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """notify.W015"""
    if settings.IS_LOCAL or settings.PUBLIC_URL.startswith("https://"):
        return []
    return [
        Warning(
            f"PUBLIC_URL is {settings.PUBLIC_URL}: keys and passwords would travel in the open.",
            hint="Put a proxy with TLS in front and set PUBLIC_URL to its https:// address.",
            id="notify.W015",
        )
    ]


@register(TAG)
def alert_mails_can_be_sent(**kwargs: Any) -> list[CheckMessage]:
    """notify.E008"""
    wrong = [address for address in settings.ALERT_EMAILS if not is_address(address)]
    found: list[CheckMessage] = [
        Error(
            f"ALERT_EMAILS names {address!r}, which is no e-mail address.",
            hint="Separate addresses by commas: ops@example.com,ann@example.com.",
            id="notify.E008",
        )
        for address in wrong
    ]
    if bool(settings.ALERT_EMAILS) != bool(settings.ALERT_EMAIL_URL):
        given, missing = ("ALERT_EMAILS", "ALERT_EMAIL_URL")[:: 1 if settings.ALERT_EMAILS else -1]
        words = f"{given} is set and {missing} is not: nobody would get an alert by mail."
        hint = "Set both: ALERT_EMAILS=ops@example.com, ALERT_EMAIL_URL=smtp+tls://user:password@host:587."
        found.append(Error(words, hint=hint, id="notify.E008"))
    return found


def is_address(text: str) -> bool:
    """Whether a mail can be addressed like that."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


@register(TAG)
def callbacks_stay_outside(**kwargs: Any) -> list[CheckMessage]:
    """notify.W012"""
    dangers = {
        "CALLBACK_ALLOW_HTTP": "callbacks may travel in the open.",
        "CALLBACK_ALLOW_PRIVATE": "whoever adds an endpoint reaches this machine and its neighbours.",
    }
    return [
        Warning(f"{setting} is on: {danger}", hint=f"Set {setting}=false.", id="notify.W012")
        for setting, danger in dangers.items()
        if getattr(settings, setting) and not settings.IS_LOCAL
    ]
