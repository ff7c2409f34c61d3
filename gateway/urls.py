"""The routes of notifications and callbacks, under /api/v1/."""

from django.urls import path

from gateway import views, views_attachments, views_callbacks

urlpatterns = [
    path("notifications/", views.NotificationsView.as_view(), name="notifications"),
    path("notifications/<uuid:notification_id>/", views.NotificationView.as_view(), name="notification"),
    path("notifications/<uuid:notification_id>/status/", views.StatusView.as_view(), name="notification-status"),
    path("notifications/<uuid:notification_id>/attempts/", views.AttemptsView.as_view(), name="notification-attempts"),
    path("notifications/<uuid:notification_id>/events/", views.EventsView.as_view(), name="notification-events"),
    path("attachments/", views_attachments.AttachmentsView.as_view(), name="attachments"),
    path("attachments/<uuid:attachment_id>/", views_attachments.AttachmentView.as_view(), name="attachment"),
    path("reasons/", views.ReasonsView.as_view(), name="reasons"),
    path("callbacks/", views_callbacks.CallbacksView.as_view(), name="callbacks"),
    path("callbacks/<uuid:callback_id>/", views_callbacks.CallbackView.as_view(), name="callback"),
    path(
        "callbacks/<uuid:callback_id>/rotate-secret/",
        views_callbacks.RotateSecretView.as_view(),
        name="callback-rotate-secret",
    ),
    path("callbacks/<uuid:callback_id>/test/", views_callbacks.TestCallbackView.as_view(), name="callback-test"),
    path("callbacks/<uuid:callback_id>/replay/", views_callbacks.ReplayView.as_view(), name="callback-replay"),
    path(
        "callbacks/<uuid:callback_id>/deliveries/",
        views_callbacks.DeliveriesView.as_view(),
        name="callback-deliveries",
    ),
    path(
        "callbacks/<uuid:callback_id>/deliveries/<uuid:delivery_id>/",
        views_callbacks.DeliveryView.as_view(),
        name="callback-delivery",
    ),
    path(
        "callbacks/<uuid:callback_id>/deliveries/<uuid:delivery_id>/resend/",
        views_callbacks.ResendView.as_view(),
        name="callback-resend",
    ),
]
