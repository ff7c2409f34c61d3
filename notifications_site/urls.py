"""Every URL on one page, in sets: SERVICE_ROLE says which of them a web process serves."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation

from channels_email.urls import BOUNCES, MAIL_SERVICES
from channels_push.urls import ONESIGNAL
from gateway import problems
from gateway.limited_pages import limited
from notifications_site import (
    api_schema,  # noqa: F401  makes itself known to drf-spectacular
    discovery,
    error_pages,
    health,
    metrics,
    start_page,
    web_push_demo,
)
from notifications_site.admin_pages import recipient, test_send
from users.unsubscribe_page import unsubscribe

# Here, not at the start of every process: a consumer needs no pages.
admin.autodiscover()

handler400 = problems.handler400
handler403 = problems.handler403
handler404 = problems.handler404
handler500 = problems.handler500

#: These two speak YAML and HTML besides JSON; the API itself speaks JSON alone.
IN_ANY_FORM = {"content_negotiation_class": DefaultContentNegotiation}
SWAGGER = SpectacularSwaggerSplitView.as_view(url_name="schema", **IN_ANY_FORM)

Urls = list[URLPattern | URLResolver]

EVERYWHERE: Urls = [
    path("api/schema", limited("open", SpectacularAPIView.as_view(**IN_ANY_FORM)), name="schema"),
    path("api/docs", limited("open", SWAGGER), name="docs"),
    path("api/docs/errors/", limited("open", error_pages.error_index), name="errors"),
    path("api/docs/errors/<str:code>", limited("open", error_pages.error_page), name="error"),
    path("metrics", metrics.metrics),
    path("health", health.health),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("livez", health.live),
    path("readyz", health.ready),
]
GATEWAY: Urls = [
    path("api/v1/", include("gateway.urls")),
    path("api/v1/", include("channels_push.urls")),
    MAIL_SERVICES,
    BOUNCES,
    ONESIGNAL,
    path("api/v1/services/", discovery.ServicesView.as_view(), name="services"),
    path("api/v1/services/prometheus/", discovery.TargetsView.as_view(), name="prometheus-targets"),
    path("", start_page.start_page, name="start"),
    path("start/messages", start_page.start_messages, name="start-messages"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),  # as people type it
    path(
        "admin/templates_app/template/<uuid:template_id>/test/",
        admin.site.admin_view(test_send.send_template_test),
        name="template-test",
    ),
    path(
        "admin/users/user/<uuid:person_id>/timeline/",
        admin.site.admin_view(recipient.person_timeline),
        name="person-timeline",
    ),
    path("admin/", admin.site.urls),
]
USERS: Urls = [
    path("api/v1/", include("users.urls")),
    path("unsubscribe/<str:token>/", limited("open", unsubscribe), name="unsubscribe"),
]
TEMPLATES: Urls = [
    path("api/v1/", include("templates_app.urls")),
]
#: It asks the whole API.
DEMO: Urls = [
    path("demo/web-push/", web_push_demo.demo_page, name="web-push-demo"),
    path("demo/worker.js", web_push_demo.demo_worker, name="web-push-demo-worker"),
    path("demo/push-service/", web_push_demo.subscribe, name="demo-push-service"),
    path("demo/push-service/push/<str:name>/", web_push_demo.push, name="demo-push"),
    path("demo/push-service/messages/<str:name>/", web_push_demo.messages, name="demo-push-messages"),
]
SETS: dict[str, Urls] = {
    "all": [*GATEWAY, *USERS, *TEMPLATES, *DEMO],
    "gateway": GATEWAY,
    "users": USERS,
    "templates": TEMPLATES,
}

urlpatterns = [*SETS[settings.SERVICE_ROLE], *EVERYWHERE]
