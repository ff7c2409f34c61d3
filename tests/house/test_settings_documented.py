"""Every environment variable is in .env.example, with its meaning, and is named like its setting."""

import re

import pytest
from django.conf import settings

from notifications_site.env import VARIABLES

EXAMPLE = (settings.BASE_DIR / ".env.example").read_text(encoding="utf-8")
#: Variables that become several settings, or one of another name, and which.
OTHER_NAME = {"DATABASE_URL": "DATABASES"}


def test_there_are_variables_to_look_at():
    assert {"PORT", "DATABASE_URL", "EMAIL_PROVIDERS"} <= set(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_in_the_example_with_meaning_and_default(name):
    variable = VARIABLES[name]
    entry = f"# {variable.meaning}\n# Default: {variable.default or 'none'}\n#{name}=\n"

    assert entry in EXAMPLE, f"Run `make reference`. This is missing:\n{entry}"


def test_the_example_names_no_variable_that_nobody_reads():
    assert re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE) == list(VARIABLES)


def test_the_example_sets_nothing():
    assert not [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("name", VARIABLES)
def test_a_variable_is_named_like_its_setting(name):
    assert hasattr(settings, OTHER_NAME.get(name, name))


@pytest.mark.parametrize("name", VARIABLES)
def test_a_meaning_is_a_sentence_without_machine_paths(name):
    variable = VARIABLES[name]

    assert variable.meaning[0].isupper()
    assert variable.meaning.endswith(".")
    assert str(settings.BASE_DIR) not in variable.meaning + variable.default
