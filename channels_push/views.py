"""The public key for browsers, reports of devices, and OneSignal's news. Views check, call one use case, answer."""

from typing import Any, cast

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from channels_push import news
from channels_push.receipts import ReceiptForged
from channels_push.serializers import ReceiptSerializer, WebPushKeySerializer
from channels_push.service_settings import vapid_public_key
from gateway.provider_order import provider_order
from gateway.provider_settings import provider_setting
from gateway.webhook_secret import is_proven
from users.api_view import ApiView
from users.channels import Channel
from users.json_format import AnyAnswer
from users.openapi import problems
from users.problems import Problem

NOTHING = OpenApiResponse(description="Taken; a repeat does nothing.")


class WebPushKeyView(ApiView):
    """What a browser needs to subscribe to Web Push."""

    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="get_webpush_key",
        summary="Get the public key of Web Push",
        responses={200: WebPushKeySerializer, **problems(404, 406, 429)},
    )
    def get(self, request: Request) -> Response:
        """404 without Web Push."""
        key = provider_setting("VAPID_PRIVATE_KEY")
        if "webpush" not in provider_order(Channel.PUSH.value).names or not key:
            raise Http404
        return Response({"public_key": vapid_public_key(key)})


class ReceiptsView(ApiView):
    """What a device reports of a push it has. The receipt that came with the push is the proof."""

    permission_classes = (AllowAny,)
    rate_policies = {"POST": "read"}

    @extend_schema(
        operation_id="report_push",
        summary="Report that a push was delivered, opened or clicked",
        request=ReceiptSerializer,
        responses={204: NOTHING, **problems(400, 406, 413, 415, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """204 also for a push that is no longer kept."""
        asked = ReceiptSerializer().run_validation(request.data)
        try:
            news.record_report(receipt=asked["receipt"], event=asked["event"])
        except ReceiptForged as error:
            raise Problem("invalid_signature", "The receipt was not made here.") from error
        return Response(status=204)


class OneSignalView(ApiView):
    """OneSignal's news about pushes; signed by PROVIDER_WEBHOOK_SECRET, as HTTP basic."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()  # news that is refused is lost
    content_negotiation_class = AnyAnswer

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Services probe before they post; HEAD comes here too."""
        _require_onesignal()
        return Response()

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """200 for everything understood, and for what is no news to us."""
        _require_onesignal()
        if not is_proven(request.META.get("HTTP_AUTHORIZATION", "")):
            raise Problem("invalid_signature")
        return Response({"known": news.record_onesignal_news(cast(dict[str, Any], request.data))})


def _require_onesignal() -> None:
    if "onesignal" not in provider_order(Channel.PUSH.value).names:
        raise Http404
