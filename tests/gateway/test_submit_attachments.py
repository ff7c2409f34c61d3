"""`attachments` of a request: what is stored with the notification, and every refusal."""

import base64
import uuid

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from gateway import attachment_fields, attachments, submission
from gateway.attachment_rules import LARGEST_FILE, MOST_PER_MAIL
from gateway.models import Attachment, Notification, StoredFile
from tests.gateway.api_scene import client_with_key, findings, post, refusal, request_body, row, submit, template
from tests.gateway.attachment_scene import CONTENT, PNG, UPLOADS, sent_along, stored, uploaded

pytestmark = pytest.mark.django_db


def refused(client, *entries, **changes):
    """The findings; nothing was stored."""
    found = findings(post(client, request_body(attachments=list(entries), **changes)))
    assert not Notification.objects.exists()
    return found


# --- what is stored ---------------------------------------------------------------------------------------------------
def test_what_is_sent_along_is_stored_with_the_notification(shop):
    logo = sent_along(PNG, filename="logo.png", content_type="image/png", content_id="logo")
    accepted = submit(shop, attachments=[sent_along(), logo])

    notification = row(accepted)
    first, second = notification.attachments.select_related("file")
    assert notification.attachment_count == 2
    assert (first.filename, first.content_id, first.file.content) == ("invoice.pdf", "", CONTENT)
    assert (second.filename, second.content_id, second.file.content) == ("logo.png", "logo", PNG)
    assert first.file.expires_at is None
    assert (first.file.client, first.file.size) == ("shop", len(CONTENT))


@pytest.mark.parametrize("named", ["id", "url", "path", "url without slash"])
def test_an_upload_goes_with_any_number_of_notifications(shop, named):
    told = uploaded(shop)
    entry = {
        "id": {"id": told["id"]},
        "url": {"url": told["url"]},
        "path": {"url": f"{UPLOADS}{told['id']}/"},
        "url without slash": {"url": told["url"].rstrip("/"), "filename": "Ann.pdf"},
    }[named]
    for number in range(2):
        submit(shop, request_id=f"req-{number}", attachments=[entry])
    assert stored() == 1
    assert {str(each.file_id) for each in Attachment.objects.all()} == {told["id"]}
    assert {each.filename for each in Attachment.objects.all()} == {entry.get("filename", "invoice.pdf")}


def test_a_request_without_attachments_costs_no_query_more(shop):
    submit(shop, request_id="warm")
    with CaptureQueriesContext(
        connection,
    ) as without:
        submit(shop, request_id="plain")
    assert not [each for each in without if "attachment" in each["sql"].lower().replace('"attachment_count"', "")]


def test_an_empty_list_is_none(shop):
    assert row(submit(shop, attachments=[])).attachment_count == 0


def test_nothing_is_stored_where_the_commit_fails(shop, monkeypatch):
    def fails(*given):
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(submission, "failpoint", lambda name: fails() if name == "submission.inserted" else None)
    shop.raise_request_exception = False
    assert post(shop, request_body(attachments=[sent_along()])).status_code == 500
    assert (Notification.objects.count(), stored(), Attachment.objects.count()) == (0, 0, 0)


# --- once and the same ------------------------------------------------------------------------------------------------
def test_the_same_request_is_repeated_and_stores_nothing_more(shop):
    first = submit(shop, attachments=[sent_along()])
    assert submit(shop, attachments=[sent_along()])["id"] == first["id"]
    assert stored() == 1


@pytest.mark.parametrize(
    "changed",
    [
        [],
        [sent_along(b"other")],
        [sent_along(filename="other.pdf")],
        [sent_along(), sent_along()],
        [sent_along(content_type="image/png", content_id="x")],
    ],
)
def test_other_attachments_are_another_request(shop, changed):
    submit(shop, attachments=[sent_along()])
    assert refusal(post(shop, request_body(attachments=changed))) == (422, "idempotency_key_reused")


def test_a_known_request_is_repeated_though_its_upload_is_gone(shop):
    entry = {"id": uploaded(shop)["id"]}
    first = submit(shop, attachments=[entry])
    StoredFile.objects.update(expires_at=Now())
    assert submit(shop, attachments=[entry])["id"] == first["id"]


