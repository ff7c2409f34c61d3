"""The routes of templates, under /api/v1/. `preview` is no code."""

from django.urls import path

from templates_app import views, views_versions

VERSION = "templates/<str:template>/versions/<int:number>/"

urlpatterns = [
    path("templates/", views.TemplatesView.as_view(), name="templates"),
    path("templates/preview/", views.LoosePreviewView.as_view(), name="templates-preview"),
    path("templates/<str:template>/", views.TemplateView.as_view(), name="template"),
    path("templates/<str:template>/preview/", views.PreviewView.as_view(), name="template-preview"),
    path("templates/<str:template>/versions/", views_versions.VersionsView.as_view(), name="template-versions"),
    path(VERSION, views_versions.VersionView.as_view(), name="template-version"),
    path(f"{VERSION}publish/", views_versions.PublishView.as_view(), name="template-version-publish"),
    path(f"{VERSION}revert/", views_versions.RevertView.as_view(), name="template-version-revert"),
    path(f"{VERSION}diff/", views_versions.DiffView.as_view(), name="template-version-diff"),
]
