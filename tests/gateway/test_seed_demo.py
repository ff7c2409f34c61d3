"""How the demo is made: all of it or nothing, beside what is there. What it is then is in test_demo_data.py."""

import pytest
from django.core.management import call_command

from gateway import demo_data
from gateway.demo_data import kept_secrets, seed_demo
from templates_app.models import Template
from tests.factories import TemplateFactory, UserFactory
from users.api_keys import usable_key
from users.models import User

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("is_local", [True, False])
def test_the_command_tells_the_secrets_and_keeps_them_only_locally(settings, tmp_path, capsys, is_local):
    settings.VAR_DIR, settings.IS_LOCAL = tmp_path, is_local
    call_command("seed_demo")

    told = capsys.readouterr().out
    assert usable_key(told.rpartition("API key")[2].strip())
    assert (tmp_path / "demo.json").exists() == is_local
