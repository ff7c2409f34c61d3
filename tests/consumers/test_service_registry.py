import os
import subprocess
import sys

import pytest
from django.db.models.functions import Now

from consumers import service_registry
from consumers.models import ServiceInstance
from tests.factories import ago

pytestmark = pytest.mark.django_db

State = ServiceInstance.State


def silent_since(instance, **how_long):
    ServiceInstance.objects.filter(pk=instance.pk).update(heartbeat_at=ago(**how_long))


def test_a_process_that_registers_is_starting_and_counts_as_alive(settings):
    made = service_registry.register(role="email_consumer", port=3002)

    row = ServiceInstance.objects.get(pk=made.pk)
    assert (row.role, row.port, row.pid, row.state) == ("email_consumer", 3002, os.getpid(), State.STARTING)
    assert row.version == settings.VERSION
    assert service_registry.alive() == {"email_consumer": 1}


def test_a_heartbeat_tells_state_and_time():
    made = service_registry.register(role="sweeper", port=None)
    silent_since(made, seconds=29)

    service_registry.heartbeat(made, State.RUNNING)

    row = ServiceInstance.objects.annotate(now=Now()).get(pk=made.pk)
    assert row.state == State.RUNNING
    assert (row.now - row.heartbeat_at).total_seconds() < 25


@pytest.mark.parametrize("state", [State.DRAINING, State.STOPPED])
def test_who_leaves_does_not_count_as_alive(state):
    made = service_registry.register(role="sweeper", port=None)

    service_registry.heartbeat(made, state)

    assert service_registry.alive() == {}


def test_who_is_silent_does_not_count_as_alive():
    silent_since(service_registry.register(role="email_consumer", port=3002), seconds=31)
    silent_since(service_registry.register(role="push_consumer", port=3003), seconds=20)

    assert service_registry.alive() == {"push_consumer": 1}


@pytest.fixture
def neighbour():
    """A process of this host that does nothing; what it registered under, until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    row = service_registry.register(role="email_consumer", port=3102)
    ServiceInstance.objects.filter(pk=row.pk).update(pid=process.pid)
    yield process, row
    process.kill()
    process.communicate()


def test_processes_of_one_role_are_counted(neighbour):
    service_registry.register(role="email_consumer", port=3002)

    assert service_registry.alive()["email_consumer"] == 2
    assert service_registry.alive()["push_consumer"] == 0


def test_who_was_killed_does_not_count_beside_the_one_that_takes_its_place(neighbour):
    process, row = neighbour
    process.kill()
    process.wait()
    assert service_registry.alive() == {"email_consumer": 1}  # nobody can know yet

    made = service_registry.register(role="email_consumer", port=3002)

    assert service_registry.alive() == {"email_consumer": 1}
    assert dict(ServiceInstance.objects.values_list("pk", "state")) == {row.pk: State.STOPPED, made.pk: State.STARTING}


def test_a_container_that_is_started_again_under_the_same_number_counts_once():
    for _ in range(2):
        service_registry.register(role="email_consumer", port=3002)

    assert service_registry.alive() == {"email_consumer": 1}


def test_nothing_is_known_of_processes_of_another_host_or_another_user(neighbour):
    _, row = neighbour
    ServiceInstance.objects.filter(pk=row.pk).update(pid=1)  # it lives, and is not ours to signal
    far = service_registry.register(role="push_consumer", port=None)
    ServiceInstance.objects.filter(pk=far.pk).update(host="elsewhere", role="email_consumer", pid=2**22)

    service_registry.register(role="email_consumer", port=3002)

    assert service_registry.alive() == {"email_consumer": 3}


def test_the_dead_are_forgotten_after_a_day():
    silent_since(service_registry.register(role="web", port=3000), hours=25)
    kept = service_registry.register(role="web", port=3000)
    silent_since(kept, hours=23)

    assert service_registry.forget_dead() == 1
    assert ServiceInstance.objects.get() == kept


def test_who_was_forgotten_in_its_sleep_comes_back():
    made = service_registry.register(role="web", port=3000)
    silent_since(made, hours=25)
    service_registry.forget_dead()

    service_registry.heartbeat(made, State.RUNNING)

    assert ServiceInstance.objects.get().pk == made.pk
    assert service_registry.alive() == {"web": 1}
