"""One table with the same promise: one request id, one row."""

from django.db import models


class Order(models.Model):
    """What was asked for."""

    notification_type = models.CharField(max_length=10)
    user_id = models.CharField(max_length=128)
    template_code = models.CharField(max_length=100)
    variables = models.JSONField()
    request_id = models.CharField(max_length=255, unique=True)
    priority = models.CharField(max_length=10)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare_view"

    def __str__(self) -> str:
        return self.request_id
