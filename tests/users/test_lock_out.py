"""Whoever guesses passwords at the admin is locked out; nobody else is."""

import pytest
from axes.models import AccessAttempt
from django.core.management import call_command
from django.test import Client

from tests.admin_scene import owner, page, signed_in, staff
from tests.sign_in_scene import PASSWORD
from users.audit_models import AuditEntry
from users.models import User

pytestmark = pytest.mark.django_db
LOGIN, LIST = "/admin/login/", "/admin/axes/accessattempt/"


@pytest.fixture(autouse=True)
def sam():
    return User.objects.create_user(email="sam@example.com", password=PASSWORD, is_staff=True)


def sign_in(password=PASSWORD, email="sam@example.com", address="192.0.2.1"):
    client = Client(REMOTE_ADDR=address)
    return client.post(LOGIN, {"username": email, "password": password, "next": "/admin/"})


def guess(times=5, **more):
    return [sign_in("wrong", **more).status_code for _ in range(times)]


def test_after_five_wrong_passwords_the_right_one_does_not_help_either():
    assert guess() == [200, 200, 200, 200, 429]

    refused = sign_in()
    assert refused.status_code == 429
    assert "Locked for a while" in refused.content.decode()


def test_the_owner_of_the_account_gets_in_from_elsewhere_and_others_from_there():
    User.objects.create_user(email="kim@example.com", password=PASSWORD, is_staff=True)
    guess()

    assert sign_in(address="192.0.2.2").status_code == 302
    assert sign_in(email="kim@example.com").status_code == 302


def test_however_the_address_is_written_it_is_one_account():
    guess(4)
    assert guess(1, email="SAM@Example.com") == [429]


def test_unknown_accounts_are_locked_alike():
    assert guess(email="nobody@example.com") == [200, 200, 200, 200, 429]


def test_who_gets_in_begins_anew():
    guess(4)
    assert sign_in().status_code == 302
    assert guess(4) == [200] * 4


def test_no_address_and_no_password_is_kept_readable():
    guess(1)

    stored = str(AccessAttempt.objects.values().get())
    assert "sam@example.com" not in stored
    assert "wrong" not in stored
    assert "s••@example.com" in stored


def test_an_owner_lets_them_try_again():
    guess()
    client = signed_in(owner())
    text = page(client, LIST)
    assert "Locked" in text
    attempt = AccessAttempt.objects.get()
    assert client.get(f"{LIST}{attempt.pk}/unlock/").status_code in (302, 405)
    client.post(f"{LIST}{attempt.pk}/unlock/")

    assert sign_in().status_code == 302
    assert AuditEntry.objects.filter(what="sign_in.unlocked").exists()


def test_others_do_not():
    guess()
    attempt = AccessAttempt.objects.get()

    assert signed_in(staff("axes.view_accessattempt")).post(f"{LIST}{attempt.pk}/unlock/").status_code == 403
    assert sign_in().status_code == 429


def test_nor_need_one_ask_an_owner_who_has_a_shell(capsys):
    guess()
    call_command("axes_reset_ip", "192.0.2.1")

    assert sign_in().status_code == 302
