"""The least Django REST framework can do: validate a small body, insert one row. Same web server, same workers."""

import os
from pathlib import Path

import environ

SECRET_KEY = "only for measuring, only on this machine"  # noqa: S105
BASE_DIR = Path(__file__).resolve().parent
USE_TZ = True
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {
    "default": environ.Env.db_url_config(os.environ["BARE_DATABASE"])
    | {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}
}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "benchmarks.bare_view"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # adds Content-Length, which keeps connections simple
ROOT_URLCONF = "benchmarks.bare_view.bare_urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
