"""Where mail services post their news. Views check, call one use case, answer."""

import time
from collections.abc import Mapping
from typing import IO, Any

import structlog
from django.http import Http404, QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from channels_email import sns, webhooks
from gateway.provider_order import provider_order
from gateway.provider_settings import provider_setting
from gateway.webhook_secret import is_proven
from users.api_view import ApiView
from users.channels import Channel
from users.json_format import AnyAnswer
from users.problems import Problem

log = structlog.stdlib.get_logger(__name__)
#: Bytes. SendGrid sends batches of up to 768 KiB, the others one event at a time.
LARGEST_POST = 1024 * 1024
AMAZON_SES = "amazon_ses"


class RawPost(BaseParser):
    """Reads nothing: the view wants the bytes."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Always empty."""
        return {}


class JSONPost(RawPost):
    """The bytes are what is signed, and Anymail knows what is in them."""

    media_type = "application/json"


class SNSPost(RawPost):
    """Amazon SNS calls its JSON text."""

    media_type = "text/plain"


class FormPost(BaseParser):
    """Mandrill puts its JSON into a form."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> QueryDict:
        """Its fields: Django's request takes them from here."""
        return QueryDict(stream.read())


class MailServiceView(ApiView):
    """One mail service's news. Proved by PROVIDER_WEBHOOK_SECRET as HTTP basic, by the service's signature, or both:
    each that is set must be right, and without any nothing is believed."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()  # news that is refused is lost
    parser_classes = (JSONPost, SNSPost, FormPost)
    content_negotiation_class: type[BaseContentNegotiation] = AnyAnswer
    max_body = LARGEST_POST
    service: str

    def find(self, request: Request, **path: Any) -> None:
        """404 for a service that does not send our mails."""
        self.service = path["provider"]
        if self.service not in webhooks.SERVICES or self.service not in provider_order(Channel.EMAIL.value).names:
            raise Http404

    @extend_schema(exclude=True)
    def get(self, request: Request, provider: str) -> Response:
        """Services probe before they post; HEAD comes here too."""
        return Response()

    @extend_schema(exclude=True)
    def post(self, request: Request, provider: str) -> Response:
        """200 for all that is understood, also for what is no news to us; 5xx only for what is to be sent again."""
        self._ask_for_proof(request)
        try:
            if provider == AMAZON_SES and self._is_about_topic(request):
                return Response({"recorded": 0})
            return Response({"recorded": webhooks.record_post(service=provider, request=request._request)})
        except webhooks.Unreadable as error:
            log.warning("A mail service posted what is no news of its.", action="receive_news", provider=provider)
            raise Problem("malformed_json", f"This is not what {provider} posts as tracking events.") from error

    def _ask_for_proof(self, request: Request) -> None:
        """Raises `Problem`."""
        header = request.headers.get("Authorization", "")
        secret = provider_setting("PROVIDER_WEBHOOK_SECRET")
        if self.service == AMAZON_SES and secret and not header:
            # Amazon SNS sends its credentials only when it is asked for them.
            raise Problem("not_authenticated", headers={"WWW-Authenticate": 'Basic realm="webhooks"'})
        known = webhooks.SERVICES[self.service]
        key = provider_setting(known.key_setting) if known.key_setting else ""
        missing = []
        if (secret or not key) and not is_proven(header):
            missing.append("secret")
        if key and known.is_signed and not known.is_signed(key, request.headers, request._request.body, time.time()):
            missing.append("signature")
        if missing:
            log.warning(
                "News of a mail service was refused.", action="receive_news", provider=self.service, wrong=missing
            )
            raise Problem("invalid_signature")

    def _is_about_topic(self, request: Request) -> bool:
        """Amazon asks whether we want a topic's posts, or says that they end. Raises `Problem` to be asked again."""
        message = webhooks.sns_message(request._request.body)
        if message.get("Type") == "SubscriptionConfirmation":
            try:
                sns.confirm_subscription(message)
            except sns.NotConfirmed as error:
                log.error("A topic of Amazon SNS is not confirmed.", action="confirm_subscription", detail=str(error))
                raise Problem("unavailable", str(error)) from error
        return message.get("Type") != "Notification"
