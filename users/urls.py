"""The routes of sign-in, people, their wishes and devices, under /api/v1/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
