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
from tests.factories import TemplateFactory, UserFactory
from users.api_keys import SCOPES, usable_key
from users.models import ApiKey, Device, Preference, QuietHours, User

pytestmark = pytest.mark.django_db


def test_the_demo_has_people_templates_an_admin_and_a_key():
    made = seed_demo()

    assert set(Template.objects.exclude(live_version=None).values_list("code", flat=True)) == {
        *example_codes(),
        "weekly_news",
    }
    assert User.objects.filter(external_id__in=["user-123", "user-quiet", "user-optout", "user-jonas"]).count() == 4
    admin = User.objects.with_email(made.admin_email).get()
    assert admin.is_superuser
    assert admin.check_password(made.admin_password)
    assert usable_key(made.api_key).scopes == sorted(SCOPES)


def test_wishes_and_devices_come_with_the_people():
    seed_demo()

    off = set(Preference.objects.filter(is_enabled=False).values_list("user__external_id", "channel"))
    assert off == {("user-optout", "email"), ("user-lena", "push")}
    hours = QuietHours.objects.get()
    assert (hours.user.external_id, f"{hours}", hours.timezone) == ("user-quiet", "00:00–23:59", "UTC")
    assert Device.objects.filter(user__external_id="user-sofia").count() == 3


def test_nobody_of_the_demo_but_the_admin_can_sign_in():
    seed_demo()

    people = User.objects.difference(User.objects.with_email(demo_data.ADMIN_EMAIL))
    assert not any(person.has_usable_password() or person.is_staff for person in people)


@pytest.mark.parametrize("sample", demo_samples.SAMPLES, ids=lambda sample: str(sample.title))
def test_every_sample_request_is_accepted(sample):
    seed_demo()
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


def test_a_second_seeding_changes_nothing():
    seed_demo()
    before = [model.objects.count() for model in (User, Template, ApiKey, Device, Preference)]

    assert seed_demo() is None
    assert [model.objects.count() for model in (User, Template, ApiKey, Device, Preference)] == before


def test_what_somebody_deleted_or_revoked_does_not_come_back(tmp_path):
    made = seed_demo(keep_in=tmp_path)
    User.objects.get(external_id="user-lena").delete()
    ApiKey.objects.update(revoked_at="2026-01-01T00:00Z")

    assert seed_demo(keep_in=tmp_path) is None
    assert not User.objects.filter(external_id="user-lena").exists()
    assert kept_secrets(tmp_path) == DemoSecrets(admin_password=made.admin_password, api_key="")


def test_what_was_there_before_stays_as_it_is():
    TemplateFactory(code="welcome_email", name="Ours")
    UserFactory(external_id="user-123", name="Our Ann", email="someone@example.com")
    UserFactory(external_id="other", name="Has Jonas' address", email="JONAS@example.com")
    boss = User.objects.create_superuser(demo_data.ADMIN_EMAIL, "a password of our own")

    made = seed_demo()

    assert made.admin_password == ""
    boss.refresh_from_db()
    assert boss.check_password("a password of our own")
    assert Template.objects.get(code="welcome_email").name == "Ours"
    assert User.objects.get(external_id="user-123").name == "Our Ann"
    assert not User.objects.filter(external_id="user-jonas").exists()


def test_half_a_demo_is_none(monkeypatch, tmp_path):
    def fail(*args, **kwargs):
        raise RuntimeError("power cut")

    monkeypatch.setattr(demo_data, "create_api_key", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        seed_demo(keep_in=tmp_path)

    assert not User.objects.exists()
    assert not Template.objects.exists()
    assert kept_secrets(tmp_path) is None


def test_secrets_are_kept_for_their_owner_only(tmp_path):
    made = seed_demo(keep_in=tmp_path)

    path = tmp_path / "demo.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert kept_secrets(tmp_path) == made
    assert kept_api_key(tmp_path) == made.api_key
    assert [each.name for each in tmp_path.iterdir()] == ["demo.json"]


def test_a_changed_password_is_not_told_any_more(tmp_path):
    made = seed_demo(keep_in=tmp_path)
    admin = User.objects.with_email(made.admin_email).get()
    admin.set_password("something of my own")
    admin.save()

    assert kept_secrets(tmp_path) == DemoSecrets(admin_password="", api_key=made.api_key)


@pytest.mark.parametrize("content", ["", "[]", "null", "{", '{"password": "x"}'])
def test_a_broken_file_is_no_file(tmp_path, content):
    (tmp_path / "demo.json").write_text(content)

    assert kept_secrets(tmp_path) is None
    assert kept_api_key(tmp_path) == ""


@pytest.mark.parametrize("is_local", [True, False])
def test_the_command_tells_the_secrets_and_keeps_them_only_locally(settings, tmp_path, capsys, is_local):
    settings.VAR_DIR, settings.IS_LOCAL = tmp_path, is_local
    call_command("seed_demo")

    told = capsys.readouterr().out
    assert usable_key(told.rpartition("API key")[2].strip())
    assert (tmp_path / "demo.json").exists() == is_local


def test_the_command_says_when_there_is_nothing_to_do(settings, tmp_path, capsys):
    settings.VAR_DIR = tmp_path
    call_command("seed_demo")
    kept = json.loads((tmp_path / "demo.json").read_text())
    capsys.readouterr()

    call_command("seed_demo")

    assert capsys.readouterr().out == "The demo data is there already: nothing to do.\n"
    assert json.loads((tmp_path / "demo.json").read_text()) == kept
