"""What was published never changes: the database refuses too, where it can."""

import pytest
from django.db import IntegrityError, connection, transaction

from templates_app.models import Layout, TemplateVersion, VersionIsFixed
from tests.factories import PublishedVersionFactory, TemplateContentFactory

pytestmark = pytest.mark.django_db
only_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="a trigger of PostgreSQL")


def refused(change):
    with pytest.raises(IntegrityError, match="published versions never change"), transaction.atomic():
        change()


@only_postgresql
def test_the_database_keeps_published_words():
    version = PublishedVersionFactory()
    refused(lambda: version.contents.update(subject="Other"))
    versions = TemplateVersion.objects.filter(pk=version.pk)
    refused(lambda: versions.update(variables=[{"name": "other"}]))
    refused(lambda: versions.update(state=TemplateVersion.State.DRAFT))
    refused(lambda: versions.update(number=7))
    assert versions.update(state=TemplateVersion.State.RETIRED, sent_count=1) == 1


def test_drafts_change_as_before():
    draft = TemplateContentFactory().version
    assert draft.contents.update(subject="Other") == 1


def test_a_stored_layout_never_changes():
    layout = Layout.objects.create(code="default", number=1, name="Ours")
    layout.html = "other {{ content }}"
    with pytest.raises(VersionIsFixed):
        layout.save()
