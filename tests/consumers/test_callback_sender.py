import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.models.functions import Now
from standardwebhooks import Webhook

from consumers import callback_sender
from consumers.callback_sender import CallbackSender, signed_headers
from gateway import callback_endpoints, callback_posts, outbound_http, outbox, statuses
from gateway.models import CallbackEndpoint, CallbackTry, StatusCallback
from gateway.outbox import Held, Verdict
from gateway.statuses import Status
from tests.callback_scene import endpoint, make_due, receiver, verified
from tests.factories import NotificationFactory, ago, ahead
from tests.gateway.ledger_scene import claim, held, mark, open_attempts, some
from users import lately
from users.key_ring import read_keys

pytestmark = pytest.mark.django_db

SENT = Verdict(change=statuses.SEND, reason="sent", data={"provider": "smtp"}, columns={"sent_at": Now()})


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    lately.forget()
    yield
    lately.forget()


@pytest.fixture
def hook():
    with receiver() as opened:
        yield opened


def run_once(**options):
    CallbackSender(stopping=threading.Event(), **options).run(once=True)


def owe(count=1, **columns):
    """So many notifications have been queued, and that is owed."""
    rows = some(count, **columns)
    assert len(outbox.queue_due(channel="email", limit=1000)) == count
    return rows


def owe_all_of_a_story():
    """queued, sending, sent of one notification."""
    [row] = owe()
    [row] = claim(row)
    open_attempts(mark(row))
    outbox.settle([(held(row), SENT)])
    return row


def test_what_is_owed_is_posted_and_signed(hook):
    made, secret = endpoint(hook.url)
    [row] = owe(metadata={"order": "7"}, correlation_id="story-1", request_id="r-1")

    run_once()

    [told] = StatusCallback.objects.all()
    body = verified(secret, hook.posts[0])
    headers = hook.posts[0][1]
    assert body["type"] == "notification.queued"
    assert datetime.fromisoformat(body["timestamp"]) - told.created_at < timedelta(milliseconds=1)
    data = body["data"]
    assert data.pop("detail")
    assert data == {
        "notification_id": str(row.pk),
        "request_id": "r-1",
        "sequence": 2,
        "status": "queued",
        "reason": "waiting",
        "final": False,
        "notification_type": "email",
        "user_id": row.user_public_id,
        "template_code": row.template.code,
        "template_version": 1,
        "provider": None,
        "attempt_count": 0,
        "simulated": False,
        "batch_id": None,
        "resend_of": None,
        "metadata": {"order": "7"},
    }
    assert headers["webhook-id"] == told.webhook_id == f"evt_{told.pk}"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "notification-platform/1"
    assert headers["x-correlation-id"] == "story-1"
    assert (told.state, told.try_count, told.claim_token) == ("delivered", 1, None)
    assert told.delivered_at is not None
    made.refresh_from_db()
    assert made.last_success_at is not None
    assert [(each.number, each.status_code, each.error) for each in told.tries.all()] == [(1, 200, "")]


def test_a_story_arrives_in_order_although_each_is_told_as_it_was(hook):
    endpoint(hook.url)
    owe_all_of_a_story()

    run_once()

    told = [(body["type"], body["data"]["sequence"], body["data"]["status"]) for body in hook.bodies]
    assert told == [
        ("notification.queued", 2, "queued"),
        ("notification.sending", 3, "sending"),
        ("notification.sent", 4, "sent"),
    ]
    assert hook.bodies[-1]["data"]["provider"] == "capture"
    assert hook.bodies[-1]["data"]["final"] is True


def test_what_fails_holds_up_what_comes_after_it_about_the_same_notification_only(hook):
    endpoint(hook.url)
    hook.answer = 500
    owe_all_of_a_story()
    owe()

    run_once()

    assert sorted(body["type"] for body in hook.bodies) == ["notification.queued", "notification.queued"]
    assert len({body["data"]["notification_id"] for body in hook.bodies}) == 2
    hook.answer = 200
    make_due()
    run_once()
    assert [body["data"]["sequence"] for body in hook.bodies[2:] if body["data"]["sequence"] > 2] == [3, 4]


def test_what_waits_for_an_earlier_one_is_not_looked_at_before_it(hook):
    endpoint(hook.url)
    hook.answer = 500
    owe_all_of_a_story()

    run_once()

    assert not StatusCallback.objects.filter(next_attempt_at__lte=Now()).exists()
    hook.answer = 200
    StatusCallback.objects.filter(sequence=2).update(next_attempt_at=Now())
    run_once()
    assert [body["data"]["sequence"] for body in hook.bodies] == [2, 2, 3, 4]


