"""Files from the request to delivery, and to their end."""

import json

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from gateway import attachments, retention
from gateway.batch_submission import submit_batch
from gateway.channel_contract import FileAway, Outcome
from gateway.models import Attachment, Notification, StoredFile
from gateway.request import AttachmentRequest
from gateway.statuses import Status
from tests.factories import UserFactory
from tests.gateway.attachment_scene import CONTENT, PNG, stored
from tests.gateway.test_submission import request
from users.key_rotation import rotate_encryption_keys
from users.models import User
from users.privacy import erase_recipient, export_recipient

pytestmark = pytest.mark.django_db

INVOICE = AttachmentRequest(filename="invoice.pdf", content_type="application/pdf", content=CONTENT)
LOGO = AttachmentRequest(filename="logo.png", content_type="image/png", content=PNG, content_id="logo")


@pytest.fixture
def people(ann, welcome):
    return ann


def an_upload(content=CONTENT, *, client="shop", mode="live"):
    return attachments.upload(content, filename="terms.pdf", content_type="application/pdf", client=client, mode=mode)


def named(stored_file, **fields):
    return AttachmentRequest(file_id=stored_file.pk, **fields)


def submitted(*of_each, client="shop"):
    """One notification for each list of attachments."""
    asked = [request(request_id=f"req-{number}", attachments=tuple(each)) for number, each in enumerate(of_each)]
    return [answer.notification for answer in submit_batch(asked, client=client, mode="live")]


def ended(*notifications):
    Notification.objects.filter(pk__in=[each.pk for each in notifications]).update(status=Status.CANCELLED)


# --- batches ----------------------------------------------------------------------------------------------------------
def test_a_batch_looks_up_all_uploads_at_once(people):
    files = [an_upload(bytes([number + 1])) for number in range(5)]
    submitted([INVOICE], [named(files[0])])  # what else is remembered
    Notification.objects.all().delete()
    counts = []
    for count in (1, 5):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            submitted(*[[named(each)] for each in files[:count]])
        counts.append(len(queries))
        Notification.objects.all().delete()
    assert counts[0] == counts[1]


def test_one_bad_request_of_a_batch_does_not_stop_its_neighbours(people):
    gone = an_upload()
    StoredFile.objects.all().delete()
    asked = [request(request_id="a", attachments=(named(gone),)), request(request_id="b", attachments=(INVOICE,))]
    refused, accepted = submit_batch(asked, client="shop", mode="live")
    assert isinstance(refused, attachments.AttachmentsRefused)
    assert accepted.notification.attachments.count() == 1


# --- delivery ---------------------------------------------------------------------------------------------------------
def test_delivery_learns_of_all_files_of_a_batch_by_one_query_and_reads_none(people):
    rows = submitted([INVOICE, LOGO], [], [LOGO])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = attachments.outgoing(rows)
    assert len(queries) == 1
    assert '"content"' not in queries[0]["sql"].replace('"content_', "")
    assert {pk: [each.filename for each in files] for pk, files in found.items()} == {
        rows[0].pk: ["invoice.pdf", "logo.png"],
        rows[2].pk: ["logo.png"],
    }
    first, second = found[rows[0].pk]
    assert (first.size, first.content_type, first.content_id) == (len(CONTENT), "application/pdf", "")
    assert (first.read(), second.read()) == (CONTENT, PNG)


def test_a_batch_without_files_asks_nothing(people):
    rows = submitted([], [])
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert attachments.outgoing(rows) == {}
    assert len(queries) == 0


def test_what_goes_with_many_mails_is_read_once(people):
    terms = an_upload()
    rows = submitted([named(terms)], [named(terms)])
    found = attachments.outgoing(rows)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert [found[row.pk][0].read() for row in rows] == [CONTENT, CONTENT]
    assert len(queries) == 1


