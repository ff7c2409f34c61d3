"""What a process knows of the stored settings, and what providers are given."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from structlog.testing import capture_logs

from gateway.models import ProviderSetting
from gateway.provider_set_up import GivenByEnvironment, _store, forget_setting, store_settings
from gateway.provider_settings import ProviderField, known_fields, provider_setting
from gateway.stored_settings import FOLLOW_EVERY, PURPOSE, StoredSettings
from users.audit_models import AuditEntry
from users.encryption import seal
from users.key_ring import read_keys
from users.key_rotation import rotate_encryption_keys

URL = "smtp+tls://shop:s3cret-word@mail.example.com:587"


class Table:
    """Stands in for the table."""

    def __init__(self) -> None:
        self.rows = {}
        self.is_away = False
        self.questions = 0

    def __call__(self):
        self.questions += 1
        if self.is_away:
            raise OperationalError("gone")
        return [(name, seal(text, purpose=PURPOSE, owner=name)) for name, text in self.rows.items()]


def test_the_table_is_asked_once_in_a_while_however_often_somebody_wants_to_know():
    table, now = Table(), 100.0
    here = StoredSettings(table, clock=lambda: now)
    for _ in range(100):
        here.follow()
    assert table.questions == 1
    table.rows["EMAIL_URL"] = URL
    now += FOLLOW_EVERY.total_seconds()
    here.follow()
    assert here.text("EMAIL_URL") == URL
    here.follow(at_once=True)
    assert table.questions == 3


@pytest.mark.django_db
def test_while_the_table_is_away_the_last_known_values_go_on():
    table = Table()
    table.rows["EMAIL_URL"] = URL
    here = StoredSettings(table)
    here.follow()
    table.is_away = True
    with capture_logs() as lines:
        here.follow(at_once=True)
        here.follow(at_once=True)
    assert here.value("EMAIL_URL", str) == URL
    assert len(lines) == 1  # said once
    table.is_away = False
    del table.rows["EMAIL_URL"]
    here.follow(at_once=True)
    assert here.value("EMAIL_URL", str) is None


def test_what_cannot_be_opened_or_read_is_left_out_and_said_without_its_value():
    table = Table()
    table.rows |= {"EMAIL_URL": URL, "VAPID_SUBJECT": "mailto:ops@example.com"}
    here = StoredSettings(lambda: [(name, "v2.gone.AAAA" if name == "EMAIL_URL" else value) for name, value in table()])
    with capture_logs() as lines:
        here.follow()
        assert here.value("EMAIL_URL", str) is None
        assert here.value("VAPID_SUBJECT", int) is None
        assert here.value("VAPID_SUBJECT", int) is None
    assert [line["setting"] for line in lines] == ["EMAIL_URL", "VAPID_SUBJECT"]
    assert "ops@" not in str(lines)


def test_a_value_opens_only_under_the_name_it_was_stored_for(stored_settings_followed):
    _store("ONESIGNAL_API_KEY", "very-secret-key", "Olga")
    row = ProviderSetting.objects.get()
    assert "very-secret" not in row.value
    ProviderSetting.objects.create(name="ONESIGNAL_APP_ID", value=row.value)
    assert provider_setting("ONESIGNAL_API_KEY") == "very-secret-key"
    assert provider_setting("ONESIGNAL_APP_ID") == ""


def test_the_environment_wins_over_what_is_stored(stored_settings_followed, settings):
    store_settings(provider="smtp", texts={"EMAIL_URL": URL}, by="Olga")
    assert provider_setting("EMAIL_URL") == URL
    settings.EMAIL_URL = "smtp://other.example.com"
    assert provider_setting("EMAIL_URL") == "smtp://other.example.com"
    with pytest.raises(GivenByEnvironment, match="EMAIL_URL is set by the environment"):
        store_settings(provider="smtp", texts={"EMAIL_URL": URL}, by="Olga")


def test_what_is_no_field_comes_from_the_settings_alone(settings):
    settings.FCM_URL = "http://127.0.0.1:9"
    assert provider_setting("FCM_URL") == "http://127.0.0.1:9"


def test_every_field_has_a_setting_that_is_empty_without_the_environment(settings):
    for name, field in known_fields().items():
        assert not getattr(settings, name), name
        assert field.label


def test_what_cannot_be_read_is_not_stored(stored_settings_followed):
    with pytest.raises(ValueError, match="smtp"):
        store_settings(provider="smtp", texts={"EMAIL_URL": "http://mail"}, by="Olga")
    assert not ProviderSetting.objects.exists()


def test_the_audit_log_names_the_setting_and_never_its_value(stored_settings_followed):
    assert store_settings(provider="smtp", texts={"EMAIL_URL": URL}, by="Olga") == ["EMAIL_URL"]
    assert store_settings(provider="smtp", texts={"EMAIL_URL": URL}, by="Olga") == []
    assert forget_setting(provider="smtp", name="EMAIL_URL", by="Olga", why="moved")
    assert not forget_setting(provider="smtp", name="EMAIL_URL", by="Olga", why="moved")
    lines = list(AuditEntry.objects.order_by("pk"))
    assert [line.what for line in lines] == ["provider.settings_stored", "provider.setting_removed"]
    assert lines[0].after == {"settings": ["EMAIL_URL"]}
    assert "s3cret" not in str([(line.before, line.after, line.about_name) for line in lines])
    assert provider_setting("EMAIL_URL") == ""


def test_a_new_key_takes_the_stored_settings_over(stored_settings_followed, settings):
    _store("EMAIL_URL", URL, "Olga")
    settings.ENCRYPTION_KEYS = (*read_keys(f"new:{'n' * 32}"), *settings.ENCRYPTION_KEYS)
    done = {each.name: each.rows for each in rotate_encryption_keys()}
    assert done["gateway.ProviderSetting"] == 1
    assert ProviderSetting.objects.get().value.startswith("v2.new.")
    assert provider_setting("EMAIL_URL") == URL


def test_without_a_key_nothing_is_stored(stored_settings_followed, settings):
    settings.ENCRYPTION_KEYS = ()
    with pytest.raises(ImproperlyConfigured):
        _store("EMAIL_URL", URL, "Olga")


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", ""), ("short", "…"), ("a-long-secret-that-ends-in-1234", "… 1234")],
)
def test_of_a_secret_only_its_end_is_shown(text, shown):
    field = ProviderField(setting="X", label="X", is_secret=True)
    assert field.shown(text) == shown


def test_a_mail_server_is_recognised_without_user_and_password():
    assert known_fields()["EMAIL_URL"].shown(URL) == "smtp+tls://mail.example.com:587"
