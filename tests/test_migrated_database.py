import pytest
from django.contrib.auth.models import Group
from django.db import connection

from tests.factories import NotificationFactory
from tests.migrated_database import restore, tables
from users.models import Category


def everything():
    with connection.cursor() as cursor:
        found = {}
        for table in tables():
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608  our own names
            found[table] = sorted(map(repr, cursor.fetchall()))
        return found


@pytest.mark.django_db(transaction=True)
def test_what_was_added_changed_or_deleted_is_as_the_migrations_left_it():
    before = everything()

    NotificationFactory()
    Category.objects.update(name="Another")
    Group.objects.all().delete()
    changed = {table for table, rows in everything().items() if rows != before[table]}
    assert {"gateway_notification", Category._meta.db_table, "auth_group", "auth_group_permissions"} <= changed

    restore()
    assert everything() == before
