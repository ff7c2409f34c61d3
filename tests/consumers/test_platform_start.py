import shlex
import socket
import threading

import pytest

from consumers import platform_start
from consumers.platform_start import CannotStart, welcome
from consumers.process_locks import engine_shared, only_platform
from consumers.service_roles import PLATFORM
from gateway.demo_data import CLIENT, DemoSecrets, is_seeded, kept_secrets
from gateway.statuses import Status
from tests.consumers.engine import claim, now_as, several
from tests.factories import ApiKeyFactory
from tests.ports import own_port

SECRETS = DemoSecrets(admin_password="hush", api_key="ntf_live_abc")


@pytest.fixture
def seeded(db):
    """There is a demo already: to make it takes a while."""
    ApiKeyFactory(client=CLIENT)


def run_platform(say):
    platform_start.run_platform(say, check=lambda: None)


@pytest.fixture(autouse=True)
def plans(settings, tmp_path, monkeypatch):
    """By which plans this process would have become a supervisor."""
    settings.VAR_DIR = tmp_path
    settings.PORT = own_port(2, 3)
    settings.PUBLIC_URL = f"http://127.0.0.1:{settings.PORT}"
    noted = []
    monkeypatch.setattr(platform_start, "become_supervisor", lambda plan, command: noted.append(plan))
    monkeypatch.setattr(platform_start.connections, "close_all", lambda: None)  # the test still needs its own
    return noted


def names(plan):
    return [child.name for child in plan.children]


@pytest.mark.django_db
class TestStart:
    def test_the_first_start_loads_the_demo_and_starts_every_role(self, tmp_path, plans):
        run_platform(lambda text: None)

        assert is_seeded()
        assert kept_secrets(tmp_path).api_key
        (plan,) = plans
        assert names(plan) == [role.name for role in PLATFORM]
        assert kept_secrets(tmp_path).api_key in plan.welcome

    def test_with_rabbitmq_a_relay_is_started_too(self, settings, seeded, plans):
        settings.RABBITMQ_URL = "amqp://mq.internal/"

        run_platform(lambda text: None)

        assert names(plans[0]) == [*(role.name for role in PLATFORM), "relay"]

    def test_the_second_start_leaves_the_data_alone(self, tmp_path):
        run_platform(lambda text: None)
        before = kept_secrets(tmp_path)
        said = []

        run_platform(said.append)

        assert kept_secrets(tmp_path) == before
        assert "Loading the demo data …" not in said

    def test_elsewhere_than_locally_there_is_no_demo(self, settings):
        settings.IS_LOCAL = False

        run_platform(lambda text: None)

        assert not is_seeded()

    def test_what_a_crash_left_behind_is_taken_up_at_once(self, settings, seeded):
        (notification,) = several(1)
        claim(notification)
        said = []

        run_platform(said.append)

        is_one_machine = "sqlite" in settings.DATABASES["default"]["ENGINE"]
        assert now_as(notification).status == (Status.ACCEPTED if is_one_machine else Status.CLAIMED)
        assert any(text.startswith("Took up 1 ") for text in said) == is_one_machine

    def test_nothing_is_taken_from_a_consumer_that_is_alive(self, tmp_path, seeded):
        (notification,) = several(1)
        claim(notification)

        with engine_shared(tmp_path, stopping=threading.Event()):
            run_platform(lambda text: None)

        assert now_as(notification).status == Status.CLAIMED


def test_wrong_settings_stop_the_start_before_anything_is_prepared():
    def fail():
        raise RuntimeError("wrong settings")

    said = []
    with pytest.raises(RuntimeError, match="wrong settings"):
        platform_start.run_platform(said.append, check=fail)

    assert said == []


def refusal():
    with pytest.raises(CannotStart) as caught:
        run_platform(lambda text: None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_second_platform_is_told_where_the_first_is(tmp_path):
    with only_platform(tmp_path, address="http://127.0.0.1:3000"):
        told = refusal()

    assert told.startswith("The platform is already running at http://127.0.0.1:3000 (process ")


@pytest.mark.parametrize("offset", [0, 2, 3])
def test_a_busy_port_is_said_with_a_remedy_that_works(settings, offset):
    with socket.create_server(("127.0.0.1", settings.PORT + offset)):
        told = refusal()

    start, _, remedy = told.partition(" Choose another: PORT=")
    assert start == f"Port {settings.PORT + offset} is in use."
    base = int(remedy.removesuffix(" make run"))
    assert all(platform_start.ports.is_free(base + each) for each in (0, 2, 3))


def test_after_a_killed_platform_its_processes_get_time_to_leave(settings, tmp_path, seeded):
    (tmp_path / "platform.lock").write_text('{"pid": 1, "address": "http://127.0.0.1:3000"}')
    orphan = socket.create_server(("127.0.0.1", settings.PORT))
    threading.Timer(0.5, orphan.close).start()

    run_platform(lambda text: None)


def test_the_welcome_has_all_one_needs(settings):
    text = welcome(SECRETS)

    url = settings.PUBLIC_URL
    for needed in (f"{url}/\n", f"{url}/admin/", f"{url}/api/docs", "admin@example.com   hush", "ntf_live_abc"):
        assert needed in text
    command = text[text.index("curl -X POST") : text.index("Ask where")]
    assert "Authorization: Bearer ntf_live_abc" in shlex.split(command)
    assert f"{url}/api/v1/notifications/ID/status" in text


def test_the_welcome_shows_no_request_that_would_fail():
    text = welcome(DemoSecrets())

    assert "curl" not in text
    assert "create_api_key" in text
    assert "with the password you chose" in text


def test_elsewhere_than_locally_the_welcome_tells_no_secrets():
    text = welcome(None)

    assert "API key" not in text
    assert "/admin/" in text
