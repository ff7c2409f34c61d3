"""The lists of live services and of alerts."""

import pytest

from consumers.models import Alert, ServiceInstance
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import UserFactory, ago

pytestmark = pytest.mark.django_db

LIST = "/admin/consumers/serviceinstance/"


def instance(**fields):
    given = {"role": "email_consumer", "host": "box-1", "port": 3002, "pid": 4711, "version": "0.1.0"}
    return ServiceInstance.objects.create(**given | {"state": ServiceInstance.State.RUNNING} | fields)


@pytest.fixture
def client():
    return signed_in(owner())


def test_a_process_is_shown_with_address_version_and_state(client):
    instance()
    text = page(client, LIST)
    for words in ("email_consumer", "box-1:3002", "4711", "0.1.0", "Running", "s ago"):
        assert words in text


def test_a_process_without_a_port_is_shown_by_its_host(client):
    instance(role="sweeper", port=None)
    assert "box-1:" not in page(client, LIST)


@pytest.mark.parametrize(("seconds", "word"), [(25, "Running"), (35, "Silent")])
def test_who_is_not_heard_of_for_30_seconds_is_called_silent(client, seconds, word):
    instance(heartbeat_at=ago(seconds=seconds))
    assert f">{word}<" in page(client, LIST)


def test_who_has_said_goodbye_is_not_called_silent(client):
    instance(state=ServiceInstance.State.STOPPED, heartbeat_at=ago(hours=1))
    text = page(client, LIST)
    assert ">Stopped<" in text
    assert ">Silent<" not in text


def test_the_list_asks_little_of_the_database(client):
    for pid in range(20):
        instance(pid=pid)
    assert len(queries_of(client, LIST)) <= MOST_QUERIES


def test_nothing_can_be_changed(client):
    row = instance()
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403


def test_an_empty_list_says_what_would_be_here(client):
    assert "No process has registered" in page(client, LIST)


def test_nobody_looks_without_permission():
    assert signed_in(staff()).get(LIST).status_code == 403


# --- alerts -----------------------------------------------------------------------------------------------------------

ALERTS = "/admin/consumers/alert/"


def alert(**fields):
    given = {"kind": Alert.Kind.OLDEST_DUE, "sentence": "3 messages due for over a minute.", "told_at": ago(minutes=5)}
    return Alert.objects.create(**given | fields)


def test_an_alert_is_shown_with_who_was_told(client):
    alert(told_by="mail,webhook", since=ago(minutes=10))
    text = page(client, ALERTS)
    for words in ("Messages wait too long", ">Lasts<", "3 messages due", "mail, webhook", "10 min ago"):
        assert words in text


def test_an_alert_that_is_over_says_until_when(client):
    alert(over_at=ago(minutes=2))
    text = page(client, ALERTS)
    assert ">Over<" in text
    assert "until" in text


def test_a_way_that_does_not_work_is_named(client):
    alert(told_by="webhook", waits_for="mail", try_count=4)
    assert "webhook; mail does not work, tried 4 times" in page(client, ALERTS)


def test_where_nobody_can_be_told_the_list_says_what_to_set(client):
    alert()
    assert "nobody: neither ALERT_EMAILS nor ALERT_WEBHOOK_URL is set" in page(client, ALERTS)


def test_without_alerts_the_list_says_what_would_be_there(client):
    assert "manage.py send_test_alert" in page(client, ALERTS)


def test_alerts_are_for_those_who_may_see_them():
    assert signed_in(UserFactory(is_staff=True)).get(ALERTS).status_code == 403
    assert signed_in(staff("consumers.view_alert")).get(ALERTS).status_code == 200
