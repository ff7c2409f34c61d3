"""A consumer is one of many processes: what it never uses must not be in its memory."""

import os
import subprocess
import sys

import pytest

#: The API framework and what comes with it; vendors' libraries come with the provider that needs them.
NOT_NEEDED = (
    "rest_framework.serializers",
    "rest_framework_simplejwt.tokens",
    "anymail",
    "requests",
    "firebase_admin",
    "openpyxl",
    "pika",
    "mrml",
    "css_inline",
)
LOOPS = ("run_email_consumer", "run_push_consumer", "run_sweeper", "run_callback_sender", "run_small_duties")
SCRIPT = """
import sys, django
from django.core.management import load_command_class
django.setup()
load_command_class("consumers", sys.argv[1])
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""


def loaded(script, *arguments):
    """Those of the named modules that a fresh process has loaded after this script."""
    # As where nothing is set: some of them are for a server that an address stands for.
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.split()


@pytest.mark.parametrize("command", LOOPS)
def test_a_consumer_loads_no_api_framework_and_no_library_of_a_vendor(command):
    assert loaded(SCRIPT, command, *NOT_NEEDED) == []


@pytest.mark.parametrize("command", ["run_web", "run_sweeper", "run_callback_sender", "run_small_duties"])
def test_who_delivers_nothing_loads_nothing_of_delivery(command):
    assert loaded(SCRIPT, command, "consumers.delivery", "consumers.breakers", "pybreaker", "redis") == []


def test_the_supervisor_loads_no_django():
    script = "import sys, notifications_site.supervisor_entry; print(*(n for n in sys.argv[1:] if n in sys.modules))"
    assert loaded(script, "django", "cryptography", "notifications_site.settings") == []
