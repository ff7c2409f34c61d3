from io import StringIO

import pytest
from django.core.management import load_command_class
from django.core.management.base import SystemCheckError

COMMANDS = ["run_platform", "run_services", "run_web", "run_email_consumer", "run_relay", "run_sweeper"]


def command_named(name):
    command = load_command_class("consumers", name)
    command.stderr = command.stdout = StringIO()
    command.stderr.isatty = lambda: False
    return command


@pytest.fixture
def checked(monkeypatch):
    """What Django was asked to check."""
    asked = []
    monkeypatch.setattr("django.core.checks.run_checks", lambda **options: asked.append(options) or [])
    return asked


@pytest.mark.parametrize("name", COMMANDS)
def test_elsewhere_a_start_looks_as_closely_as_before_a_deployment(name, settings, checked):
    settings.IS_LOCAL = False

    command_named(name).check()

    assert checked[0]["include_deployment_checks"] is True


def test_locally_it_does_not(checked):
    command_named("run_web").check()

    assert checked[0]["include_deployment_checks"] is False


def test_an_error_stops_the_start_and_says_what_to_do(settings):
    settings.IS_LOCAL, settings.ENVIRONMENT = False, "production"
    settings.EMAIL_PROVIDERS = ["capture"]

    with pytest.raises(SystemCheckError, match=r"notify.E002.*\n.*HINT: Set EMAIL_PROVIDERS to a provider"):
        command_named("run_web").check(tags=["notify"])