def test_when_an_earlier_one_has_failed_for_good_the_others_go_on(hook):
    endpoint(hook.url)
    owe_all_of_a_story()
    StatusCallback.objects.filter(sequence=2).update(scheduled_tries=9)
    StatusCallback.objects.exclude(sequence=2).update(next_attempt_at=ahead(hours=24))
    hook.answer = lambda handler, number: (handler.send_response(500 if number == 1 else 200), handler.end_headers())

    run_once()

    assert list(StatusCallback.objects.order_by("sequence").values_list("sequence", "state")) == [
        (2, "failed"),
        (3, "delivered"),
        (4, "delivered"),
    ]


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500, 503])
def test_anything_but_2xx_is_tried_again_under_the_same_id(hook, status):
    made, secret = endpoint(hook.url)
    hook.answer, hook.headers = status, {"Location": hook.url}
    owe()

    run_once()

    [told] = StatusCallback.objects.all()
    assert (told.state, told.try_count) == ("pending", 1)
    assert waits(told, timedelta(seconds=5))
    made.refresh_from_db()
    assert made.last_failure_at == made.failing_since is not None
    hook.answer = 200
    make_due()
    run_once()
    assert hook.webhook_ids == [told.webhook_id] * 2
    assert hook.posts[0][2] == hook.posts[1][2]
    assert verified(secret, hook.posts[1])
    assert list(told.tries.values_list("number", "status_code")) == [(1, status), (2, 200)]
    made.refresh_from_db()
    assert made.failing_since is None


def waits(told, by):
    """Whether its next try is so far ahead, with a tenth on top at most."""
    early = Now() + by - timedelta(minutes=1)
    late = Now() + by * 1.1
    told = StatusCallback.objects.filter(pk=told.pk, next_attempt_at__gt=early, next_attempt_at__lte=late)
    return told.exists()


def test_the_schedule_is_that_of_the_contract(hook):
    endpoint(hook.url)
    hook.answer = 500
    owe()
    hours = timedelta(hours=1)
    schedule = [timedelta(seconds=5), timedelta(minutes=5), hours / 2, 2 * hours, 5 * hours]
    schedule += [10 * hours, 14 * hours, 20 * hours, 24 * hours]

    for wait in schedule:
        run_once()
        [told] = StatusCallback.objects.all()
        assert told.state == "pending"
        assert waits(told, wait)
        make_due()
    run_once()

    [told] = StatusCallback.objects.all()
    assert (told.state, told.try_count) == ("failed", 10)
    make_due()
    run_once()
    assert len(hook.posts) == 10


@pytest.mark.parametrize(
    ("status", "asked", "wait"),
    [
        (429, "600", timedelta(minutes=10)),
        (503, "3600", timedelta(hours=1)),
        (502, "1", timedelta(seconds=5)),
        (504, "9999999", timedelta(hours=24)),
        (500, "600", timedelta(seconds=5)),
    ],
)
def test_a_receiver_may_say_when_to_come_again(hook, status, asked, wait):
    endpoint(hook.url)
    hook.answer, hook.headers = status, {"Retry-After": asked}
    owe()

    run_once()

    assert waits(StatusCallback.objects.get(), wait)


def test_who_is_gone_is_asked_no_more_and_loses_nothing(hook):
    made, _ = endpoint(hook.url)
    hook.answer = 410
    owe(3)

    run_once()

    made.refresh_from_db()
    assert (made.enabled, made.disabled_reason) == (False, "gone")
    assert len(hook.posts) == 1
    assert set(StatusCallback.objects.values_list("state", "claim_token")) == {("pending", None)}
    hook.answer = 200
    callback_endpoints.change_endpoint(made, {"enabled": True})
    run_once()
    assert set(StatusCallback.objects.values_list("state", flat=True)) == {"delivered"}


def test_five_days_without_a_success_are_enough(hook):
    made, _ = endpoint(hook.url, failing_since=ago(days=5, hours=1))
    almost, _ = endpoint(hook.url, failing_since=ago(days=4, hours=23))
    hook.answer = 500
    owe()

    run_once()

    made.refresh_from_db()
    almost.refresh_from_db()
    assert (made.enabled, made.disabled_reason) == (False, "failing")
    assert (almost.enabled, almost.disabled_reason) == (True, "")


def test_garbage_and_silence_are_failures_with_a_name():
    endpoint("http://127.0.0.1:21799/nobody")
    owe()

    run_once()

    assert list(CallbackTry.objects.values_list("status_code", "error")) == [(None, "connection_refused")]


