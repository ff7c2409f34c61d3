"""The stand-ins of mail services, by the provider's name."""

from channels_email.standins.amazon_ses import AmazonSesStandIn
from channels_email.standins.brevo import BrevoStandIn
from channels_email.standins.mail_service import MailServiceStandIn
from channels_email.standins.mailgun import MailgunStandIn
from channels_email.standins.postmark import PostmarkStandIn
from channels_email.standins.resend import ResendStandIn
from channels_email.standins.sendgrid import SendGridStandIn

MAIL_STANDINS: dict[str, type[MailServiceStandIn]] = {
    each.name: each
    for each in (SendGridStandIn, MailgunStandIn, AmazonSesStandIn, PostmarkStandIn, BrevoStandIn, ResendStandIn)
}
