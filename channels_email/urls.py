"""Where mail services post their news, and mail servers what came back."""

from django.urls import path

from channels_email.bounce_views import BounceView
from channels_email.views import MailServiceView

MAIL_SERVICES = path("webhooks/email/<str:provider>/tracking/", MailServiceView.as_view(), name="mail-service-news")
BOUNCES = path("webhooks/email/smtp/bounce/", BounceView.as_view(), name="bounces")
