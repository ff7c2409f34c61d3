"""A consumer is one of many processes: what it never uses must not be in its memory."""

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
)
SCRIPT = """
import sys, django
from django.core.management import load_command_class
django.setup()
load_command_class("consumers", sys.argv[1])
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""


@pytest.mark.parametrize("command", ["run_email_consumer", "run_push_consumer", "run_sweeper", "run_callback_sender"])
def test_a_consumer_loads_no_api_framework_and_no_library_of_a_vendor(command):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, command, *NOT_NEEDED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
