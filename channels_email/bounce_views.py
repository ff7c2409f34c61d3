"""Where a mail server posts mails that came back. Views check, call one use case, answer."""

from typing import Any

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from channels_email.bounce_intake import PROVIDER, IncomingMail, outcome, take_in
from channels_email.bounces import NoBounce
from channels_email.mail_parts import LARGEST_MAIL
from channels_email.views import RawPost
from gateway.provider_order import provider_order
from gateway.webhook_secret import is_proven
from users.api_view import ApiView
from users.channels import Channel
from users.json_format import AnyAnswer
from users.problems import Problem


class MailPost(RawPost):
    """The mail as it is."""

    media_type = "message/rfc822"


class BounceView(ApiView):
    """One mail that came back; proved by PROVIDER_WEBHOOK_SECRET as HTTP basic."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()  # a mail server may have many of them at once
    parser_classes = (MailPost,)
    content_negotiation_class = AnyAnswer
    max_body = LARGEST_MAIL
    query_parameters = frozenset({"recipient"})

    def find(self, request: Request, **path: Any) -> None:
        """404 where no mail goes by SMTP, and none can come back."""
        if PROVIDER not in provider_order(Channel.EMAIL.value).names and settings.BOUNCE_DOMAIN is None:
            raise Http404

    @extend_schema(exclude=True)
    def head(self, request: Request) -> Response:
        """Services probe before they post."""
        return Response()

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """200 for everything that was read, also for what is no news to us; `?recipient=` is the envelope's."""
        if not is_proven(request.headers.get("Authorization", "")):
            raise Problem("invalid_signature")
        content = request._request.body
        taken = take_in(IncomingMail(content=content, recipient=request.query_params.get("recipient", "")))
        return Response({"known": not isinstance(taken, NoBounce), "outcome": outcome(taken)})
