"""The list of dead letters, their groups, and what is done to them."""

from urllib.parse import urlencode
from uuid import uuid4

import pytest

from gateway import dead_letters
from gateway.admin import dead_letters as pages
from gateway.admin import replay_form
from gateway.channel_contract import Outcome
from gateway.models import Notification
from gateway.statuses import Status
from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import AttemptFactory, NotificationFactory, PublishedVersionFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/gateway/deadletter/"


def dead(**fields):
    return NotificationFactory(**{"status": Status.FAILED, "reason": "rejected"} | fields)


def choice(*rows, **more):
    return {"action": "replay_selected", "_selected_action": [str(row.pk) for row in rows]} | more


def group(act, **asked):
    return f"{LIST}group/{act}/?{urlencode(asked)}"


def statuses():
    return sorted(Notification.objects.values_list("status", flat=True))


def test_only_what_was_given_up_is_listed():
    dead(request_id="given-up")
    NotificationFactory(request_id="still-waiting")
    text = page(signed_in(owner()), LIST)
    assert "given-up" in text
    assert "still-waiting" not in text


def test_replaying_asks_first_and_names_what_it_would_touch():
    client, row = signed_in(owner()), dead()
    text = client.post(LIST, choice(row)).content.decode()
    assert "Replay 1 notification?" in text
    assert "Welcome → Ann" in text
    row.refresh_from_db()
    assert row.status == Status.FAILED


def test_replaying_with_a_reason_gives_the_chosen_ones_another_life():
    client, chosen, other = signed_in(owner()), dead(), dead()
    answer = client.post(LIST, choice(chosen, reason="server is back"), follow=True)
    assert "1 goes out again in a moment." in answer.content.decode()
    assert Notification.objects.get(pk=chosen.pk).status == Status.ACCEPTED
    assert Notification.objects.get(pk=other.pk).status == Status.FAILED


def test_without_permission_nothing_is_replayed():
    client, row = signed_in(staff("gateway.view_deadletter")), dead()
    assert "replay_selected" not in page(client, LIST)
    client.post(LIST, choice(row, reason="because"))
    assert Notification.objects.get(pk=row.pk).status == Status.FAILED


def test_a_dead_letter_has_the_page_every_notification_has():
    row = dead()
    answer = signed_in(owner()).get(f"{LIST}{row.pk}/change/")
    assert answer.url == f"/admin/gateway/notification/{row.pk}/change/"


def test_the_list_counts_nothing_and_asks_little():
    NotificationFactory.create_batch(
        25, template_version=PublishedVersionFactory(), status=Status.FAILED, reason="rejected"
    )
    asked = queries_of(signed_in(owner()), LIST)
    assert len(asked) <= MOST_QUERIES
    counted = [sql for sql in asked if "COUNT(" in sql and "gateway_notification" in sql]
    assert not [sql for sql in counted if f"LIMIT {dead_letters.LOOKED_AT}" not in sql]


# --- groups -----------------------------------------------------------------------------------------------------------


def some(count, **fields):
    shared = {"template_version": PublishedVersionFactory(template__code="welcome"), "provider": "smtp"}
    return [dead(**(shared | fields)) for _ in range(count)]


REFUSED = {"reason": "rejected", "provider": "smtp", "template": "welcome"}


def test_groups_stand_on_top_with_what_may_be_done_to_them():
    some(3)
    text = page(signed_in(owner()), LIST)
    assert "Replay these 3…" in text
    assert "Discard…" in text
    assert "By reason" in text


def test_without_dead_letters_there_are_no_groups_and_the_page_says_what_would_be_here():
    text = page(signed_in(owner()), LIST)
    assert "By reason" not in text
    assert "would wait here for a decision" in text


