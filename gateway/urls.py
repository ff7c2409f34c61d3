"""The routes of notifications, under /api/v1/."""

from django.urls import path

from gateway import views

urlpatterns = [
    path("notifications/", views.NotificationsView.as_view(), name="notifications"),
    path("notifications/<uuid:notification_id>/", views.NotificationView.as_view(), name="notification"),
    path("notifications/<uuid:notification_id>/status/", views.StatusView.as_view(), name="notification-status"),
    path("notifications/<uuid:notification_id>/attempts/", views.AttemptsView.as_view(), name="notification-attempts"),
    path("notifications/<uuid:notification_id>/events/", views.EventsView.as_view(), name="notification-events"),
]
