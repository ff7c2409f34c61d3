"""`manage.py check` on the signing of mails."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from channels_email.dkim_keys import GOOD_BITS, private_key
from channels_email.mail_headers import domain_of
from notifications_site.checks import TAG

TOGETHER = ("DKIM_PRIVATE_KEY", "DKIM_SELECTOR", "DKIM_DOMAIN")


@register(TAG)
def mails_are_signed_or_not(**kwargs: Any) -> list[CheckMessage]:
    """notify.E024"""
    missing = [setting for setting in TOGETHER if not getattr(settings, setting)]
    if not missing or len(missing) == len(TOGETHER):
        return []
    given = [setting for setting in TOGETHER if setting not in missing]
    return [
        Error(
            f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'} set, but {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not: mails would go out unsigned.",
            hint="Set all three, or none; `manage.py make_dkim_key` prints them.",
            id="notify.E024",
        )
    ]


@register(TAG)
def signatures_count_for_the_sender(**kwargs: Any) -> list[CheckMessage]:
    """notify.W019"""
    if not settings.DKIM_PRIVATE_KEY or not settings.DKIM_DOMAIN:
        return []
    sender, domain = domain_of(settings.DEFAULT_FROM_EMAIL).lower(), settings.DKIM_DOMAIN
    if f".{sender}".endswith(f".{domain}"):
        return []
    return [
        Warning(
            f"Mails come from {sender}, but are signed for {domain}: DMARC does not count such a signature.",
            hint="Set DKIM_DOMAIN to the domain of DEFAULT_FROM_EMAIL, or to one above it.",
            id="notify.W019",
        )
    ]


@register(TAG)
def dkim_key_is_long_enough(**kwargs: Any) -> list[CheckMessage]:
    """notify.W020"""
    bits = getattr(private_key(settings.DKIM_PRIVATE_KEY), "key_size", GOOD_BITS) if settings.DKIM_PRIVATE_KEY else 0
    if not 0 < bits < GOOD_BITS:
        return []
    return [
        Warning(
            f"DKIM_PRIVATE_KEY has {bits} bits; some mailbox providers count only {GOOD_BITS} and more.",
            hint="`manage.py make_dkim_key` makes a better one; give it a selector of its own.",
            id="notify.W020",
        )
    ]