# --- refusals ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (sent_along(content=...), [("/attachments/0", "invalid")]),
        (sent_along(id=str(uuid.uuid4())), [("/attachments/0", "invalid")]),
        (sent_along(filename=...), [("/attachments/0/filename", "required")]),
        (sent_along(content_type=...), [("/attachments/0/content_type", "required")]),
        (sent_along(filename="setup.exe"), [("/attachments/0/filename", "invalid")]),
        (sent_along(content_type="pdf"), [("/attachments/0/content_type", "invalid")]),
        (sent_along(content="not base64!"), [("/attachments/0/content", "invalid")]),
        ({"id": "x"}, [("/attachments/0/id", "invalid")]),
        (sent_along(content="AA"), [("/attachments/0/content", "invalid")]),
        (sent_along(content="Grüße"), [("/attachments/0/content", "invalid")]),
        (sent_along(content=""), [("/attachments/0/content", "too_short")]),
        (sent_along(content=7), [("/attachments/0/content", "invalid")]),
        (sent_along(content_id="logo"), [("/attachments/0/content_id", "invalid")]),
        (sent_along(content_type="image/png", content_id="<a>"), [("/attachments/0/content_id", "invalid")]),
        (sent_along(size=7), [("/attachments/0/size", "unknown_field")]),
        (
            sent_along(filename="a/b", content="?"),
            [("/attachments/0/content", "invalid"), ("/attachments/0/filename", "invalid")],
        ),
        ("invoice.pdf", [("/attachments/0", "invalid")]),
        ({"id": str(uuid.uuid4()), "content_type": "image/png"}, [("/attachments/0/content_type", "invalid")]),
        ({"id": str(uuid.uuid4())}, [("/attachments/0", "invalid")]),
        ({"id": "7"}, [("/attachments/0/id", "invalid")]),
    ],
)
def test_each_finding_names_its_place(shop, entry, expected):
    assert refused(shop, entry) == expected


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/invoice.pdf",
        "http://127.0.0.1:3000/api/v1/notifications/",
        "http://127.0.0.1:3000@evil.example/api/v1/attachments/0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000/",
        "file:///etc/passwd",
        "//evil.example/api/v1/attachments/0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000/",
        "http://127.0.0.1:3000/api/v1/attachments/../0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000/",
    ],
)
def test_no_other_address_is_fetched(shop, url):
    assert refused(shop, {"url": url}) == [("/attachments/0/url", "invalid")]


def test_attachments_are_a_short_list(shop):
    assert refused(shop, *[sent_along()] * (MOST_PER_MAIL + 1)) == [("/attachments", "too_many")]
    assert findings(post(shop, request_body(attachments={}))) == [("/attachments", "invalid")]


def test_the_attachments_of_a_mail_are_bounded_together(shop):
    entry = {"id": uploaded(shop, b"x" * LARGEST_FILE)["id"]}
    assert refused(shop, entry, entry) == [("/attachments", "too_long")]


def test_two_images_have_two_names_in_the_mail(shop):
    image = sent_along(PNG, filename="a.png", content_type="image/png", content_id="a")
    assert refused(shop, image, image) == [("/attachments/1/content_id", "not_unique")]


def test_an_uploaded_document_is_not_shown_inside_the_mail(shop):
    assert refused(shop, {"id": uploaded(shop)["id"], "content_id": "a"}) == [("/attachments/0/content_id", "invalid")]


@pytest.mark.parametrize("stranger", [{"client": "other"}, {"mode": "test"}])
def test_uploads_of_others_do_not_exist(shop, stranger):
    told = uploaded(client_with_key(**stranger))
    assert refused(shop, {"id": told["id"]}) == [("/attachments/0", "invalid")]


def test_an_upload_whose_time_is_over_cannot_be_named(shop):
    told = uploaded(shop)
    StoredFile.objects.update(expires_at=Now())
    assert refused(shop, {"id": told["id"]}) == [("/attachments/0", "invalid")]


def test_a_push_has_no_attachments(shop):
    template("hello_push", contents={("en", "push"): {"title": "Hi", "body": "Hello"}}, variables=[])
    body = request_body(notification_type="push", template_code="hello_push", variables={}, attachments=[sent_along()])
    assert findings(post(shop, body)) == [("/attachments", "invalid")]


def test_a_request_stays_within_its_limit(shop):
    entry = sent_along(content=base64.b64encode(b"x" * 200 * 1024).decode())
    assert refusal(post(shop, request_body(attachments=[entry]))) == (413, "payload_too_large")


def test_the_address_of_uploads_is_the_route():
    from django.urls import reverse

    assert reverse("attachments") == attachment_fields.UPLOADS


@pytest.mark.django_db(transaction=True)
def test_an_upload_deleted_at_that_very_moment_is_said_to_be_gone(shop, monkeypatch):
    told = uploaded(shop)
    found = attachments.named_uploads

    def then_deleted(*asked, **options):
        kept = found(*asked, **options)
        StoredFile.objects.filter(pk=told["id"]).delete()
        return kept

    monkeypatch.setattr(submission, "named_uploads", then_deleted)
    assert refused(shop, {"id": told["id"]}) == [("/attachments", "invalid")]
