"""`manage.py check` says in words what is misconfigured, with a hint each. Loops run these before they start."""

import difflib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection

from channels_email.channel import PROVIDERS as EMAIL_PROVIDERS
from channels_push.channel import PROVIDERS as PUSH_PROVIDERS

#: The commands that run only our own checks ask for them by this name.
TAG = "notify"
KNOWN_PROVIDERS = {"EMAIL_PROVIDERS": EMAIL_PROVIDERS, "PUSH_PROVIDERS": PUSH_PROVIDERS}
#: Keeps the message instead of sending it.
CAPTURE = "capture"


@register(TAG)
def providers_exist(**kwargs: Any) -> list[CheckMessage]:
    """notify.E005"""
    return [
        message
        for setting, known in KNOWN_PROVIDERS.items()
        for message in wrong_names(setting, getattr(settings, setting), known)
    ]


def wrong_names(setting: str, names: Sequence[str], known: dict[str, str]) -> list[CheckMessage]:
    """An error for each name that is no provider, and for none at all."""
    there_are = f"There are: {', '.join(known)}."
    if not names:
        return [Error(f"{setting} names no provider.", hint=there_are, id="notify.E005")]
    return [
        Error(f"{setting} names {name!r}, which is no provider.", hint=did_you_mean(name, known), id="notify.E005")
        for name in names
        if name not in known
    ]


def did_you_mean(name: str, known: dict[str, str]) -> str:
    """The closest known name, if one is close, and all of them."""
    close = difflib.get_close_matches(name.lower(), known, n=1)
    question = f"Did you mean {close[0]!r}? " if close else ""
    return f"{question}There are: {', '.join(known)}."


@register(TAG)
def smtp_has_a_server(**kwargs: Any) -> list[CheckMessage]:
    """notify.E006"""
    if "smtp" not in settings.EMAIL_PROVIDERS or settings.EMAIL_URL:
        return []
    return [
        Error(
            "EMAIL_PROVIDERS names 'smtp', but EMAIL_URL names no mail server.",
            hint="Set EMAIL_URL to smtp+tls://user:password@host:587, or EMAIL_URL_FILE to a file that holds it.",
            id="notify.E006",
        )
    ]


#: What each push service needs; which settings, and where they come from.
PUSH_NEEDS = {
    "fcm": (("FCM_CREDENTIALS",), "Firebase console, Project settings, Service accounts: generate a private key."),
    "onesignal": (("ONESIGNAL_APP_ID", "ONESIGNAL_API_KEY"), "OneSignal, Settings, Keys & IDs."),
    "webpush": (("VAPID_PRIVATE_KEY", "VAPID_SUBJECT"), "`manage.py make_vapid_key` makes the key."),
}


@register(TAG)
def push_services_have_what_they_need(**kwargs: Any) -> list[CheckMessage]:
    """notify.E006"""
    return [
        Error(
            f"PUSH_PROVIDERS names {name!r}, but {setting} is not set.",
            hint=f"Set {setting}, or {setting}_FILE to a file that holds it. {where}",
            id="notify.E006",
        )
        for name, (needed, where) in PUSH_NEEDS.items()
        if name in settings.PUSH_PROVIDERS
        for setting in needed
        if not getattr(settings, setting)
    ]


@register(TAG)
def mail_password_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """notify.W018"""
    parts = urlsplit(settings.EMAIL_URL)
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
def nothing_is_captured_in_production(**kwargs: Any) -> list[CheckMessage]:
    """notify.E002"""
    if settings.ENVIRONMENT != "production":
        return []
    return [
        Error(
            f"{setting} names {CAPTURE!r}: messages would be kept for the inbox, and nobody would get them.",
            hint=f"Set {setting} to a provider that sends, or ENVIRONMENT to local or staging.",
            id="notify.E002",
        )
        for setting in KNOWN_PROVIDERS
        if CAPTURE in getattr(settings, setting)
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
