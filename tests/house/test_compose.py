"""docker-compose.yml, Dockerfile and the rest around them against the code: no engine is needed for that."""

import re
import subprocess
import sys

import pytest
import yaml
from django.conf import settings
from django.core.management import get_commands, load_command_class

from consumers import service_roles
from consumers.probe_server import answers_of
from consumers.queues import QUEUE_OF
from consumers.service_roles import SERVICES
from deploy import healthcheck
from notifications_site import env, urls
from notifications_site.env import VARIABLES
from tests.ports import own_port
from users.key_ring import read_keys

ROOT = settings.BASE_DIR
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE = yaml.safe_load(TEXT)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
#: Containers of our image, and those of others.
OURS = {name: each for name, each in FILE["services"].items() if each["image"] == "notification-platform"}
SERVERS = ("postgres", "redis", "rabbitmq")
LONG_RUNNING = {name: each for name, each in OURS.items() if name != "migrate"}


def name_of(role):
    """Our roles in the spelling of host names."""
    return role.name.replace("_", "-")


def port_in(service):
    """What the health check asks."""
    return int(service["healthcheck"]["test"][-1])


def port_of(name):
    """Where a container of ours answers: the port of its role, or one that its command names."""
    role = next(role for role in SERVICES if name_of(role) == name)
    return role.port(3000) or int(OURS[name]["command"][OURS[name]["command"].index("--port") + 1])


def test_everybody_has_a_port_of_their_own():
    assert len({port_of(name) for name in LONG_RUNNING}) == len(LONG_RUNNING)


def test_it_starts_exactly_the_services_that_run_services_starts():
    assert set(LONG_RUNNING) == {name_of(role) for role in SERVICES}


@pytest.mark.parametrize("role", SERVICES, ids=name_of)
def test_a_service_plays_its_role(role):
    service = OURS[name_of(role)]

    assert service["command"][0] == role.command
    assert service["environment"].get("SERVICE_ROLE") == role.serves
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_a_command_exists_and_takes_these_options(name):
    command, *options = OURS[name]["command"]

    parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)

    parser.parse_args(options)  # a wrong one raises


@pytest.mark.parametrize("role", [role for role in SERVICES if role.port_offset is not None], ids=name_of)
def test_a_port_is_the_one_of_the_role_and_published_on_loopback(role):
    service, port = OURS[name_of(role)], role.port(3000)

    assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert port_in(service) == port
    # Inside a container loopback is not enough.
    assert service["command"][1:3] == ["--host", "0.0.0.0"]  # noqa: S104  published on loopback


def test_all_five_addresses_of_the_contract_are_there():
    published = {each for service in OURS.values() for each in service.get("ports", [])}

    assert published == {f"127.0.0.1:{port}:{port}" for port in (3000, 3001, 3002, 3003, 3005)}
    assert re.findall(r"\d+", re.search(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)[1]) == [
        str(port) for port in (3000, 3001, 3002, 3003, 3005)
    ]


def test_nothing_is_published_beyond_this_machine():
    for service in FILE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert not any("ports" in FILE["services"][name] for name in SERVERS)


def test_every_queue_has_a_consumer():
    for channel in QUEUE_OF:
        assert OURS[f"{channel.value}-consumer"]["command"][0] == f"run_{channel.value}_consumer"


def test_every_variable_is_a_documented_setting():
    used = {name for service in OURS.values() for name in service["environment"]}

    assert {name.removesuffix("_FILE") for name in used} <= set(VARIABLES)
    assert {"DATABASE_URL_FILE", "RABBITMQ_URL_FILE", "REDIS_URL", "SECRET_KEY_FILE"} <= used


def test_what_a_person_sets_from_outside_is_the_setting_of_that_name():
    for service in OURS.values():
        for name, value in service["environment"].items():
            for given in re.findall(r"\$\{(\w+)", value):
                assert given == name


def test_no_secret_stands_in_the_file():
    for name, service in FILE["services"].items():
        for variable, value in (service.get("environment") or {}).items():
            if re.search("KEY|PASSWORD|TOKEN|DATABASE_URL|RABBITMQ_URL", variable):
                assert variable.endswith("_FILE"), (name, variable)
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert "secrets/" in (ROOT / ".gitignore").read_text()


def test_secrets_volumes_and_networks_are_declared():
    for service in FILE["services"].values():
        named = {each if isinstance(each, str) else each["source"] for each in service.get("secrets", [])}
        assert named <= set(FILE["secrets"])
        sources = {each.partition(":")[0] for each in service.get("volumes", [])}
        assert {each for each in sources if not each.startswith("./")} <= set(FILE["volumes"])
        assert all((ROOT / each).is_dir() for each in sources if each.startswith("./"))
        assert set(service["networks"]) <= set(FILE["networks"])