def test_no_more_lies_in_memory_than_one_mail_may_have(people, monkeypatch):
    monkeypatch.setattr(attachments, "LARGEST_MAIL", 10)
    shelf = attachments._Shelf()
    files = [an_upload(bytes([65 + number]) * 4) for number in range(5)]
    for each in files:
        assert shelf.read(each.pk) == StoredFile.objects.get(pk=each.pk).content
        assert sum(map(len, shelf._kept.values())) <= 10


def test_a_file_that_has_gone_is_gone_for_ever(people):
    (row,) = submitted([INVOICE])
    (file,) = attachments.outgoing([row])[row.pk]
    attachments.erase([row.pk])
    with pytest.raises(FileAway) as away:
        file.read()
    assert away.value.outcome is Outcome.PERMANENT


def test_while_the_database_is_away_nothing_is_given_up(people, monkeypatch):
    (row,) = submitted([INVOICE])
    (file,) = attachments.outgoing([row])[row.pk]

    def away(*given, **named):
        raise OperationalError("the server has gone")

    monkeypatch.setattr(StoredFile.objects, "filter", away)
    with pytest.raises(FileAway) as raised:
        file.read()
    assert raised.value.outcome is Outcome.TRANSIENT


# --- the end ----------------------------------------------------------------------------------------------------------
def test_content_goes_with_the_rest_after_its_days(people):
    old, fresh = submitted([INVOICE], [INVOICE])
    ended(old, fresh)
    Notification.objects.filter(pk=old.pk).update(created_at="2020-01-01T00:00Z")
    assert retention.delete_content() == 1
    assert [each.notification_id for each in Attachment.objects.all()] == [fresh.pk]
    assert stored() == 1


def test_records_take_their_files_with_them(people, monkeypatch):
    (row,) = submitted([INVOICE])
    ended(row)
    monkeypatch.setattr(retention, "past_their_time", Notification.objects.all)
    assert retention.delete_records() == 1
    assert stored() == 0


def test_an_upload_outlives_the_notification_as_long_as_it_can_be_named(people):
    terms = an_upload()
    (row,) = submitted([named(terms)])
    attachments.delete_content([row.pk])
    assert (stored(), Attachment.objects.count()) == (1, 0)


def test_unused_uploads_go_when_their_time_is_long_over(people):
    used, unused, new = an_upload(), an_upload(), an_upload()
    submitted([named(used)])
    StoredFile.objects.exclude(pk=new.pk).update(expires_at=Now())
    assert attachments.forget_uploads(limit=10) == 0  # a request that names it may be under way
    StoredFile.objects.exclude(pk=new.pk).update(expires_at="2020-01-01T00:00Z")
    assert attachments.forget_uploads(limit=10) == 1
    assert set(StoredFile.objects.values_list("pk", flat=True)) == {used.pk, new.pk}
    assert not StoredFile.objects.filter(pk=unused.pk).exists()


def test_an_erased_persons_files_are_gone_but_not_what_others_got_too(people):
    mine, shared = an_upload(), an_upload(PNG)
    UserFactory(external_id="user-456")
    submitted([INVOICE, named(mine), named(shared)])
    bob = request(request_id="bob", user_id="user-456", attachments=(named(shared),))
    submit_batch([bob], client="shop", mode="live")
    erase_recipient(people.pk, who="operator")
    assert [each.pk for each in StoredFile.objects.all()] == [shared.pk]


def test_the_export_names_the_files(people):
    submitted([INVOICE])
    told = export_recipient(User.objects.get(pk=people.pk), who="operator")["notifications"][0]["attachments"]
    assert told == [{"filename": "invoice.pdf", "content_type": "application/pdf", "size": len(CONTENT)}]
    assert CONTENT.decode() not in json.dumps(told)


def test_files_move_under_a_new_key(people, settings):
    from users.key_ring import read_keys

    for _ in range(StoredFile.sealed_batch + 1):
        an_upload()
    old = ",".join(f"{key.id}:{key.secret}" for key in settings.ENCRYPTION_KEYS)
    settings.ENCRYPTION_KEYS = read_keys("new:" + "k" * 40 + "," + old)
    rotate_encryption_keys()
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    assert {each.content for each in StoredFile.objects.all()} == {CONTENT}
