"""Headers that mailbox providers sort mails and report about them by; values of one line, plain ASCII."""

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

from channels_email.mail_bytes import Mailbox, NotAMail, phrase, read_mailbox

if TYPE_CHECKING:  # the settings read one of these headers, before there are models
    from users.recipients import CategoryRules

#: Gmail wants of the last field of a Feedback-ID five to fifteen characters.
SENDER_ID_LENGTH = 15
#: A sender that is no address has no domain.
NO_DOMAIN = "localhost.localdomain"


@lru_cache(maxsize=100)
def sender_mailbox(mailbox: str) -> Mailbox:
    """Few senders write many mails. Raises `NotAMail`."""
    return read_mailbox(mailbox)


def domain_of(sender: str) -> str:
    """As it travels."""
    try:
        return sender_mailbox(sender).address.rpartition("@")[2]
    except NotAMail:
        return NO_DOMAIN


@lru_cache(maxsize=500)
def list_id(category: "CategoryRules", *, sender: str) -> str:
    """RFC 2919: `Updates <updates.mail.example>`, by which people sort; empty for what nobody can turn off.

    A mail about a new password that calls itself part of a list is sorted as one.
    """
    if category.is_mandatory:
        return ""
    return f"{_on_one_line(category.name)} <{category.code}.{domain_of(sender)}>".strip()


@lru_cache(maxsize=500)
def feedback_id(*, template_code: str, category: str, locale: str, sender: str) -> str:
    """Gmail's Postmaster Tools count complaints by each of its four fields; the last one is always the same.

    https://support.google.com/a/answer/6254652: template, category, locale, sender.
    """
    parts = (template_code, category, locale)
    return ":".join([*(part.replace(":", "-").replace(" ", "-") for part in parts), _sender_id(domain_of(sender))])


def reply_to(mailbox: str) -> str:
    """Where answers go, written for a header; empty for where the mail came from. Raises `NotAMail`."""
    if not mailbox:
        return ""
    read = read_mailbox(mailbox)
    if not read.address.isascii():
        raise NotAMail("An address to answer to has only ASCII before the @: not every mail program can write others.")
    return f"{_on_one_line(read.name)} <{read.address}>" if read.name else read.address


def _on_one_line(name: str) -> str:
    return phrase(name, used=0).replace("\r\n ", " ") if name else ""


def _sender_id(domain: str) -> str:
    """The domain where it fits; what is too long or too short gets a bit of its hash."""
    if 5 <= len(domain) <= SENDER_ID_LENGTH:
        return domain
    return f"{domain[:8]}-{hashlib.sha256(domain.encode()).hexdigest()[:6]}"