def test_everything_waits_for_the_migrations_and_those_for_the_database():
    for service in LONG_RUNNING.values():
        assert service["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert OURS["migrate"]["command"][0] == "migrate"
    assert OURS["migrate"]["restart"] == "no"
    assert OURS["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}


def test_who_is_asked_goes_before_what_drains():
    giving_way = {name for name, service in OURS.items() if service.get("cpu_shares", 1024) < 1024}
    assert giving_way == {"email-consumer", "push-consumer", "relay", "callback-sender", "sweeper"}


@pytest.mark.parametrize("name", FILE["services"])
def test_nobody_is_root_and_everybody_has_limits(name):
    service = FILE["services"][name]

    assert service["user"].split(":")[0] not in ("0", "root")
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nowhere_but_where_they_must(name):
    service = OURS[name]

    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["volumes"] == ["var:/var/lib/notifications"]
    assert "VAR_DIR=/var/lib/notifications" in DOCKERFILE


def test_a_stop_leaves_time_to_finish():
    from consumers import loop_process, supervisor, web_server

    longest = max(loop_process.FINISH_WITHIN, supervisor.STOP_WITHIN, web_server.FINISH_WITHIN)
    for service in LONG_RUNNING.values():
        assert int(service["stop_grace_period"].removesuffix("s")) > longest.total_seconds()


@pytest.mark.parametrize("name", [*LONG_RUNNING, *SERVERS])
def test_a_health_check_asks_what_exists(name):
    check = FILE["services"][name]["healthcheck"]

    if name in OURS:
        assert port_in(FILE["services"][name]) == port_of(name)
        assert check["test"][:3] == ["CMD", "python", "deploy/healthcheck.py"]
        assert (ROOT / check["test"][2]).is_file()
    else:
        assert check["test"][0] == "CMD"


def test_the_address_of_the_health_check_is_served_by_web_and_consumers():
    asked = re.search(r'request\("GET", "(/[a-z/]+)"\)', (ROOT / "deploy/healthcheck.py").read_text())[1]

    assert asked in answers_of("email_consumer", still_for=None, is_draining=None)
    assert asked.removeprefix("/") in {str(each.pattern) for each in urls.EVERYWHERE}


def test_without_a_port_the_health_check_knows_that_of_each_web_role():
    assert {word: service_roles.web_role(word).port(3000) for word in urls.SETS} == healthcheck.PORTS


def test_the_health_check_says_no_where_nobody_answers():

    script = [sys.executable, ROOT / "deploy/healthcheck.py", str(own_port())]

    assert subprocess.run(script, check=False).returncode == 1


def test_profiles_are_no_part_of_a_plain_start():
    profiles = {name: each["profiles"] for name, each in FILE["services"].items() if "profiles" in each}

    assert profiles == {"mailpit": ["dev"], "prometheus": ["observability"], "grafana": ["observability"]}
    assert set(FILE["services"]) == {*OURS, *SERVERS, *profiles}


def test_it_is_of_the_present_form():
    assert "version" not in FILE
    known = {"name", "services", "networks", "volumes", "secrets"}
    assert {name for name in FILE if not name.startswith("x-")} == known
    assert "<<" not in str(FILE)  # merged, not left over


# --- Dockerfile -------------------------------------------------------------------------------------------------------


def packages():
    """The folders that Python imports at run time."""
    return {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "deploy"}


def test_the_image_holds_every_app_and_no_tests():
    copied = re.findall(r"^COPY (\w+) \1/$", DOCKERFILE, re.MULTILINE)

    assert set(copied) == packages()
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert set(copied) | {"manage.py", "requirements.txt", "deploy/healthcheck.py"} == {
        line.removeprefix("!") for line in ignored if line.startswith("!")
    }


def test_the_image_is_not_root_and_installs_by_hash():
    last_stage = DOCKERFILE.rpartition("FROM ")[2]

    assert re.findall(r"^USER (.*)$", last_stage, re.MULTILINE) == ["10001:10001"]
    assert OURS["web"]["user"] == "10001:10001"
    assert "--require-hashes -r /requirements.txt" in DOCKERFILE
    assert len(re.findall(r"^FROM ", DOCKERFILE, re.MULTILINE)) == 2


def test_the_image_knows_the_commit_it_is_built_of():
    last_stage = DOCKERFILE.rpartition("FROM ")[2]

    assert last_stage.index("ARG BUILD_COMMIT") < last_stage.index("ENV BUILD_COMMIT=$BUILD_COMMIT")
    assert {each["build"]["args"]["BUILD_COMMIT"] for each in OURS.values()} == {"${BUILD_COMMIT:-}"}


def test_the_image_serves_by_itself_and_tells_how_it_is():
    assert 'ENTRYPOINT ["python", "manage.py"]' in DOCKERFILE
    assert f"CMD {OURS['web']['command']}".replace("'", '"') in DOCKERFILE
    assert 'CMD ["python", "deploy/healthcheck.py"]' in DOCKERFILE


def test_images_come_from_no_named_registry():
    images = {each["image"] for each in FILE["services"].values()} | set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.M))

    assert not [image for image in images if "." in image.split("/")[0] and "/" in image]


# --- secrets ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def make_secrets(tmp_path):
    def make():
        subprocess.run([ROOT / "deploy/make-secrets.sh", tmp_path], check=True, capture_output=True)
        return {path.name: path.read_text() for path in tmp_path.iterdir()}

    return make


def test_the_secrets_are_all_made_and_can_be_read(make_secrets, monkeypatch, tmp_path):
    made = make_secrets()

    assert {each["file"].removeprefix("secrets/") for each in FILE["secrets"].values()} <= set(made)
    assert len(made["secret_key"].strip()) >= 50
    assert [key.id for key in read_keys(made["encryption_keys"].strip())] == ["k1"]
    assert len(made["blind_index_key"].strip()) >= 32
    monkeypatch.setattr(env, "VARIABLES", {})
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "database_url"))
    found = env.database("DATABASE_URL", {}, meaning="", shown_default="")
    server = FILE["services"]["postgres"]["environment"]
    assert (found["HOST"], found["NAME"], found["USER"]) == ("postgres", server["POSTGRES_DB"], server["POSTGRES_USER"])
    assert found["PASSWORD"] == made["postgres_password"].strip()
    monkeypatch.delenv("RABBITMQ_URL", raising=False)
    monkeypatch.setenv("RABBITMQ_URL_FILE", str(tmp_path / "rabbitmq_url"))
    assert "@rabbitmq:5672/" in env.broker_url("RABBITMQ_URL", meaning="")
    assert f"default_pass = {made['rabbitmq_password']}" in made["rabbitmq.conf"]


def test_what_is_there_stays(make_secrets):
    assert make_secrets() == make_secrets()