def test_the_address_is_judged_anew_at_every_try(hook, settings):
    endpoint(hook.url)
    owe()
    settings.CALLBACK_ALLOW_PRIVATE = False

    run_once()

    assert hook.posts == []
    assert CallbackTry.objects.get().error == "address_refused"


def test_during_a_rotation_both_secrets_sign(hook):
    made, old = endpoint(hook.url)
    new, until = callback_endpoints.rotate_secret(made)
    assert timedelta(hours=23) < until - datetime.now(UTC) < timedelta(hours=25)
    owe()

    run_once()

    assert verified(old, hook.posts[0]) == verified(new, hook.posts[0])


def test_after_the_rotation_only_the_new_one_signs(hook):
    made, _ = endpoint(hook.url)
    new, _ = callback_endpoints.rotate_secret(made)
    CallbackEndpoint.objects.update(previous_valid_until=ago(seconds=1))
    owe()

    run_once()

    assert len(hook.posts[0][1]["webhook-signature"].split()) == 1
    assert verified(new, hook.posts[0])


def test_without_its_encryption_key_nothing_is_sent_unsigned(hook, settings):
    endpoint(hook.url)
    owe()
    settings.ENCRYPTION_KEYS = read_keys("another one that has enough characters")

    run_once()

    assert hook.posts == []
    assert CallbackTry.objects.get().error == "secret_unreadable"


def test_the_signature_is_of_this_moment_in_utc_whatever_the_zone():
    made, secret = endpoint("http://127.0.0.1:21799/hook")
    told = callback_endpoints.owe_test(made)
    told.body = "{}"

    headers = signed_headers(told, now=datetime.now(UTC))

    assert Webhook(secret).verify("{}", headers) == {}


def test_killed_between_post_and_mark_it_is_posted_again_with_the_same_id(hook, monkeypatch):
    _, secret = endpoint(hook.url)
    owe()

    class Killed(BaseException):
        """Nothing of ours catches it; and the dead give nothing back."""

    with monkeypatch.context() as dying:
        dying.setattr(callback_posts, "record", lambda *args: (_ for _ in ()).throw(Killed()))
        dying.setattr(callback_posts, "give_back", lambda left: None)
        with pytest.raises(Killed):
            run_once()
    run_once()
    assert len(hook.posts) == 1, "Its lease still counts."
    StatusCallback.objects.update(lease_expires_at=ago(seconds=1))
    run_once()

    assert len(set(hook.webhook_ids)) == 1
    assert len(hook.posts) == 2
    assert verified(secret, hook.posts[1])
    assert StatusCallback.objects.get().state == "delivered"


def test_an_overtaken_sender_changes_nothing(hook):
    made, _ = endpoint(hook.url)
    owe()
    [mine] = callback_posts.claim(made.pk, limit=1)
    StatusCallback.objects.update(lease_expires_at=ago(seconds=1))
    [theirs] = callback_posts.claim(made.pk, limit=1)

    callback_posts.record(mine, callback_posts.TryResult(status_code=500, duration_ms=1))
    assert StatusCallback.objects.get().try_count == 0

    callback_posts.record(theirs, callback_posts.TryResult(status_code=200, duration_ms=1))
    assert StatusCallback.objects.get().state == "delivered"


def test_what_a_stop_leaves_is_free_at_once(hook):
    endpoint(hook.url)
    owe(5)
    stopping = threading.Event()

    def post(url, body, headers):
        stopping.set()
        return outbound_http.post(url, body, headers)

    CallbackSender(stopping=stopping, post=post).run()

    assert len(hook.posts) == 1
    assert StatusCallback.objects.filter(state="pending", claim_token=None, lease_expires_at=None).count() == 4
    run_once()
    assert len(hook.posts) == 5


def test_a_deleted_endpoint_is_told_nothing(hook):
    made, _ = endpoint(hook.url)
    owe()
    callback_endpoints.delete_endpoint(made)

    run_once()

    assert hook.posts == []
    assert not StatusCallback.objects.exists()


def test_a_test_is_told_whatever_the_endpoint_asks_for(hook):
    made, secret = endpoint(hook.url, events=["notification.sent"])
    callback_endpoints.owe_test(made)

    run_once()

    body = verified(secret, hook.posts[0])
    assert body["type"] == "callback.test"
    assert body["data"] == {"callback_id": str(made.pk), "message": "This is a test."}


