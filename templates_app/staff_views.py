"""What the own pages of templates share: the permission, the template, the frame of the admin around it."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from templates_app.models import Template
from users.models import User

VIEW = "templates_app.view_template"
WRITE = "templates_app.change_templateversion"
PUBLISH = "templates_app.publish_templateversion"

View = Callable[..., HttpResponse]
AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])


def needs(permission: str) -> Callable[[AnyView], AnyView]:
    """Whoever lacks it gets 403; `admin_view` has asked before who it is."""

    def guard(view: AnyView) -> AnyView:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]  # wraps keeps the view's signature

    return guard


def person(request: HttpRequest) -> User | None:
    """The account that acts."""
    return request.user if isinstance(request.user, User) else None


def find_template(template_id: UUID) -> Template:
    """The template of an address, or 404."""
    return get_object_or_404(Template.objects.select_related("live_version", "category"), pk=template_id)


def show_page(request: HttpRequest, page: str, context: dict[str, Any]) -> TemplateResponse:
    """A page of ours within the admin's frame."""
    request.current_app = admin.site.name
    return TemplateResponse(request, f"admin/{page}.html", {**admin.site.each_context(request), **context})


def staff_view(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Asks first who it is."""
    return admin.site.admin_view(view)


def routes(views: dict[str, View]) -> list[URLPattern]:
    """Routes below /admin/templates_app/template/, each named after its view."""
    return [
        path(f"<uuid:template_id>/{route}", staff_view(view), name=f"templates_app_template_{view.__name__}")
        for route, view in views.items()
    ]
