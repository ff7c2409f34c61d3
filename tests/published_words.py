"""Words that hundreds of tests begin with: written and published in earnest once a process, copied as rows after that.

Publishing looks at the words from every side, which takes longer than most of those tests.
"""

from django.db.models.functions import Now

from templates_app import publishing
from templates_app.drafting import note_act
from templates_app.models import Layout, TemplateContent, TemplateVersion

#: What was asked for → the version that was published, and its contents.
KEPT = {}
#: Of a template; all else may decide what is published.
ITS_OWN = {"id", "code", "name", "created_at", "updated_at"}
#: Of a version; the database fills in the moments.
ANEW = {"id", "template", "created_at", "edited_at", "published_at"}


def publish_words(template, *, variables, contents):
    """The first version of a new template, live. `contents`: {(locale, channel): words}."""
    asked = repr([values_of(template, without=ITS_OWN), variables, contents])
    if Layout.objects.exists():
        publish_in_earnest(template, variables, contents)
    elif asked in KEPT:
        publish_copy(template, *KEPT[asked])
    else:
        version = publish_in_earnest(template, variables, contents)
        KEPT[asked] = (
            values_of(version, without=ANEW),
            [values_of(content, without={"id", "version"}) for content in version.contents.all()],
        )
    template.refresh_from_db()


def publish_in_earnest(template, variables, contents):
    draft = publishing.new_draft(template)
    publishing.save_draft(draft, variables=variables, contents=contents)
    publishing.publish(draft)
    draft.refresh_from_db()
    return draft


def publish_copy(template, version_values, contents_values):
    """The same rows, and the same lines in the audit log."""
    version = TemplateVersion(template=template, published_at=Now(), **version_values)
    TemplateVersion.objects.bulk_create([version])
    # Past `save`, which asks of each whether its version is a draft.
    TemplateContent.objects.bulk_create([TemplateContent(version=version, **values) for values in contents_values])
    template.live_version = version
    template.save(update_fields=["live_version", "updated_at"])
    note_act("template.draft_begun", template, by=None)
    note_act("template.published", template, by=None, version=version.number)


def values_of(row, *, without):
    names = (field.attname for field in row._meta.concrete_fields if field.name not in without)
    return {name: getattr(row, name) for name in names}