def test_who_may_only_look_is_offered_nothing_and_gets_nothing():
    some(1)
    client = signed_in(staff("gateway.view_deadletter"))
    text = page(client, LIST)
    assert "By reason" in text
    assert "Replay it…" not in text
    for act in ("replay", "discard"):
        assert client.post(group(act, **REFUSED), {"reason": "because"}).status_code == 403
    assert statuses() == ["failed"]


def test_each_act_has_a_permission_of_its_own():
    some(1)
    client = signed_in(staff("gateway.view_deadletter", "gateway.discard_notification"))
    assert client.get(group("replay", **REFUSED)).status_code == 403
    assert client.get(group("discard", **REFUSED)).status_code == 200


def test_a_group_is_replayed_after_a_question_that_names_five_of_it():
    some(7)
    dead(reason="poison")
    client = signed_in(owner())
    text = page(client, group("replay", **REFUSED))
    assert "Replay 7 notifications?" in text
    assert text.count("Welcome → Ann") == 5
    assert "… and 2 more" in text
    assert statuses() == ["failed"] * 8
    answer = client.post(group("replay", **REFUSED), {"reason": "mended"}, follow=True)
    assert "7 go out again in a moment." in answer.content.decode()
    assert statuses() == ["accepted"] * 7 + ["failed"]


def test_without_a_reason_nothing_happens():
    some(1)
    client = signed_in(owner())
    for act in ("replay", "discard"):
        assert client.post(group(act, **REFUSED), {"reason": ""}).status_code == 200
    assert Notification.objects.dead_letters().count() == 1


def test_what_a_replay_would_meet_is_said_before():
    (row,) = some(1)
    AttemptFactory(notification=row, outcome=Outcome.ACCEPTED, claim_token=uuid4())
    dead(reason="template_error", template_version=row.template_version)
    text = page(signed_in(owner()), group("replay", template="welcome"))
    assert "Replay 1 notification?" in text
    assert "1 × Not sent: template broken" in text
    assert "1 stays: a provider has it already" in text


def test_what_may_have_gone_out_is_replayed_only_when_it_is_ticked():
    clear, doubtful = some(2)
    AttemptFactory(notification=doubtful, outcome=Outcome.UNKNOWN, claim_token=uuid4())
    client = signed_in(owner())
    assert "Also 1 that may have gone out" in page(client, group("replay", **REFUSED))
    client.post(group("replay", **REFUSED), {"reason": "mended"})
    assert Notification.objects.get(status=Status.FAILED) == doubtful
    client.post(group("replay", **REFUSED), {"reason": "mended"})  # nothing else is left: the box must be ticked
    assert Notification.objects.filter(status=Status.FAILED).exists()
    client.post(group("replay", **REFUSED), {"reason": "mended", "include_doubtful": "on"})
    assert Notification.objects.get(pk=doubtful.pk).possible_duplicate
    assert not Notification.objects.get(pk=clear.pk).possible_duplicate


def test_what_a_provider_has_is_never_replayed_and_the_page_says_so():
    (row,) = some(1)
    AttemptFactory(notification=row, outcome=Outcome.ACCEPTED, claim_token=uuid4())
    answer = signed_in(owner()).post(group("replay", **REFUSED), {"reason": "mended"}, follow=True)
    assert "what was taken is never sent twice" in answer.content.decode()
    assert statuses() == ["failed"]


def test_very_many_are_confirmed_by_a_typed_word(monkeypatch):
    monkeypatch.setattr(replay_form, "MANY", 2)
    some(3)
    client = signed_in(owner())
    assert "Type “replay” to go on." in page(client, group("replay", **REFUSED))
    assert "Type “discard” to go on." in page(client, group("discard", **REFUSED))
    client.post(group("replay", **REFUSED), {"reason": "mended"})
    client.post(group("replay", **REFUSED), {"reason": "mended", "typed": "discard"})
    assert statuses() == ["failed"] * 3
    client.post(group("replay", **REFUSED), {"reason": "mended", "typed": "Replay"})
    assert statuses() == ["accepted"] * 3


