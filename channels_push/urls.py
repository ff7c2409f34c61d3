"""The routes of pushes, under /api/v1/, and the one where OneSignal posts its news."""

from django.urls import path

from channels_push import views

urlpatterns = [
    path("webpush/key/", views.WebPushKeyView.as_view(), name="webpush-key"),
    path("receipts/", views.ReceiptsView.as_view(), name="receipts"),
]
ONESIGNAL = path("webhooks/push/onesignal/", views.OneSignalView.as_view(), name="onesignal-news")
