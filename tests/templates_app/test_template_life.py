"""A template as a whole, and what the audit log tells of it; publishing at a time; a second pair of eyes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from templates_app import drafting, publishing, template_life
from templates_app.comparison import compare_versions
from templates_app.content_checks import check_version
from templates_app.drafting import PublicationScheduled, RevisionStale
from templates_app.models import Template, TemplateVersion
from templates_app.publishing import PublishBlocked
from tests.factories import UserFactory, ago
from users.audit_models import AuditEntry

pytestmark = pytest.mark.django_db
MAIL = {"subject": "Hi", "html": "<p>Hello</p>"}
HOUR = timedelta(hours=1)


@pytest.fixture
def template():
    return template_life.create_template(code="hello", by="shop")


@pytest.fixture
def draft(template):
    return drafting.new_draft_with_words(template, by="shop", contents={("en", "email"): MAIL})


def acts():
    return list(AuditEntry.objects.order_by("pk").values_list("what", flat=True))


def test_every_step_is_in_the_audit_log(template, draft):
    editor = UserFactory()
    publishing.publish(draft, by=editor, note="First")
    publishing.revert(draft, by=editor, note="Back")
    drafting.delete_draft(drafting.new_draft(template, by=editor), by=editor)
    template_life.change_template(template, by=editor, name="Hello", reason="Nicer")
    template_life.archive_template(template, by=editor, reason="Old")

    assert acts() == [
        "template.created",
        "template.draft_begun",
        "template.published",
        "template.reverted",
        "template.draft_begun",
        "template.draft_deleted",
        "template.changed",
        "template.changed",
    ]
    changed = AuditEntry.objects.filter(what="template.changed").first()
    assert changed is not None
    assert {
        (each.before.get("name"), each.after.get("name"), each.why) for each in AuditEntry.objects.filter(why="Nicer")
    } == {("hello", "Hello", "Nicer")}
    assert AuditEntry.objects.filter(what="template.published", who_id=editor.pk, why="First").exists()


def test_a_change_that_changes_nothing_is_no_act(template):
    template_life.change_template(template, name="hello", is_archived=False)
    assert acts() == ["template.created"]


def test_of_two_who_save_the_second_learns_of_the_first(draft):
    seen = draft.revision
    drafting.save_draft(draft, by="one", note="1", expected_revision=seen)
    late = TemplateVersion.objects.get(pk=draft.pk)
    with pytest.raises(RevisionStale) as stale:
        drafting.save_draft(late, by="two", note="2", expected_revision=seen)

    assert (stale.value.by, stale.value.revision) == ("one", seen + 1)
    late.refresh_from_db()
    assert (late.note, late.writers) == ("1", ["shop", "one"])


def test_a_text_made_of_the_html_follows_it(template, draft):
    publishing.publish(draft)
    second = drafting.new_draft(Template.objects.get())
    words = {**MAIL, "text": "Hello", "html": "<p>Good day</p>"}
    assert drafting.save_content(second, locale="en", channel="email", words=words).text == ""
    own = {**words, "text": "By hand"}
    drafting.save_content(second, locale="en", channel="email", words=own)
    kept = drafting.save_content(second, locale="en", channel="email", words=own | {"html": "<p>Evening</p>"})
    assert kept.text == "By hand"


def test_a_version_has_words_in_sixty_languages_at_most(draft):
    many = {(f"de-x-{n}", "email"): MAIL for n in range(60)}
    with pytest.raises(drafting.TooManyLocales):
        drafting.save_draft(draft, contents=many)
    assert draft.contents.count() == 1


# --- at a time --------------------------------------------------------------------------------------------------------
def test_a_draft_is_published_at_its_time_as_it_is(draft):
    publishing.schedule_publication(draft, at=timezone.now() + HOUR, by="shop", note="Spring")
    assert publishing.publish_due(limit=10) == 0
    with pytest.raises(PublicationScheduled):
        drafting.save_draft(draft, note="late thought")
    TemplateVersion.objects.update(publish_at=ago(seconds=1))

    assert (publishing.publish_due(limit=10), publishing.publish_due(limit=10)) == (1, 0)
    draft.refresh_from_db()
    assert (draft.state, draft.published_by, draft.note, draft.publish_at) == ("published", "shop", "Spring", None)


def test_what_was_called_off_is_not_published(draft):
    publishing.schedule_publication(draft, at=timezone.now() + HOUR)
    publishing.call_off_publication(draft)
    assert drafting.save_draft(draft, note="Now it can change").note == "Now it can change"


def test_what_has_errors_by_then_stays_a_draft_and_says_why(draft):
    publishing.schedule_publication(draft, at=timezone.now() + HOUR)
    draft.contents.update(subject="")
    TemplateVersion.objects.update(publish_at=ago(seconds=1))
    publishing.publish_due(limit=10)

    draft.refresh_from_db()
    assert (draft.state, draft.publish_at, draft.publish_problem) == ("draft", None, "The subject is empty.")
    assert acts()[-1] == "template.publication_failed"


def test_what_has_errors_is_not_scheduled(template):
    empty = drafting.new_draft(template)
    with pytest.raises(PublishBlocked):
        publishing.schedule_publication(empty, at=timezone.now() + HOUR)


# --- a second person --------------------------------------------------------------------------------------------------
def test_whoever_wrote_it_cannot_publish_it_where_two_are_needed(template, draft):
    template_life.change_template(template, needs_second_person=True)
    writer, colleague = UserFactory(), UserFactory()
    draft.refresh_from_db()
    drafting.save_draft(draft, by=writer, note="Mine")
    draft = TemplateVersion.objects.get(pk=draft.pk)
    for each in ("shop", writer):
        with pytest.raises(PublishBlocked) as blocked:
            publishing.publish(draft, by=each)
        assert [finding.code for finding in blocked.value.findings] == ["second_person_needed"]
    publishing.publish(draft, by=colleague)
    assert draft.published_by == f"person:{colleague.pk}"


# --- comparing and checking against callers ---------------------------------------------------------------------------
def test_versions_are_compared_field_by_field(template, draft):
    other = TemplateVersion(template=template, number=9, variables=[{"name": "name", "required": True}])
    compared = compare_versions(draft, draft)
    assert compared.changes == ()
    other.state = TemplateVersion.State.RETIRED
    other.save()
    changed = compare_versions(draft, other)
    assert {each.path: (each.before, each.after) for each in changed.changes} == {
        "variables/name/name": (None, "name"),
        "variables/name/required": (None, True),
        "contents/en/email/subject": ("Hi", None),
        "contents/en/email/html": ("<p>Hello</p>", None),
        "contents/en/email/source_format": ("html", None),
    }


def test_callers_who_lack_a_new_variable_are_named(template, draft):
    publishing.publish(draft)
    template.uses.create(client="shop", day=timezone.now().date(), names=["old"], shape="1", count=1204)
    second = drafting.new_draft(Template.objects.get())
    drafting.save_draft(second, variables=[{"name": "link", "type": "url", "required": True}])
    second = TemplateVersion.objects.get(pk=second.pk)

    [finding] = [each for each in check_version(second) if each.code == "breaking_change"]
    assert finding.detail == "link became required. In 30 days shop (1,204 times) did not send it."


def test_a_draft_is_tried_with_its_sample_sets(template, draft):
    template_life.save_sample_set(template, name="Wrong", variables={"rows": 1})
    template_life.save_sample_set(template, name="Script", variables={"link": "https://e.com", "note": "x"})
    drafting.save_draft(
        draft,
        variables=[{"name": "link", "type": "string", "example": "https://e.com"}, {"name": "rows", "type": "list"}],
        contents={("en", "email"): {"subject": "Hi", "html": '<a href="{{ link }}">x</a>{{ rows|length }}'}},
    )
    template_life.save_sample_set(template, name="Bad link", variables={"link": "javascript:x"})

    found = {(each.code, each.detail.split("”")[0]) for each in check_version(TemplateVersion.objects.get(pk=draft.pk))}
    assert found == {
        ("sample_does_not_fit", "the sample set “Wrong"),
        ("does_not_render", "With the sample set “Bad link"),
    }
    template_life.delete_sample_set(template, name="Wrong")
    assert template.sample_sets.count() == 2
