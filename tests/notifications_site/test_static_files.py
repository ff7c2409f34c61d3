"""Files as an image serves them: collected, compressed, named by content. A page that names a missing one is a 500."""

import re

import pytest
from django.core.management import call_command
from django.test import Client


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Where `collectstatic` has put everything."""
    from django.test import override_settings

    folder = tmp_path_factory.mktemp("static")
    backend = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    default = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    with override_settings(STATIC_ROOT=folder, STORAGES={"default": default, "staticfiles": backend}):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield folder


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs", "/api/docs/errors/", "/", "/nowhere/"])
def test_pages_find_their_files(collected, path):
    response = Client().get(path, headers={"Accept": "text/html"})

    assert response.status_code in (200, 404)
    assert re.search(r"/static/[\w/.-]+\.[0-9a-f]{12}\.\w+", response.content.decode())


@pytest.mark.django_db
def test_staff_pages_find_theirs(collected, admin_client):
    for path in ("/admin/", "/admin/gateway/notification/", "/admin/consumers/serviceinstance/"):
        assert admin_client.get(path).status_code == 200


def test_files_carry_their_content_in_their_name_and_are_compressed(collected):
    [style] = collected.glob("notifications_site/notify.*.css")

    assert style.with_name(style.name + ".gz").is_file()
