import pytest

from templates_app.models import Template, TemplateContent, TemplateVersion
from tests.factories import TemplateFactory
from tests.gateway.api_scene import WELCOME_VARIABLES, WELCOME_WORDS
from tests.published_words import KEPT, publish_in_earnest, publish_words, values_of
from users.channels import Channel
from users.models import AuditEntry

pytestmark = pytest.mark.django_db
CONTENTS = {
    ("en", Channel.EMAIL): WELCOME_WORDS,
    ("en", Channel.PUSH): {"title": "New", "body": "Hello {{ name }}, {{ verification_link }}"},
}
#: Keys, and moments.
DIFFERENT = {"id", "template", "version", "live_version", "code", "created_at", "updated_at", "edited_at"}
DIFFERENT |= {"published_at", "at", "about_id", "about_name"}


def rows_about(template):
    """Everything publishing leaves in the database."""
    version = TemplateVersion.objects.get(template=template)
    assert template.live_version == version
    assert version.published_at
    contents = TemplateContent.objects.filter(version=version)
    lines = AuditEntry.objects.filter(about_id=template.pk).order_by("pk")
    return [values_of(row, without=DIFFERENT) for row in [template, version, *contents, *lines]]


def test_a_copy_is_what_publishing_in_earnest_makes():
    real, first, copy = (TemplateFactory(name="Welcome") for _ in range(3))

    publish_in_earnest(real, WELCOME_VARIABLES, CONTENTS)
    publish_words(first, variables=WELCOME_VARIABLES, contents=CONTENTS)
    assert KEPT
    publish_words(copy, variables=WELCOME_VARIABLES, contents=CONTENTS)

    earnest, *others = [rows_about(Template.objects.get(pk=each.pk)) for each in (real, first, copy)]
    assert len(earnest) == 6
    assert others == [earnest, earnest]