def test_no_address_name_or_word_of_a_person_is_told(hook):
    endpoint(hook.url)
    row = NotificationFactory(status=Status.CLAIMED, variables={"name": "Ann Secret"})
    data = {"error": "550 <ann@example.com> unknown", "provider": "smtp", "name": "Ann Secret", "code": "550"}
    verdict = Verdict(change=statuses.GIVE_UP_EARLY, reason="attempts_exhausted", data=data | {"n": "8"})
    outbox.settle([(Held(row.pk, row.claim_token), verdict)])

    run_once()

    text = hook.posts[0][2].decode()
    assert json.loads(text)["type"] == "notification.failed"
    assert "ann@example.com" not in text
    assert "Ann" not in text


def test_a_body_stays_under_its_limit(hook):
    endpoint(hook.url)
    owe(metadata={f"key{number}": "ä€" * 250 for number in range(20)})

    run_once()

    assert len(hook.posts[0][2]) < 20_000
    assert hook.bodies[0]["data"]["metadata"] == {}


@pytest.mark.django_db(transaction=True)
def test_two_senders_side_by_side_send_each_once(hook):
    endpoint(hook.url)
    owe(30)
    senders = [CallbackSender(stopping=threading.Event(), threads=2) for _ in range(2)]

    in_threads(*(sender.run for sender in senders for _ in range(2)))

    assert len(hook.webhook_ids) == len(set(hook.webhook_ids)) == 30
    assert set(StatusCallback.objects.values_list("state", flat=True)) == {"delivered"}


def in_threads(*loops):
    def run(loop):
        try:
            loop(once=True)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(loop,)) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.django_db(transaction=True)
def test_a_slow_endpoint_does_not_hold_up_the_others(hook):
    with receiver() as slow:
        slow.may_answer.clear()
        endpoint(slow.url)
        endpoint(hook.url)
        owe(10)
        stopping = threading.Event()
        sender = CallbackSender(stopping=stopping, threads=2)
        threads = [threading.Thread(target=closing, args=(sender.run,)) for _ in range(2)]
        for thread in threads:
            thread.start()

        for _ in range(10):
            assert hook.arrived.acquire(timeout=30)

        assert len(slow.posts) <= 1
        stopping.set()
        slow.may_answer.set()
        for thread in threads:
            thread.join(30)
    assert len(hook.posts) == 10


def closing(loop):
    try:
        loop()
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_the_command_sends_what_is_due_and_ends(hook):
    endpoint(hook.url)
    owe(3)

    call_command("run_callback_sender", once=True, concurrency=2)

    assert len(hook.posts) == 3


def test_a_turn_gives_back_what_it_has_no_time_for(hook, monkeypatch):
    made, _ = endpoint(hook.url)
    owe(3)
    monkeypatch.setattr(callback_sender, "TURN", timedelta(0))

    assert CallbackSender(stopping=threading.Event()).turn() == 0

    assert hook.posts == []
    assert len(callback_posts.claim(made.pk, limit=10)) == 3


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_after_its_post_leaves_it_to_the_next(hook, settings, tmp_path):
    """SIGKILL, while the receiver has everything and we have no answer yet."""
    _, secret = endpoint(hook.url)
    owe()
    hook.may_answer.clear()
    process = start_sender(settings, tmp_path)
    try:
        assert hook.arrived.acquire(timeout=60)
    finally:
        process.kill()
        process.wait()
    hook.may_answer.set()
    [told] = StatusCallback.objects.all()
    assert (told.state, told.try_count) == ("pending", 0)
    assert told.claim_token is not None

    StatusCallback.objects.update(lease_expires_at=ago(seconds=1))
    run_once()

    assert hook.webhook_ids == [told.webhook_id] * 2
    assert hook.posts[0][2] == hook.posts[1][2]
    assert verified(secret, hook.posts[1])


def start_sender(settings, folder):
    """The real command, on the database of this test."""
    database = connection.settings_dict
    if connection.vendor == "postgresql":
        host, port = database["HOST"] or "127.0.0.1", database["PORT"] or 5432
        login = f"{database['USER']}:{database['PASSWORD']}" if database["PASSWORD"] else database["USER"]
        where = {"DATABASE_URL": f"postgres://{login}@{host}:{port}/{database['NAME']}"}
    else:
        where = {"DATABASE_URL": ""}
        (folder / "notifications.sqlite3").symlink_to(database["NAME"])
    ring = ",".join(f"{key.id}:{key.secret}" for key in settings.ENCRYPTION_KEYS)
    environment = {**os.environ, **where, "VAR_DIR": str(folder), "ENCRYPTION_KEYS": ring}
    command = [sys.executable, settings.BASE_DIR / "manage.py", "run_callback_sender", "--concurrency", "1"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
