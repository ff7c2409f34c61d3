"""The keys by which mail services sign their news, as the settings hold them. Never repeated, not even in an error."""

import base64
import binascii
from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.utils.translation import gettext_lazy as _

from gateway.provider_settings import WEBHOOK_SECRET, ProviderField, Words

SVIX_PREFIX = "whsec_"


def read_sendgrid_key(text: str) -> str:
    """SendGrid's verification key as its page shows it: one line of base64. Raises ValueError."""
    if text:
        sendgrid_key(text)
    return text


def sendgrid_key(text: str) -> ec.EllipticCurvePublicKey:
    """The key itself. Raises ValueError."""
    try:
        key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("this is no verification key; copy it from SendGrid, Settings, Mail Settings, Event Webhook.")
    return key


def read_svix_secret(text: str) -> str:
    """A signing secret as Resend shows it: whsec_ and base64. Raises ValueError."""
    if text:
        svix_secret(text)
    return text


def svix_secret(text: str) -> bytes:
    """The secret itself. Raises ValueError."""
    try:
        secret = base64.b64decode(text.removeprefix(SVIX_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not secret or not text.startswith(SVIX_PREFIX):
        raise ValueError("a signing secret begins with whsec_; copy it from the webhook's page at the mail service.")
    return secret


def _key(setting: str, help_text: Words, read: Callable[[str], str]) -> ProviderField:
    return ProviderField(
        setting=setting, label=_("Key of its news"), help=help_text, is_secret=True, is_needed=False, read=read
    )


#: What proves each service's news: the secret of all of them, and its own key where it signs.
NEWS_FIELDS: dict[str, tuple[ProviderField, ...]] = {
    "sendgrid": (
        WEBHOOK_SECRET,
        _key(
            "SENDGRID_WEBHOOK_PUBLIC_KEY",
            _("Settings, Mail Settings, Event Webhook, Security features: the verification key."),
            read_sendgrid_key,
        ),
    ),
    "mailgun": (
        WEBHOOK_SECRET,
        _key("MAILGUN_WEBHOOK_SIGNING_KEY", _("Account, Webhook security: the HTTP webhook signing key."), str),
    ),
    "resend": (
        WEBHOOK_SECRET,
        _key("RESEND_SIGNING_SECRET", _("Webhooks, the webhook's page: whsec_ and more."), read_svix_secret),
    ),
    "mailtrap": (
        WEBHOOK_SECRET,
        _key("MAILTRAP_TRACKING_SECRET", _("Webhooks, the webhook's page: the signature secret."), str),
    ),
    "postmark": (WEBHOOK_SECRET,),
    "amazon_ses": (WEBHOOK_SECRET,),
    "brevo": (WEBHOOK_SECRET,),
    "mailjet": (WEBHOOK_SECRET,),
    "mandrill": (WEBHOOK_SECRET,),
    "sparkpost": (WEBHOOK_SECRET,),
}
