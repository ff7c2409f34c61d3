"""The routes of templates, under /api/v1/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
