"""One path; and a way to make the table without migrations."""

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.bare_view.models import Order


class OrderSerializer(serializers.Serializer[Order]):
    """Each field once, as a plain serializer validates it."""

    notification_type = serializers.ChoiceField(choices=["email", "push"])
    user_id = serializers.CharField(max_length=128)
    template_code = serializers.CharField(max_length=100)
    variables = serializers.DictField()
    request_id = serializers.CharField(max_length=255)
    priority = serializers.ChoiceField(choices=["low", "normal", "high", "critical"])


class OrdersView(APIView):
    """Validates, inserts, answers."""

    def post(self, request: Request) -> Response:
        """No caller, no look-up, no decision."""
        wanted = OrderSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        order = Order.objects.create(**wanted.validated_data)
        return Response({"id": order.pk, "created_at": order.created_at}, status=202)


urlpatterns = [path("orders/", OrdersView.as_view())]
