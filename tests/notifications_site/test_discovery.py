import pytest

from consumers import service_registry
from consumers.models import ServiceInstance
from tests.factories import ago
from users.api_keys import create_api_key

pytestmark = pytest.mark.django_db

State = ServiceInstance.State
URL = "/api/v1/services/"


@pytest.fixture
def ask(client):
    _, key = create_api_key(name="watcher", client="watcher", scopes=["services:read"])
    return lambda query="": client.get(URL + query, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def processes():
    """One of each state."""
    made = {state: service_registry.register(role="web", port=3000) for state in State}
    for state, instance in made.items():
        service_registry.heartbeat(instance, state)
    made["stale"] = service_registry.register(role="email_consumer", port=3002)
    service_registry.heartbeat(made["stale"], State.RUNNING)
    ServiceInstance.objects.filter(pk=made["stale"].pk).update(heartbeat_at=ago(seconds=31))
    return {str(instance.pk): str(state) for state, instance in made.items()}


def states(response):
    return {each["id"]: each["state"] for each in response.json()["results"]}


def test_a_process_is_shown_as_it_registered(ask, settings):
    made = service_registry.register(role="email_consumer", port=3002)

    body = ask().json()

    [shown] = body["results"]
    assert (body["next"], body["previous"]) == (None, None)
    assert (shown["id"], shown["role"], shown["port"], shown["pid"]) == (str(made.pk), "email_consumer", 3002, made.pid)
    assert (shown["version"], shown["state"]) == (settings.VERSION, "starting")
    assert shown["health_url"] == f"http://{made.host}:3002/health"
    assert shown["started_at"].endswith("Z")


def test_a_process_without_a_port_has_no_health_url(ask):
    service_registry.register(role="sweeper", port=None)

    [shown] = ask().json()["results"]
    assert (shown["port"], shown["health_url"]) == (None, None)


def test_all_but_the_stopped_are_shown(ask, processes):
    assert states(ask()) == {pk: state for pk, state in processes.items() if state != "stopped"}


@pytest.mark.parametrize("wanted", ["stopped", "stale", "running", "draining,stopped"])
def test_states_can_be_chosen_and_silence_is_one_of_them(ask, processes, wanted):
    chosen = wanted.split(",")

    assert states(ask(f"?state={wanted}")) == {pk: state for pk, state in processes.items() if state in chosen}


def test_the_list_has_pages_as_every_other(ask, processes):
    first = ask("?state=running,starting,stale&page_size=2&count=true").json()
    second = ask(first["next"].removeprefix(URL)).json()

    assert (len(first["results"]), len(second["results"]), first["count"]) == (2, 1, 3)
    assert (first["previous"], second["next"]) == (None, None)


def test_roles_can_be_chosen(ask, processes):
    assert set(states(ask("?role=email_consumer")).values()) == {"stale"}
    assert len(states(ask("?role=email_consumer,web"))) == 4


@pytest.mark.parametrize(("query", "pointer"), [("?role=cook", "?role"), ("?state=dead", "?state")])
def test_what_there_is_not_is_named(ask, query, pointer):
    response = ask(query)

    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "invalid_choice")
    assert "there are" in error["detail"]


def test_another_scope_is_not_enough(client):
    _, key = create_api_key(name="shop", client="shop", scopes=["notifications:write"])

    response = client.get(URL, headers={"Authorization": f"Bearer {key}"})

    assert (response.status_code, response.json()["required_scope"]) == (403, "services:read")


# --- for Prometheus ---------------------------------------------------------------------------------------------------

TARGETS = "/api/v1/services/prometheus/"


def test_prometheus_is_told_what_runs_and_answers_at_a_port(client, processes, settings):
    settings.METRICS_TOKEN = "token-of-prometheus"
    sweeper = service_registry.register(role="sweeper", port=None)
    service_registry.heartbeat(sweeper, State.RUNNING)

    response = client.get(TARGETS, headers={"Authorization": "Bearer token-of-prometheus"})

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    host = sweeper.host
    entry = {"targets": [f"{host}:3000"], "labels": {"role": "web", "version": settings.VERSION}}
    assert response.json() == [entry, entry]  # one runs, one drains


@pytest.mark.parametrize(("scopes", "status"), [(["metrics:read"], 200), (["services:read"], 403)])
def test_a_key_needs_the_scope_for_it(client, scopes, status):
    _, key = create_api_key(name="watcher", client="watcher", scopes=scopes)

    assert client.get(TARGETS, headers={"Authorization": f"Bearer {key}"}).status_code == status


def test_the_token_opens_nothing_else(client, settings):
    settings.METRICS_TOKEN = "token-of-prometheus"

    assert client.get(URL, headers={"Authorization": "Bearer token-of-prometheus"}).status_code == 401
