import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from gateway import callback_endpoints
from gateway.callback_models import CallbackEndpoint
from gateway.database_clock import database_now
from gateway.models import Notification
from tests.callback_scene import endpoint
from tests.factories import DeviceFactory, NotificationFactory, UserFactory
from users import key_rotation
from users.key_ring import read_keys
from users.key_rotation import outdated_rows, rotate_encryption_keys
from users.models import User

pytestmark = pytest.mark.django_db

OLD, NEW = f"old:{'o' * 32}", f"new:{'n' * 32}"


@pytest.fixture
def ring(settings):
    """Rows under the old key; then a new one is put in front."""
    settings.ENCRYPTION_KEYS = read_keys(OLD)

    def turn():
        settings.ENCRYPTION_KEYS = read_keys(f"{NEW},{OLD}")
        return settings

    return turn


def counts(found):
    return {each.name: each.rows for each in found if each.rows}


def test_everything_is_brought_under_the_new_key_and_stays_what_it_was(ring, monkeypatch):
    monkeypatch.setattr(key_rotation, "BATCH", 2)
    ann, nobody = UserFactory(email="ann@example.com"), UserFactory(email=None)
    device = DeviceFactory(user=nobody, token="token-1")
    rows = [NotificationFactory(user=ann, variables={"n": n}) for n in range(5)]
    NotificationFactory(user=ann, variables={})
    told, secret = endpoint("http://127.0.0.1:21799/hook")
    settings = ring()
    wanted = {"users.User": 1, "users.Device": 1, "gateway.Notification": 5, "gateway.CallbackEndpoint": 1}
    assert counts(outdated_rows()) == wanted
    fresh = UserFactory(email="new@example.com")

    steps = []
    assert counts(rotate_encryption_keys(on_batch=steps.append)) == wanted
    assert sum(steps) == 8
    assert counts(rotate_encryption_keys()) == counts(outdated_rows()) == {}

    settings.ENCRYPTION_KEYS = read_keys(NEW)
    assert User.objects.with_email("ann@example.com").get().email == "ann@example.com"
    assert User.objects.get(pk=nobody.pk).email is None
    assert User.objects.get(pk=fresh.pk).email == "new@example.com"
    assert type(device).objects.get().token == "token-1"
    assert [Notification.objects.get(pk=row.pk).variables for row in rows] == [{"n": n} for n in range(5)]
    found = CallbackEndpoint.objects.get(pk=told.pk)
    assert callback_endpoints.signing_secrets(found, database_now()) == [secret]


def test_what_no_key_opens_is_told_and_does_not_keep_the_others(ring):
    broken, whole = UserFactory(email="a@example.com"), UserFactory(email="b@example.com")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE users_user SET email = 'v2.lost.AAAA' WHERE external_id = %s", [broken.external_id])
    ring()

    (found,) = [each for each in rotate_encryption_keys() if each.name == "users.User"]

    assert (found.rows, found.unreadable) == (1, 1)
    assert User.objects.get(pk=whole.pk).email == "b@example.com"


def test_the_command_counts_turns_and_says_so(ring, capsys):
    UserFactory()
    ring()

    call_command("rotate_encryption_keys", "--dry-run")
    assert "1 rows are under older keys." in capsys.readouterr().out
    call_command("rotate_encryption_keys", "--json")
    assert json.loads(capsys.readouterr().out)["tables"]["users.User"] == {"rows": 1, "unreadable": 0}
    call_command("rotate_encryption_keys")
    assert "Everything was under the key new." in capsys.readouterr().out


def test_without_a_key_it_says_what_is_missing(settings):
    settings.ENCRYPTION_KEYS = ()

    with pytest.raises(CommandError, match="ENCRYPTION_KEYS"):
        call_command("rotate_encryption_keys")
