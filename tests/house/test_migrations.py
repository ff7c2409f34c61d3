"""The migrations make the tables the models speak of."""

import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=1)


def test_no_two_migrations_claim_the_same_place():
    assert MigrationLoader(None).detect_conflicts() == {}
