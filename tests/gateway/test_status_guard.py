"""On PostgreSQL every test is also a test of the table: the database refuses any other change of status."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from gateway import statuses
from gateway.models import Notification
from gateway.statuses import Status
from tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db


def passes(source, target):
    row = NotificationFactory(status=source, claim_token=uuid4())
    try:
        with transaction.atomic():
            Notification.objects.filter(pk=row.pk).update(status=target)
    except DatabaseError as refusal:
        return f"No such change of status: {source} to {target}" not in str(refusal)
    return True


@pytest.mark.parametrize("source", Status)
def test_the_database_lets_exactly_the_changes_of_the_table_pass(source):
    if connection.vendor != "postgresql":
        pytest.skip("Only PostgreSQL has the guard.")
    # An update that leaves the status as it is changes none.
    assert {target for target in Status if passes(source, target)} == statuses.may_follow(source) | {source}
