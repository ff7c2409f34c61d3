"""Whole templates as files in the admin: every difference is seen before anything is written."""

import io
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from templates_app.examples import add_examples
from templates_app.models import Template, TemplateVersion
from tests.admin_scene import MOST_QUERIES, form_values, owner, page, queries_of, signed_in, staff
from tests.factories import TemplateContentFactory, TemplateVersionFactory

pytestmark = pytest.mark.django_db
FILES, TAKE = "/admin/templates_app/template/files/", "/admin/templates_app/template/files/take/"


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def receipt(client):
    """The file of a live template."""
    add_examples(["receipt"])
    return client.get(TAKE, {"code": "receipt"}).content.decode()


def chosen(*texts):
    return {"files": [SimpleUploadedFile(f"{n}.yaml", text.encode()) for n, text in enumerate(texts)]}


def confirmed(client, looked, **said):
    """The second step, as the browser sends it."""
    values = form_values(looked.content.decode())
    return client.post(FILES, {"name": values["name"], "text": values["text"], **(said or {"write": "yes"})})


def test_a_changed_word_is_seen_first_and_then_written_as_a_draft(client, receipt):
    looked = client.post(FILES, chosen(receipt.replace("Thank you for your order", "Many thanks")))
    text = looked.content.decode()
    assert "<del>" in text
    assert "Many thanks" in text
    assert not TemplateVersion.objects.filter(state="draft").exists()
    assert confirmed(client, looked).url == "/admin/templates_app/template/"
    draft = Template.objects.get(code="receipt").versions.get(state="draft")
    assert "Many thanks" in draft.contents.get(locale="en", channel="email").html


def test_a_file_that_says_what_is_here_offers_nothing_to_write(client, receipt):
    text = client.post(FILES, chosen(receipt)).content.decode()
    assert "the same already" in text
    assert 'name="write"' not in text


def test_a_zip_of_all_can_come_back_elsewhere(client, receipt):
    TemplateContentFactory(version=TemplateVersionFactory(template__code="only_a_draft"))
    packed = client.get(TAKE).content
    with ZipFile(io.BytesIO(packed)) as archive:
        assert sorted(archive.namelist()) == ["only_a_draft.yaml", "receipt.yaml"]
        assert archive.read("receipt.yaml").decode() == receipt
    Template.objects.update(live_version=None)
    TemplateVersion.objects.all().delete()
    Template.objects.all().delete()
    looked = client.post(FILES, {"files": SimpleUploadedFile("templates.zip", packed)})
    confirmed(client, looked)
    assert set(Template.objects.values_list("code", flat=True)) == {"only_a_draft", "receipt"}


def test_a_damaged_zip_is_refused_in_words(client):
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as archive:
        archive.writestr("receipt.yaml", "code: receipt\n" * 50)
    whole = packed.getvalue()
    # The first byte behind the name: a kind of block that no packed file has.
    torn = whole.replace(b"receipt.yaml" + whole[42:43], b"receipt.yaml\xff", 1)
    said = client.post(FILES, {"files": SimpleUploadedFile("templates.zip", torn)}, follow=True)
    assert "This ZIP cannot be opened." in said.content.decode()


def test_what_is_wrong_with_a_file_is_said_and_the_others_are_taken(client, receipt):
    looked = client.post(FILES, chosen(receipt.replace("code: receipt", "code: thanks"), "code: [", "name: Nameless"))
    text = looked.content.decode()
    assert text.count(">refused<") == 2
    assert "code: " in text
    answer = confirmed(client, looked)
    assert answer.content.decode().count(">refused<") == 2
    assert Template.objects.filter(code="thanks").exists()


def test_the_draft_of_somebody_is_written_over_only_when_that_is_wished(client, receipt):
    confirmed(client, client.post(FILES, chosen(receipt.replace("Thank you for your order", "My own words"))))
    looked = client.post(FILES, chosen(receipt.replace("Thank you for your order", "Others")))
    assert "There is a draft with other words." in looked.content.decode()
    again = confirmed(client, looked, replace="yes")
    assert "Others" in again.content.decode()
    confirmed(client, again, write="yes", replace="yes")
    draft = Template.objects.get(code="receipt").versions.get(state="draft")
    assert "Others" in draft.contents.get(locale="en", channel="email").html


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.zip", b"no zip", "This ZIP cannot be opened."),
        ("x.yaml", b"\xff\xfe", "must be written in UTF-8"),
        ("x.yaml", b" " * (1024 * 1024 + 1), "at most 1 MiB"),
        (None, b"", "Choose files first"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_words(client, name, content, says):
    answer = client.post(FILES, {"files": SimpleUploadedFile(name, content)} if name else {}, follow=True)
    assert says in answer.content.decode()


def test_the_page_and_the_file_of_all_ask_a_bounded_number_of_questions(client, django_assert_max_num_queries):
    add_examples(["receipt", "invitation"])
    for code in ("a_draft", "b_draft", "c_draft"):
        TemplateContentFactory(version=TemplateVersionFactory(template__code=code))
    assert len(queries_of(client, FILES)) <= MOST_QUERIES
    with django_assert_max_num_queries(MOST_QUERIES):
        client.get(TAKE)


def test_who_may_only_look_takes_files_away_and_brings_none_in(receipt):
    onlooker = signed_in(staff("templates_app.view_template"))
    assert "Bring files in" not in page(onlooker, FILES)
    assert onlooker.get(TAKE, {"code": "receipt"}).content.decode() == receipt
    assert onlooker.post(FILES, chosen(receipt)).status_code == 403
