"""Providers and breakers: what operators see, and what they may force."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now
from django.urls import reverse

from gateway import provider_states
from gateway.models import BreakerTransition, ProviderState
from gateway.provider_overview import HOURS, overviews
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import AttemptFactory

pytestmark = pytest.mark.django_db

BOARD = "/admin/gateway/providerstate/"
WISHES = ("force_open", "force_closed", "back_to_automatic")


@pytest.fixture
def client():
    return signed_in(owner())


@pytest.fixture
def row(settings):
    settings.EMAIL_PROVIDERS = ["smtp", "sendgrid"]
    provider_states.introduce("email", ["smtp"])
    return ProviderState.objects.get()


def address(row: ProviderState, wish: str) -> str:
    return reverse(f"admin:gateway_providerstate_{wish}", args=[row.pk])


def open_it(**how) -> None:
    given = {"pause": timedelta(minutes=9), "failures": 5, "error": "451 <busy>", "who": "consumer-1"}
    provider_states.note_opened("email", "smtp", **given | how)


# --- what is seen -----------------------------------------------------------------------------------------------------
def test_a_provider_that_works_is_shown_with_its_place(client, row):
    text = page(client, BOARD)
    for words in ("smtp", "Working", "It takes messages.", "no. 1 in order", "every breaker stayed as it was"):
        assert words in text


def test_providers_that_share_the_traffic_say_how_and_the_others_that_they_stand_by(client, row, settings):
    settings.EMAIL_PROVIDERS = ["smtp:70", "sendgrid:30", "mailgun"]
    provider_states.introduce("email", ["smtp", "sendgrid", "mailgun"])
    text = page(client, BOARD)
    for words in ("no. 1 in order · 70 % of the traffic", "no. 2 in order · 30 % of the traffic"):
        assert words in text
    assert "no. 3 in order · stands by" in text
    settings.EMAIL_PROVIDERS = ["smtp", "sendgrid"]
    text = page(client, BOARD)
    assert "of the traffic" not in text
    assert "stands by" not in text


def test_a_paused_provider_is_shown_with_error_and_time_of_the_next_trial(client, row):
    open_it()
    text = page(client, BOARD)
    for words in ("Paused", "It may be tried again in 9 min", "5 failures in a row", "451 &lt;busy&gt;", "consumer-1"):
        assert words in text
    ProviderState.objects.update(retry_at=Now())
    assert "The next message finds out" in page(client, BOARD)
    provider_states.take_trial("email", "smtp", who="consumer-2")
    assert "sent by consumer-2" in page(client, BOARD)


def test_failures_pauses_and_providers_out_of_use_are_named(client, row):
    provider_states.note_failures("email", "smtp", failures=3, error="451")
    assert "The last 3 tries failed." in page(client, BOARD)
    provider_states.note_pause("email", "smtp", wait=timedelta(seconds=100))
    assert "it is asked again in 1" in page(client, BOARD)
    provider_states.introduce("email", ["mailgun"])
    assert "not in use" in page(client, BOARD)


def test_what_is_forced_is_shown_with_who_and_why(client, row):
    provider_states.force("smtp", "open", who="Olga", why="maintenance")
    assert "Olga keeps it from being asked until somebody ends it: maintenance" in page(client, BOARD)
    provider_states.force("smtp", "closed", who="Sam", why="it must go on", lasts=timedelta(minutes=5))
    assert "Sam has it asked whatever it answers, until" in page(client, BOARD)


def test_without_any_provider_the_page_says_when_there_will_be_one(client):
    assert "No provider has been at work yet" in page(client, BOARD)


def test_the_share_of_the_last_minutes_is_shown(client, row):
    for outcome in ("accepted", "accepted", "transient", None):
        AttemptFactory(provider="smtp", outcome=outcome)
    AttemptFactory(provider="smtp", outcome="transient", started_at=Now() - timedelta(minutes=6))
    (found,) = overviews()
    assert (found.attempts, round(found.success, 1)) == (3, 66.7)
    assert "66.7 % of 3 taken in 5 min" in page(client, BOARD)


def test_the_strip_shows_the_hours_in_which_it_was_paused(row):
    for change, hours_ago in (("opened", 5.5), ("closed", 3.5)):
        at = Now() - timedelta(hours=hours_ago)
        BreakerTransition.objects.create(channel="email", provider="smtp", change=change, at=at)
    hours = overviews()[0].hours
    assert len(hours) == HOURS
    assert [number for number, word in enumerate(hours) if word == "paused"] == [18, 19, 20]


def test_one_that_was_paused_before_the_strip_begins_is_shown_so(row):
    at = Now() - timedelta(hours=21.5)
    BreakerTransition.objects.create(channel="email", provider="smtp", change="closed", at=at)
    assert overviews()[0].hours == ["paused"] * 3 + ["working"] * 21


def test_the_refreshing_part_is_the_same_and_is_never_kept(client, row):
    answer = client.get(f"{BOARD}live/")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "It takes messages." in answer.content.decode()


def test_the_page_asks_little_of_the_database(client, row):
    provider_states.introduce("email", [f"provider-{number}" for number in range(20)])
    assert len(queries_of(client, BOARD)) <= MOST_QUERIES


def test_it_is_in_the_sidebar_for_those_who_may_see_it(client):
    assert BOARD in page(client, "/admin/")
    assert BOARD not in page(signed_in(staff()), "/admin/")


# --- what is forced ---------------------------------------------------------------------------------------------------
def test_forcing_asks_for_a_reason_and_keeps_who_why_and_how_long(row):
    person = staff("gateway.view_providerstate", "gateway.force_breaker")
    client = signed_in(person)
    assert "This field is required" in client.post(address(row, "force_open"), {"reason": ""}).content.decode()
    client.post(address(row, "force_open"), {"reason": "maintenance", "minutes": "30"})
    row.refresh_from_db()
    assert (row.forced, row.forced_by, row.forced_why) == ("open", "Sam", "maintenance")
    assert timedelta(minutes=29) < provider_states.read_all()[0].forced_for <= timedelta(minutes=30)
    assert LogEntry.objects.get().change_message == "Forced open for 30 min: maintenance"
    assert BreakerTransition.objects.get().who == "Sam"


def test_forced_closed_and_back_to_automatic(client, row):
    client.post(address(row, "force_closed"), {"reason": "it must go on"})
    assert provider_states.read_all()[0].forced == "closed"
    answer = client.post(address(row, "back_to_automatic"), {"reason": "done"}, follow=True)
    assert provider_states.read_all()[0].forced == ""
    assert "smtp: back to automatic." in answer.content.decode()


@pytest.mark.parametrize("minutes", ["0", "-5", "10081", "soon", "²"])
def test_minutes_that_make_no_sense_are_refused(client, row, minutes):
    client.post(address(row, "force_open"), {"reason": "maintenance", "minutes": minutes})
    assert provider_states.read_all()[0].forced == ""


@pytest.mark.parametrize("wish", WISHES)
def test_looking_at_the_question_changes_nothing(client, row, wish):
    open_it()
    page(client, address(row, wish))
    assert provider_states.read_all()[0].word == "open"
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("wish", WISHES)
def test_without_its_permission_nothing_is_offered_or_obeyed(row, wish):
    open_it()
    viewer = signed_in(staff("gateway.view_providerstate"))
    assert address(row, wish) not in page(viewer, BOARD)
    assert viewer.post(address(row, wish), {"reason": "because"}).status_code == 403
    assert not LogEntry.objects.exists()


def test_nobody_looks_without_permission(row):
    outsider = signed_in(staff())
    assert [outsider.get(BOARD).status_code, outsider.get(f"{BOARD}live/").status_code] == [403, 403]


@pytest.mark.parametrize("odd", ["999999", "²", "x"])
def test_a_provider_that_is_not_there_is_no_error(client, odd):
    answer = client.post(f"{BOARD}{odd}/force_open/", {"reason": "because"})
    assert answer.status_code in (302, 404)
