import os
from pathlib import Path

import pytest
from prometheus_client import values

from consumers import metrics_page
from consumers.metrics_page import FOLDER_VARIABLE, page_of_consumer, page_of_web, refusal, shared_by_workers
from users.api_keys import create_api_key

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-32-characters-or-more"


@pytest.fixture(autouse=True)
def _elsewhere(settings, tmp_path):
    settings.IS_LOCAL, settings.METRICS_TOKEN, settings.VAR_DIR = False, TOKEN, tmp_path


def key_with(*scopes):
    return create_api_key(name="watcher", client="watcher", scopes=scopes)[1]


# --- who may read it --------------------------------------------------------------------------------------------------


def test_the_token_opens_it():
    assert refusal(f"Bearer {TOKEN}") is None


def test_a_key_with_the_scope_opens_it():
    assert refusal(f"Bearer {key_with('metrics:read')}") is None


@pytest.mark.parametrize("shown", ["", "Basic YTpi", "Bearer", f"bearer {TOKEN} more"])
def test_without_credentials_nobody_gets_in(shown):
    assert refusal(shown) == "not_authenticated"


@pytest.mark.parametrize("shown", ["Bearer wrong", "Bearer ntf_live_wrong", "Bearer \xe4"])
def test_wrong_credentials_do_not_open_it(shown):
    assert refusal(shown) == "invalid_api_key"


def test_a_key_for_other_things_does_not_open_it():
    assert refusal(f"Bearer {key_with('services:read')}") == "insufficient_scope"


def test_an_empty_token_in_the_settings_opens_nothing(settings):
    settings.METRICS_TOKEN = ""

    assert refusal("Bearer ") == "not_authenticated"


def test_locally_it_is_open(settings):
    settings.IS_LOCAL = True

    assert refusal("") is None


# --- what it says -----------------------------------------------------------------------------------------------------


def test_a_consumer_tells_what_it_counts_and_what_it_is():
    text = page_of_consumer().decode()

    assert "# TYPE notify_delivery_attempts_total counter" in text
    assert 'notify_build_info{commit="",version="' in text
    assert "notify_queue_messages" not in text


@pytest.mark.parametrize(("role", "tells"), [("all", True), ("gateway", True), ("users", False), ("templates", False)])
def test_one_web_role_tells_what_the_tables_hold(settings, role, tells):
    settings.SERVICE_ROLE = role
    metrics_page._tables.cache_clear()

    assert (b"notify_queue_messages{" in page_of_web()) is tells


# --- shared by workers ------------------------------------------------------------------------------------------------


def count_as(pid, many):
    """As the web worker with this process id would."""
    worker = values.MultiProcessValue(lambda: pid)
    made = worker("counter", "notify_api_requests", "notify_api_requests_total", ("status",), ("202",), "Requests.")
    made.inc(many)


def test_what_workers_count_is_added_up_also_after_their_death():
    with shared_by_workers(role="all", port=4220):
        count_as(11, 2)
        count_as(12, 3)

        assert b'notify_api_requests_total{status="202"} 5.0' in page_of_web()


def test_a_new_start_begins_at_nought_and_an_orderly_end_leaves_nothing(tmp_path):
    with shared_by_workers(role="all", port=4220):
        count_as(11, 2)
        left_behind = Path(os.environ[FOLDER_VARIABLE])
        files = {path.name: path.read_bytes() for path in left_behind.iterdir()}
    assert not left_behind.exists()
    assert FOLDER_VARIABLE not in os.environ
    left_behind.mkdir()  # as after a kill
    for name, content in files.items():
        (left_behind / name).write_bytes(content)

    with shared_by_workers(role="all", port=4220):
        assert b'status="202"' not in page_of_web()


def test_another_role_on_the_same_machine_counts_by_itself():
    with shared_by_workers(role="all", port=4220):
        folder = os.environ[FOLDER_VARIABLE]
    with shared_by_workers(role="users", port=4221):
        assert os.environ[FOLDER_VARIABLE] != folder
