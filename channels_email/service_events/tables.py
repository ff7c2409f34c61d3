"""What the events of mail services mean, in our words. Anymail's words are kept where they say enough; where they lose
what we need (did it come back for good? refused for its words? dropped unsent?) a table per service decides.

Reasons of the catalogue: `mailbox_unknown` blocks the address, `mailbox_full` and `bounced` do when there are many,
`rejected_content` and `rejected` say nothing about the mailbox.
"""

from collections.abc import Callable, Mapping
from typing import Any

from channels_email.service_events.amazon_ses import of_amazon_ses
from channels_email.service_events.brevo import of_brevo
from channels_email.service_events.mailgun import of_mailgun
from channels_email.service_events.meaning import BOUNCED, REJECTED, Meaning, Meanings, returned
from channels_email.service_events.others import of_mailjet, of_mailtrap, of_mandrill, of_sparkpost
from channels_email.service_events.postmark import of_postmark
from channels_email.service_events.resend import of_resend
from channels_email.service_events.sendgrid import of_sendgrid
from gateway.channel_contract import EventType

#: Anymail's normalized types that say enough; `queued`, `sent`, `autoresponded` and the like are no news.
PLAIN = {
    "delivered": EventType.DELIVERED,
    "deferred": EventType.DEFERRED,
    "complained": EventType.COMPLAINED,
    "opened": EventType.OPENED,
    "clicked": EventType.CLICKED,
    "unsubscribed": EventType.UNSUBSCRIBED,
}
#: Those of a mail that did not arrive: the receiving server refused it, the service dropped it, or failed.
RETURNED = {"bounced": BOUNCED, "rejected": REJECTED, "failed": REJECTED}
#: An event of the service, as it posted it → what it says; None where Anymail's words say enough.
Table = Callable[[Mapping[str, Any]], Meanings | None]
TABLES: dict[str, Table] = {
    "amazon_ses": of_amazon_ses,
    "brevo": of_brevo,
    "mailgun": of_mailgun,
    "mailjet": of_mailjet,
    "mailtrap": of_mailtrap,
    "mandrill": of_mandrill,
    "postmark": of_postmark,
    "resend": of_resend,
    "sendgrid": of_sendgrid,
    "sparkpost": of_sparkpost,
}


def meanings(service: str, normalized: str, event: Mapping[str, Any]) -> Meanings:
    """All that an event says; nothing for what is no news to us."""
    own = TABLES[service](event) if service in TABLES else None
    if own is not None:
        return own
    if normalized in RETURNED:
        return returned(RETURNED[normalized])
    return (Meaning(PLAIN[normalized]),) if normalized in PLAIN else ()
