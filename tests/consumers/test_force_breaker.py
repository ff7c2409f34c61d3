"""`manage.py force_breaker`."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from gateway import provider_states
from gateway.models import BreakerTransition, ProviderState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def providers(settings):
    settings.EMAIL_PROVIDERS, settings.PUSH_PROVIDERS = ["smtp", "capture"], ["fcm", "capture"]


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("force_breaker", *arguments, stdout=out)
    return out.getvalue()


def state(channel: str, provider: str):
    return next(each for each in provider_states.read_all(channel) if each.provider == provider)


def test_a_provider_is_forced_open_for_a_while_though_no_consumer_has_run_yet():
    assert run("smtp", "open", "--minutes", "30", "--reason", "maintenance") == (
        "smtp (email): forced open for 30 minutes. Processes follow within 2 s.\n"
    )
    assert state("email", "smtp").forced == "open"
    assert timedelta(minutes=29) < state("email", "smtp").forced_for <= timedelta(minutes=30)
    row = ProviderState.objects.get(provider="smtp")
    assert row.forced_why == "maintenance"
    assert "@" in row.forced_by


def test_auto_takes_it_back():
    run("smtp", "closed", "--reason", "it must go on")
    run("smtp", "auto", "--reason", "done")
    assert state("email", "smtp").forced == ""
    assert list(BreakerTransition.objects.values_list("change", flat=True)) == ["forced_closed", "automatic"]


def test_a_provider_of_both_channels_is_forced_in_both_or_in_one():
    given = json.loads(run("capture", "open", "--reason", "x", "--json"))
    assert given == {"provider": "capture", "wish": "open", "channels": ["email", "push"], "minutes": None}
    run("capture", "auto", "--reason", "x")
    run("capture", "open", "--reason", "x", "--channel", "push")
    assert (state("push", "capture").forced, state("email", "capture").forced) == ("open", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("smpt", "open", "--reason", "x"), "'smpt' is no provider in use; there are capture, fcm, smtp."),
        (("fcm", "open", "--reason", "x", "--channel", "email"), "there are capture, smtp."),
        (("smtp", "auto", "--reason", "x", "--minutes", "5"), "auto has no end"),
        (("smtp", "open", "--reason", "x", "--minutes", "10081"), "a week (10080) is the most"),
        (("smtp", "open", "--reason", "  "), "--reason needs 1 to 200 printable characters"),
        (("smtp", "open", "--reason", "a\nb"), "--reason needs"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error_that_says_why(arguments, words):
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert words in str(error.value)
    assert error.value.returncode == 2
    assert not BreakerTransition.objects.exists()


@pytest.mark.parametrize("arguments", [("smtp", "shut", "--reason", "x"), ("smtp", "open"), ("smtp",)])
def test_a_wrong_or_missing_argument_is_refused(arguments):
    with pytest.raises(CommandError):
        run(*arguments)
