"""What is past its time goes, each kind of data after its own; what has not ended stays."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone
from uuid_utils.compat import uuid7

from channels_email.models import CapturedEmail
from gateway import replaying, retention
from gateway.database_clock import database_now
from gateway.models import DeliveryAttempt, Notification, NotificationEvent
from gateway.statuses import ENDED, Status
from tests.admin_scene import owner, page, signed_in
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory, UserFactory, ago
from tests.gateway.api_scene import WELCOME_VARIABLES, client_with_key, submit, template
from users.masking import sensitive_names

pytestmark = pytest.mark.django_db


def version():
    return PublishedVersionFactory(variables=[{"name": "name"}, {"name": "code", "sensitive": True}])


def with_code(status, **fields):
    return NotificationFactory(
        status=status,
        template_version=version(),
        variables={"name": "Ann", "code": "123"},
        has_sensitive=True,
        **fields,
    )


def variables_of(row):
    return Notification.objects.values_list("variables", flat=True).get(pk=row.pk)


def test_a_notification_knows_whether_it_holds_sensitive_values(db):
    client = client_with_key("notifications:write")
    declared = [each | {"sensitive": each["name"] == "verification_link"} for each in WELCOME_VARIABLES]
    UserFactory(external_id="user-123")
    template(variables=declared)

    submit(client)
    template(code="other", variables=WELCOME_VARIABLES)
    submit(client, template_code="other", request_id="other")

    assert sorted(Notification.objects.values_list("has_sensitive", flat=True)) == [False, True]
    assert sensitive_names(declared) == {"verification_link"}


@pytest.mark.parametrize("status", Status)
def test_sensitive_values_go_when_nothing_can_be_sent_any_more(status):
    row = with_code(status)
    is_over = status in ENDED and status != Status.FAILED

    assert retention.erase_sensitive() == is_over
    assert variables_of(row) == ({"name": "Ann"} if is_over else {"name": "Ann", "code": "123"})
    assert retention.erase_sensitive() == 0


def test_a_discarded_dead_letter_needs_its_sensitive_values_no_more():
    row = with_code(Status.FAILED, discarded_at=timezone.now())

    assert retention.erase_sensitive() == 1
    assert variables_of(row) == {"name": "Ann"}


def test_contents_go_after_their_days(settings):
    settings.CONTENT_DAYS = 30
    old = NotificationFactory(status=Status.SENT, variables={"name": "Ann"}, created_at=ago(days=31))
    CapturedEmail.objects.create(notification=old, to="a", subject="b", source=b"c")
    young = NotificationFactory(status=Status.SENT, variables={"name": "Ann"}, created_at=ago(days=29))
    waiting = NotificationFactory(variables={"name": "Ann"}, created_at=ago(days=31))

    assert retention.delete_content() == 1
    assert retention.delete_content() == 0

    old.refresh_from_db()
    assert (old.status, old.variables) == (Status.SENT, {})
    assert old.content_deleted_at is not None
    assert not CapturedEmail.objects.exists()
    assert variables_of(young) == variables_of(waiting) == {"name": "Ann"}
    text = page(signed_in(owner()), f"/admin/gateway/notification/{old.pk}/change/")
    assert "The content was deleted after 30 days." in text


def test_a_dead_letter_without_content_is_not_revived():
    row = NotificationFactory(status=Status.FAILED, content_deleted_at=Now())

    assert replaying.replay([row.pk], who="Sam", why="again") == set()


def made_days_ago(days, **fields):
    """UUIDv7 tells when a row was made."""
    moment = database_now() - timedelta(days=days)
    key = retention.first_id_at(moment).int | (uuid7().int & ((1 << 80) - 1))
    return NotificationFactory(id=UUID(int=key), created_at=moment, **fields)


def test_records_go_after_their_days_with_all_that_belongs_to_them(settings):
    settings.RECORD_DAYS = 90
    old = made_days_ago(91, status=Status.DELIVERED)
    AttemptFactory(notification=old, claim_token=uuid7(), outcome="accepted")
    NotificationEvent.objects.create(notification=old, type="sent")
    kept = [made_days_ago(89, status=Status.SENT), made_days_ago(91, status=Status.UNKNOWN), made_days_ago(91)]

    assert retention.delete_records() == 1
    assert retention.delete_records() == 0
    assert set(Notification.objects.values_list("pk", flat=True)) == {row.pk for row in kept}
    assert not DeliveryAttempt.objects.exists()
    assert not NotificationEvent.objects.exists()


def test_the_command_counts_and_deletes(capsys, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 1)
    for _ in range(3):
        made_days_ago(91, status=Status.SENT)

    call_command("prune", "--dry-run", "--json")
    assert json.loads(capsys.readouterr().out) == {"dry_run": True, "sensitive": 0, "content": 3, "records": 3}
    call_command("prune")
    assert "records deleted: 3" in capsys.readouterr().out
    assert not Notification.objects.exists()


def test_ids_are_in_the_order_of_time():
    before, made = database_now(), uuid7()

    assert retention.first_id_at(before - timedelta(seconds=5)) < made
    assert made < retention.first_id_at(before + timedelta(seconds=5))
