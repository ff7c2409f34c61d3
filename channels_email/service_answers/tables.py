"""Which table belongs to which service."""

from collections.abc import Mapping

from channels_email.service_answers.amazon_ses import AMAZON_SES
from channels_email.service_answers.brevo import BREVO
from channels_email.service_answers.mailgun import MAILGUN
from channels_email.service_answers.others import others
from channels_email.service_answers.postmark import POSTMARK
from channels_email.service_answers.resend import RESEND
from channels_email.service_answers.rows import Answers
from channels_email.service_answers.sendgrid import SENDGRID

TABLES: Mapping[str, Answers] = {
    "sendgrid": SENDGRID,
    "mailgun": MAILGUN,
    "amazon_ses": AMAZON_SES,
    "postmark": POSTMARK,
    "brevo": BREVO,
    "resend": RESEND,
}


def answers_of(service: str) -> Answers:
    """By the service's name."""
    return TABLES.get(service) or others(service)
