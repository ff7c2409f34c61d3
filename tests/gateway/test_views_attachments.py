"""`/api/v1/attachments/`: files kept until mails take them along."""

import hashlib
import uuid
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from gateway import attachments
from gateway.attachment_rules import LARGEST_FILE
from gateway.models import StoredFile
from tests.gateway.api_scene import client_with_key, findings, moment, refusal, submit
from tests.gateway.attachment_scene import CONTENT, UPLOADS, stored, upload, uploaded

pytestmark = pytest.mark.django_db


def test_an_upload_is_kept_and_told_about(shop):
    response = upload(shop, filename="Rechnung%20f%C3%BCr%20Ann.pdf")
    told = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"{UPLOADS}{told['id']}/"
    assert told["url"] == f"http://127.0.0.1:3000{UPLOADS}{told['id']}/"
    assert (told["filename"], told["content_type"]) == ("Rechnung für Ann.pdf", "application/pdf")
    assert (told["size"], told["sha256"]) == (len(CONTENT), hashlib.sha256(CONTENT).hexdigest())
    assert moment(told["expires_at"]) - moment(told["created_at"]) == timedelta(days=7)
    assert shop.get(response["Location"]).json() == told


def test_bytes_and_name_are_encrypted_in_the_database(shop):
    told = uploaded(shop)
    row = StoredFile.objects.extra(select={"raw": "content", "raw_name": "filename"}).get(pk=told["id"])
    assert row.content == CONTENT
    assert row.raw.startswith("v2.")
    assert row.raw_name.startswith("v2.")


def test_the_largest_file_is_taken_and_one_byte_more_is_not(shop):
    assert uploaded(shop, b"x" * LARGEST_FILE)["size"] == LARGEST_FILE
    assert refusal(upload(shop, b"x" * (LARGEST_FILE + 1))) == (413, "payload_too_large")
    assert stored() == 1


def test_what_came_in_chunks_may_have_been_cut_off(shop, settings):
    """The server hands on only so much of a body without a length (raw_requests.py)."""
    many = b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    assert refusal(upload(shop, many, headers={"Transfer-Encoding": "chunked"})) == (413, "payload_too_large")
    assert uploaded(shop, many[1:], headers={"Transfer-Encoding": "chunked"})["size"] == len(many) - 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"filename": None}, [("?filename", "blank")]),
        ({"filename": "a%2Fb.pdf"}, [("?filename", "invalid")]),
        ({"filename": "setup.exe"}, [("?filename", "invalid")]),
        ({"content_type": "nonsense"}, [("", "invalid")]),
        ({"content_type": "application/x-msdownload"}, [("", "invalid")]),
        ({"filename": "a.pdf&x=1"}, [("?x", "unknown_field")]),
    ],
)
def test_what_cannot_be_attached_is_refused(shop, options, expected):
    assert findings(upload(shop, **options)) == expected
    assert stored() == 0


def test_an_empty_file_is_refused(shop):
    assert findings(upload(shop, b"", headers={"Content-Type": "application/pdf"})) == [("", "too_short")]


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""])
def test_a_form_is_no_file(shop, content_type):
    assert refusal(upload(shop, content_type=content_type)) == (415, "unsupported_media_type")


def test_a_compressed_body_is_not_read(shop):
    assert refusal(upload(shop, headers={"Content-Encoding": "gzip"})) == (415, "unsupported_media_type")


def test_a_client_keeps_only_so_much_here(shop, monkeypatch):
    monkeypatch.setattr(attachments, "MOST_STORED", len(CONTENT) * 2)
    uploaded(shop)
    first = uploaded(shop)
    assert findings(upload(shop)) == [("", "too_many")]
    assert uploaded(client_with_key(client="other"))
    assert shop.delete(UPLOADS + first["id"] + "/").status_code == 204
    assert uploaded(shop)


@pytest.mark.parametrize("stranger", [{"client": "other"}, {"mode": "test"}])
def test_nobody_else_sees_or_deletes_it(shop, stranger):
    path = f"{UPLOADS}{uploaded(shop)['id']}/"
    other = client_with_key(**stranger)
    assert refusal(other.get(path)) == refusal(other.delete(path)) == (404, "not_found")
    assert shop.get(path).status_code == 200


def test_when_its_time_is_over_it_is_gone(shop):
    told = uploaded(shop)
    StoredFile.objects.update(expires_at=Now())
    assert refusal(shop.get(f"{UPLOADS}{told['id']}/")) == (404, "not_found")


def test_deleting_leaves_nothing(shop):
    path = f"{UPLOADS}{uploaded(shop)['id']}/"
    assert shop.delete(path).status_code == 204
    assert stored() == 0
    assert refusal(shop.delete(path)) == (404, "not_found")


def test_what_a_notification_has_stays_with_it(shop):
    told = uploaded(shop)
    submit(shop, attachments=[{"id": told["id"]}])
    assert shop.delete(f"{UPLOADS}{told['id']}/").status_code == 204
    assert refusal(shop.get(f"{UPLOADS}{told['id']}/")) == (404, "not_found")
    assert StoredFile.objects.get().content == CONTENT


def test_an_unknown_one_is_not_found(shop):
    assert refusal(shop.get(f"{UPLOADS}{uuid.uuid4()}/")) == (404, "not_found")


def test_reading_keys_upload_nothing(ann, welcome):
    assert refusal(upload(client_with_key("notifications:read"))) == (403, "insufficient_scope")
