"""`manage.py check` on mails that come back."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from channels_email.imap_server import ImapSecurity, read_imap_server
from notifications_site.checks import TAG


@register(TAG)
def bounce_password_is_encrypted(**kwargs: Any) -> list[CheckMessage]:
    """notify.W021"""
    server = read_imap_server(settings.BOUNCE_IMAP_URL)
    if settings.IS_LOCAL or server is None or server.security is not ImapSecurity.NONE:
        return []
    return [
        Warning(
            "BOUNCE_IMAP_URL begins with imap://: its password would travel in the open.",
            hint="Begin it with imap+tls:// (STARTTLS) or imaps:// (TLS at once).",
            id="notify.W021",
        )
    ]


@register(TAG)
def bounces_can_be_proved(**kwargs: Any) -> list[CheckMessage]:
    """notify.W022"""
    given = [name for name in ("BOUNCE_MAILDIR", "BOUNCE_IMAP_URL") if getattr(settings, name)]
    if not given or settings.BOUNCE_DOMAIN is not None:
        return []
    return [
        Warning(
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} set, but BOUNCE_DOMAIN is not: nothing proves "
            "that a mail came back, and no address is ever blocked by it.",
            hint="Set BOUNCE_DOMAIN to the domain, or to the address, whose mail is read there.",
            id="notify.W022",
        )
    ]


@register(TAG)
def bounce_folder_is_one(**kwargs: Any) -> list[CheckMessage]:
    """notify.W023"""
    folder = Path(settings.BOUNCE_MAILDIR) / "new"
    if not settings.BOUNCE_MAILDIR or os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return []
    return [
        Warning(
            f"{folder} is no folder that can be read and written here.",
            hint="BOUNCE_MAILDIR is a maildir (with new/, cur/ and tmp/) on the machine of the sweeper, whose user may "
            "move its files.",
            id="notify.W023",
        )
    ]
