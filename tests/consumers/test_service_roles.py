import pytest

from consumers import service_roles
from notifications_site import urls
from notifications_site.env import VARIABLES


def test_ports_are_those_of_the_contract():
    ports = {role.name: role.port(3000) for role in service_roles.SERVICES}

    assert ports == {
        "web": 3000,
        "users": 3001,
        "email_consumer": 3002,
        "push_consumer": 3003,
        "templates": 3005,
        "relay": None,
        "callback_sender": None,
        "sweeper": None,
    }


@pytest.mark.parametrize("word", urls.SETS)
def test_every_set_of_urls_has_a_role(word):
    assert service_roles.web_role(word).command == "run_web"
    assert word in VARIABLES["SERVICE_ROLE"].meaning


def test_without_a_broker_there_is_no_relay():
    assert service_roles.RELAY in service_roles.service_roles(with_relay=True)
    assert service_roles.RELAY not in service_roles.service_roles(with_relay=False)


def test_the_small_duties_of_one_machine_are_registered_as_what_they_are():
    assert service_roles.SMALL_DUTIES.plays == ("callback_sender", "sweeper")
    played = [name for role in service_roles.PLATFORM for name in role.plays or (role.name,)]
    assert played == ["web", "email_consumer", "push_consumer", "callback_sender", "sweeper"]
