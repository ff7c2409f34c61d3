"""Signed links that turn something off without signing in: made for every marketing mail, without a query.

A link names person, channel and category; it does not expire (a mail is read years later), and it opens nothing else.
After a change of SECRET_KEY old links count as long as the old key stands in SECRET_KEY_FALLBACKS.
"""

import base64
import binascii
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing

from users.channels import Channel
from users.models import User
from users.preferences import Origin, Wish, change_preferences
from users.recipients import CategoryRules

_SALT = "users.unsubscribe"
#: The header that goes with the link: one POST is enough (RFC 8058, section 3.1).
ONE_CLICK = "List-Unsubscribe=One-Click"


class WrongLink(Exception):
    """We have not made this link, or its person or category is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a link is about."""

    user_id: UUID
    channel: str
    category: str


def unsubscribe_url(subject: Subject) -> str:
    """The address for `List-Unsubscribe`."""
    return f"{settings.PUBLIC_URL}/unsubscribe/{token_of(subject)}/"


def unsubscribe_url_for(category: CategoryRules, *, user_id: UUID, channel: str) -> str:
    """The link of a message of this category, made without a query; empty where there is nothing to turn off so."""
    if not category.is_marketing or category.is_mandatory:
        return ""
    return unsubscribe_url(Subject(user_id=user_id, channel=channel, category=category.code))


def token_of(subject: Subject) -> str:
    """Letters, digits and - _ . ~ only: it survives every mail program."""
    who = base64.urlsafe_b64encode(subject.user_id.bytes).rstrip(b"=").decode()
    return _signer().sign(f"{who}~{subject.channel}~{subject.category}")


def read_token(token: str) -> Subject:
    """What it is about. Raises `WrongLink`."""
    try:
        who, channel, category = _signer().unsign(token).split("~")
        user_id = UUID(bytes=base64.urlsafe_b64decode(who + "=="))
        return Subject(user_id=user_id, channel=Channel(channel).value, category=category)
    except (signing.BadSignature, ValueError, binascii.Error) as error:
        raise WrongLink from error


def switch(subject: Subject, *, wanted: bool, origin: Origin) -> None:
    """Turn the category of the link off for its channel, or back to following it. Repeatable. Raises `WrongLink`."""
    try:
        person = User.objects.get(pk=subject.user_id)
    except User.DoesNotExist as error:
        raise WrongLink from error
    wish = Wish(channels={}, categories={subject.category: {subject.channel: None if wanted else False}})
    change_preferences(user=person, wish=wish, origin=origin)


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT, sep=".")
