"""What the demo is. It is made once for all of these tests; how it is made is in test_seed_demo.py."""

import json
import stat

import pytest
from django.core.management import call_command

from gateway import demo_data, demo_samples
from gateway.demo_data import DemoSecrets, kept_api_key, kept_secrets, seed_demo
from gateway.models import Notification
from gateway.request import NotificationRequest
from gateway.submission import submit_notification
from templates_app.examples import example_codes
from templates_app.models import Template
from tests.house.test_access import undone
from users.api_keys import SCOPES, usable_key
from users.models import ApiKey, Device, Preference, QuietHours, User

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def made(folder, django_db_setup, django_db_blocker):
    """The demo, with its secrets kept in `folder`; what a test changes is undone after it."""
    with django_db_blocker.unblock(), undone():
        yield seed_demo(keep_in=folder)


def test_the_demo_has_people_templates_an_admin_and_a_key(made):
    assert set(Template.objects.exclude(live_version=None).values_list("code", flat=True)) == {
        *example_codes(),
        "weekly_news",
    }
    assert User.objects.filter(external_id__in=["user-123", "user-quiet", "user-optout", "user-jonas"]).count() == 4
    admin = User.objects.with_email(made.admin_email).get()
    assert admin.is_superuser
    assert admin.check_password(made.admin_password)
    assert usable_key(made.api_key).scopes == sorted(SCOPES)


def test_wishes_and_devices_come_with_the_people(made):
    off = set(Preference.objects.filter(is_enabled=False).values_list("user__external_id", "channel"))
    assert off == {("user-optout", "email"), ("user-lena", "push")}
    hours = QuietHours.objects.get()
    assert (hours.user.external_id, f"{hours}", hours.timezone) == ("user-quiet", "00:00–23:59", "UTC")
    assert Device.objects.filter(user__external_id="user-sofia").count() == 3


def test_nobody_of_the_demo_but_the_admin_can_sign_in(made):
    people = User.objects.difference(User.objects.with_email(demo_data.ADMIN_EMAIL))
    assert not any(person.has_usable_password() or person.is_staff for person in people)


@pytest.mark.parametrize("sample", demo_samples.SAMPLES, ids=lambda sample: str(sample.title))
def test_every_sample_request_is_accepted(made, sample):
    words = {"high": 8}
    body = dict(sample.body)
    request = NotificationRequest(
        channel=body.pop("notification_type"),
        priority=words[body.pop("priority")] if "priority" in body else 5,
        **body,
    )

    accepted = submit_notification(request, client="demo", mode="live").notification

    assert accepted.status == "accepted"
    assert accepted.first_answer["warnings"] == []
    assert Notification.objects.count() == 1


def test_a_second_seeding_changes_nothing(made):
    before = [model.objects.count() for model in (User, Template, ApiKey, Device, Preference)]

    assert seed_demo() is None
    assert [model.objects.count() for model in (User, Template, ApiKey, Device, Preference)] == before


def test_what_somebody_deleted_or_revoked_does_not_come_back(made, folder):
    User.objects.get(external_id="user-lena").delete()
    ApiKey.objects.update(revoked_at="2026-01-01T00:00Z")

    assert seed_demo(keep_in=folder) is None
    assert not User.objects.filter(external_id="user-lena").exists()
    assert kept_secrets(folder) == DemoSecrets(admin_password=made.admin_password, api_key="")


def test_secrets_are_kept_for_their_owner_only(made, folder):
    path = folder / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_secrets(folder) == made
    assert kept_api_key(folder) == made.api_key
    assert [each.name for each in folder.iterdir()] == ["demo.json"]


def test_a_changed_password_is_not_told_any_more(made, folder):
    admin = User.objects.with_email(made.admin_email).get()
    admin.set_password("something of my own")
    admin.save()

    assert kept_secrets(folder) == DemoSecrets(admin_password="", api_key=made.api_key)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"password": "x"}'])
def test_a_broken_file_is_no_file(tmp_path, content):
    (tmp_path / "demo.json").write_text(content)

    assert kept_secrets(tmp_path) is None
    assert kept_api_key(tmp_path) == ""


def test_the_command_says_when_there_is_nothing_to_do(settings, made, folder, capsys):
    settings.VAR_DIR = folder
    kept = json.loads((folder / "demo.json").read_text())

    call_command("seed_demo")

    assert capsys.readouterr().out == "The demo data is there already: nothing to do.\n"
    assert json.loads((folder / "demo.json").read_text()) == kept