@pytest.mark.parametrize(("act", "end"), [("replay", "--rate 50/s"), ("discard", "--discard")])
def test_more_than_a_browser_should_wait_for_are_left_to_the_command(monkeypatch, act, end):
    monkeypatch.setattr(pages, "MOST_AT_ONCE", 2)
    some(3, provider="")
    client = signed_in(owner())
    address = group(act, reason="rejected", provider="", template="welcome")
    text = page(client, address).replace("&quot;", '"')
    command = "manage.py replay_dead_letters --reason rejected --provider none --template welcome"
    assert f'{command} {end} --why "…"' in text
    client.post(address, {"reason": "mended"})
    assert Notification.objects.dead_letters().count() == 3


def test_a_group_is_discarded_with_a_reason():
    row, _ = some(2)
    client = signed_in(owner())
    assert "Discard 2 notifications?" in page(client, group("discard", **REFUSED))
    client.post(group("discard", **REFUSED), {"reason": "too old"})
    assert not Notification.objects.dead_letters().exists()
    assert statuses() == ["failed", "failed"]
    assert row.events.get().data == {"who": "Olga", "why": "too old"}
    text = page(client, f"/admin/gateway/notification/{row.pk}/change/")
    assert "Olga laid it aside for good: too old." in text
    assert f"{row.pk}/replay/" not in text


def test_chosen_ones_are_discarded_after_a_question():
    chosen, other = some(2)
    client = signed_in(owner())
    post = {"action": "discard_selected", "_selected_action": [str(chosen.pk)]}
    assert "Discard 1 notification?" in client.post(LIST, post).content.decode()
    client.post(LIST, post | {"reason": "too old"})
    assert list(Notification.objects.dead_letters()) == [other]


#: The theme's classes of a red badge.
BADGE = "bg-red-100 text-red-700"


def test_the_sidebar_says_how_many_wait_up_to_a_bound(monkeypatch):
    client = signed_in(owner())
    assert BADGE not in page(client, LIST)
    some(3)
    assert BADGE in page(client, LIST)
    monkeypatch.setattr("notifications_site.admin_site.MOST_ON_BADGE", 2)
    assert "2+" in page(client, LIST)


def test_tests_are_on_no_badge():
    dead(is_simulated=True)
    assert BADGE not in page(signed_in(owner()), LIST)


def test_tests_are_listed_and_grouped_for_those_who_ask_for_them():
    dead(is_simulated=True, request_id="of-a-test-key")
    dead(request_id="for-ann")
    client = signed_in(owner())
    usual, tests = page(client, LIST), page(client, LIST + "?tests=1")
    assert "for-ann" in usual
    assert "of-a-test-key" not in usual
    assert "Test only." in tests
    assert "for-ann" not in tests
    for text, marked in ((usual, False), (tests, True)):
        assert "Replay it…" in text
        assert ("tests=1" in text.partition("Replay it…")[0].rpartition("href=")[2]) is marked


def test_a_group_of_tests_is_replayed_alone_and_so_are_chosen_ones():
    test, other = dead(is_simulated=True), dead()
    client = signed_in(owner())
    client.post(group("replay", reason="rejected", tests="1"), {"reason": "again"})
    assert [Notification.objects.get(pk=row.pk).status for row in (test, other)] == ["accepted", "failed"]
    chosen = dead(is_simulated=True)
    assert "Replay 1 notification?" in client.post(LIST + "?tests=1", choice(chosen)).content.decode()
    client.post(LIST + "?tests=1", choice(chosen, reason="again"))
    assert Notification.objects.get(pk=chosen.pk).status == "accepted"


def test_too_many_tests_are_left_to_the_command_with_its_flag(monkeypatch):
    monkeypatch.setattr(pages, "MOST_AT_ONCE", 1)
    some(2, is_simulated=True)
    text = page(signed_in(owner()), group("discard", reason="rejected", tests="1"))
    assert "replay_dead_letters --reason rejected --tests --discard" in text
