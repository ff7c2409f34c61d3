import json
import uuid
from datetime import timedelta

import pytest

from gateway import callback_endpoints, callback_posts, outbound_http, outbox
from gateway.callback_models import DEFAULT_EVENTS, STATUS_EVENTS
from gateway.database_clock import database_now
from gateway.models import CallbackEndpoint, StatusCallback
from tests.callback_scene import endpoint, owed
from tests.factories import ago
from tests.gateway.api_scene import client_with_key, findings, is_now, moment, refusal
from tests.gateway.ledger_scene import some
from tests.sign_in_scene import caller, give_roles, person_with_password
from users import lately

pytestmark = pytest.mark.django_db

CALLBACKS = "/api/v1/callbacks/"
URL = "http://127.0.0.1:21790/hooks"


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    lately.forget()
    yield
    lately.forget()


@pytest.fixture
def developer(db):
    return client_with_key("callbacks:write")


def send(client, method, path, body=None):
    raw = b"" if body is None else json.dumps(body).encode()
    return client.generic(method, path, raw, content_type="application/json")


def create(client, /, **body):
    return send(client, "POST", CALLBACKS, {"url": URL} | body)


def path_of(made, rest=""):
    return f"{CALLBACKS}{made.pk if hasattr(made, 'pk') else made['id']}/{rest}"


def test_an_endpoint_is_made_and_its_secret_shown_once(developer):
    response = create(developer, description="Ours", events=["notification.sent", "notification.sent"])

    assert response.status_code == 201
    made = response.json()
    assert response["Location"] == path_of(made)
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert is_now(made.pop("created_at"))
    assert is_now(made.pop("updated_at"))
    assert uuid.UUID(made.pop("id")).version == 7
    assert made == {
        "client": "shop",
        "mode": "live",
        "url": URL,
        "description": "Ours",
        "events": ["notification.sent"],
        "enabled": True,
        "disabled_reason": None,
        "last_success_at": None,
        "last_failure_at": None,
    }
    [row] = CallbackEndpoint.objects.all()
    assert "secret" not in developer.get(path_of(row)).json()
    assert secret.removeprefix("whsec_") not in f"{row.secret}{row}"


def test_without_a_wish_it_is_told_of_every_end(developer):
    assert create(developer).json()["events"] == [
        f"notification.{name}"
        for name in ("sent", "delivered", "bounced", "complained", "suppressed", "cancelled", "expired", "failed")
    ]
    assert create(developer, events=None).json()["events"] == list(DEFAULT_EVENTS)


@pytest.mark.parametrize("event", ["*", *STATUS_EVENTS, "callback.test"])
def test_every_event_may_be_asked_for(developer, event):
    assert create(developer, events=[event]).json()["events"] == [event]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"url": None}, [("/url", "null")]),
        ({"url": 5}, [("/url", "invalid")]),
        ({"url": ""}, [("/url", "blank")]),
        ({"url": "https://example.com/" + "x" * 2000}, [("/url", "too_long")]),
        ({"url": "hello"}, [("/url", "invalid")]),
        ({"url": "https://example.com:0443/"}, [("/url", "invalid")]),
        ({"url": "https://example.com/#top"}, [("/url", "invalid")]),
        ({"events": []}, [("/events", "too_short")]),
        ({"events": ["sent"]}, [("/events/0", "invalid_choice")]),
        ({"description": "x" * 1001}, [("/description", "too_long")]),
        ({"enabled": True}, [("/enabled", "unknown_field")]),
        ({"secret": "mine"}, [("/secret", "unknown_field")]),
    ],
)
def test_a_wrong_wish_is_refused(developer, body, found):
    assert findings(create(developer, **body)) == found
    assert not CallbackEndpoint.objects.exists()


@pytest.mark.parametrize(
    "url", ["http://example.com/", "https://127.0.0.1/", "https://169.254.169.254/", "https://u:p@example.com/"]
)
def test_an_address_that_leads_inside_is_refused(developer, settings, url):
    settings.CALLBACK_ALLOW_HTTP = settings.CALLBACK_ALLOW_PRIVATE = False

    assert refusal(create(developer, url=url)) == (422, "callback_url_refused")
    made, _ = callback_for(settings)
    assert refusal(send(developer, "PATCH", path_of(made), {"url": url})) == (422, "callback_url_refused")


def callback_for(settings):
    settings.CALLBACK_ALLOW_HTTP = settings.CALLBACK_ALLOW_PRIVATE = True
    made = endpoint(URL)
    settings.CALLBACK_ALLOW_HTTP = settings.CALLBACK_ALLOW_PRIVATE = False
    return made


def test_ten_are_enough(developer):
    for _ in range(10):
        assert create(developer).status_code == 201

    assert findings(create(developer)) == [("", "too_many")]
    assert create(client_with_key("callbacks:write", mode="test")).status_code == 201


def test_a_client_sees_its_own_in_its_own_mode_only(developer):
    made, _ = endpoint(URL)
    for stranger in (
        client_with_key("callbacks:write", client="other"),
        client_with_key("callbacks:write", mode="test"),
    ):
        assert stranger.get(CALLBACKS).json()["results"] == []
        told = callback_endpoints.owe_test(made)
        for method, rest in (
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("POST", "rotate-secret/"),
            ("POST", "test/"),
            ("POST", "replay/"),
            ("GET", "deliveries/"),
            ("GET", f"deliveries/{told.pk}/"),
            ("POST", f"deliveries/{told.pk}/resend/"),
        ):
            assert refusal(send(stranger, method, path_of(made, rest))) == (404, "not_found")


def test_a_delivery_of_another_endpoint_is_not_found(developer):
    made, _ = endpoint(URL)
    told = callback_endpoints.owe_test(endpoint(URL)[0])

    assert refusal(developer.get(path_of(made, f"deliveries/{told.pk}/"))) == (404, "not_found")


def test_who_may_read_may_not_write(db):
    reader = client_with_key("callbacks:read")
    made, _ = endpoint(URL)

    assert reader.get(CALLBACKS).status_code == 200
    assert reader.get(path_of(made)).status_code == 200
    assert reader.get(path_of(made, "deliveries/")).status_code == 200
    for method, path in (
        ("POST", CALLBACKS),
        ("PATCH", path_of(made)),
        ("DELETE", path_of(made)),
        ("POST", path_of(made, "rotate-secret/")),
        ("POST", path_of(made, "test/")),
        ("POST", path_of(made, "replay/")),
    ):
        response = send(reader, method, path)
        assert refusal(response) == (403, "insufficient_scope")
        assert response.json()["required_scope"] == "callbacks:write"
    assert refusal(client_with_key("notifications:write").get(CALLBACKS)) == (403, "insufficient_scope")


def test_it_can_be_changed(developer):
    made, _ = endpoint(URL)

    answer = send(developer, "PATCH", path_of(made), {"events": ["*"], "description": "New", "url": f"{URL}/2"})

    assert answer.status_code == 200
    assert developer.get(path_of(made)).json() == answer.json()
    assert (answer.json()["events"], answer.json()["description"], answer.json()["url"]) == (["*"], "New", f"{URL}/2")
    assert send(developer, "PATCH", path_of(made), {}).json()["url"] == f"{URL}/2"


def test_switched_off_it_is_owed_nothing_and_on_again_it_is(developer, shop):
    made, _ = endpoint(URL)
    assert send(developer, "PATCH", path_of(made), {"enabled": False}).json()["enabled"] is False
    [quiet] = some(1)
    outbox.queue_due(channel="email", limit=1)
    assert owed(quiet) == []

    send(developer, "PATCH", path_of(made), {"enabled": True})

    [told] = some(1)
    outbox.queue_due(channel="email", limit=1)
    assert owed(told) == [("notification.queued", 2)]


def test_enabled_again_what_waits_starts_anew(developer):
    made, _ = endpoint(URL, enabled=False, disabled_reason="failing", failing_since=ago(days=6))
    told = callback_endpoints.owe_test(made)
    StatusCallback.objects.update(scheduled_tries=7, try_count=7, next_attempt_at=ago(days=-1))
    assert callback_posts.due_endpoints() == []

    answer = send(developer, "PATCH", path_of(made), {"enabled": True}).json()

    assert (answer["enabled"], answer["disabled_reason"]) == (True, None)
    told.refresh_from_db()
    assert (told.scheduled_tries, told.try_count) == (0, 7)
    assert callback_posts.due_endpoints() == [made.pk]


def test_deleted_it_is_gone_with_all_it_was_owed(developer):
    made, _ = endpoint(URL)
    callback_endpoints.owe_test(made)

    response = send(developer, "DELETE", path_of(made))

    assert (response.status_code, response.content) == (204, b"")
    assert refusal(developer.get(path_of(made))) == (404, "not_found")
    assert not StatusCallback.objects.exists()


def test_a_secret_is_rotated(developer):
    made, secret = endpoint(URL)

    answer = send(developer, "POST", path_of(made, "rotate-secret/"))

    assert answer.status_code == 200
    assert answer.json()["secret"] != secret
    assert abs(moment(answer.json()["previous_valid_until"]) - database_now() - timedelta(hours=24)) < timedelta(
        minutes=5
    )
    made.refresh_from_db()
    assert callback_endpoints.signing_secrets(made, database_now()) == [answer.json()["secret"], secret]


def test_a_test_is_a_delivery(developer):
    made, _ = endpoint(URL)

    response = send(developer, "POST", path_of(made, "test/"))

    assert response.status_code == 202
    answer = response.json()
    assert is_now(answer.pop("created_at"))
    assert is_now(answer.pop("next_attempt_at"))
    assert answer == {
        "id": answer["id"],
        "webhook_id": f"evt_{answer['id']}",
        "event_type": "callback.test",
        "notification_id": None,
        "state": "pending",
        "attempt_count": 0,
        "delivered_at": None,
        "attempts": [],
    }
    assert findings(send(developer, "POST", path_of(made, "test/"), {"x": 1})) == [("/x", "unknown_field")]


def failed_delivery(made, status_code=500):
    told = callback_endpoints.owe_test(made)
    claimed = callback_posts.claim(made.pk, limit=100)
    for each in claimed:
        callback_posts.record(each, callback_posts.TryResult(status_code=status_code, duration_ms=120))
    StatusCallback.objects.filter(pk=told.pk).update(state="failed")
    return StatusCallback.objects.get(pk=told.pk)


def test_a_delivery_tells_its_tries(developer):
    made, _ = endpoint(URL)
    told = failed_delivery(made)

    answer = developer.get(path_of(made, f"deliveries/{told.pk}/")).json()

    [tried] = answer["attempts"]
    assert is_now(tried.pop("at"))
    assert tried == {"number": 1, "status_code": 500, "error": None, "duration_ms": 120}
    assert (answer["state"], answer["attempt_count"], answer["next_attempt_at"]) == ("failed", 1, None)


def test_resent_it_keeps_its_id_and_starts_anew(developer):
    made, _ = endpoint(URL)
    told = failed_delivery(made)

    response = send(developer, "POST", path_of(made, f"deliveries/{told.pk}/resend/"))

    assert response.status_code == 202
    assert (response.json()["webhook_id"], response.json()["state"]) == (told.webhook_id, "pending")
    assert response.json()["attempt_count"] == 1
    assert [each.pk for each in callback_posts.claim(made.pk, limit=10)] == [told.pk]


def test_a_range_is_replayed(developer):
    made, _ = endpoint(URL)
    failed = [failed_delivery(made) for _ in range(3)]
    old = failed[0]
    StatusCallback.objects.filter(pk=old.pk).update(created_at=ago(days=3))
    delivered = callback_endpoints.owe_test(made)
    StatusCallback.objects.filter(pk=delivered.pk).update(state="delivered")
    now = database_now()
    body = {
        "created_after": (now - timedelta(days=1)).isoformat(),
        "created_before": (now + timedelta(hours=1)).isoformat(),
        "state": "failed",
    }

    response = send(developer, "POST", path_of(made, "replay/"), body)

    assert (response.status_code, response.json()) == (202, {"queued": 2})
    assert {each.pk for each in callback_posts.claim(made.pk, limit=10)} == {each.pk for each in failed[1:]}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("/created_after", "required"), ("/created_before", "required")]),
        (
            {"created_after": "2026-11-22", "created_before": "2026-11-22T10:00:00Z", "state": "lost"},
            [("/created_after", "invalid"), ("/state", "invalid_choice")],
        ),
    ],
)
def test_a_range_must_be_one(developer, body, found):
    made, _ = endpoint(URL)

    assert findings(send(developer, "POST", path_of(made, "replay/"), body)) == found


def test_deliveries_go_by_pages_newest_first(developer):
    made, _ = endpoint(URL)
    newest_first = [str(callback_endpoints.owe_test(made).pk) for _ in range(5)][::-1]
    path = path_of(made, "deliveries/")

    first = developer.get(f"{path}?page_size=2&state=pending&count=true").json()
    second = developer.get(first["next"]).json()
    third = developer.get(second["next"]).json()
    back = developer.get(third["previous"]).json()

    ids = [[each["id"] for each in page["results"]] for page in (first, second, third, back)]
    assert ids == [newest_first[:2], newest_first[2:4], newest_first[4:], newest_first[2:4]]
    assert (first["previous"], third["next"]) == (None, None)
    assert first["count"] == second["count"] == 5
    assert developer.get(back["previous"]).json()["previous"] is None
    assert "count_is_exact" not in first


def test_deliveries_are_narrowed(developer):
    made, _ = endpoint(URL)
    told = failed_delivery(made)
    [row] = some(1)
    outbox.queue_due(channel="email", limit=1)
    path = path_of(made, "deliveries/")

    def found(query):
        return {each["event_type"] for each in developer.get(f"{path}?{query}").json()["results"]}

    both = {"callback.test", "notification.queued"}
    assert found("") == both
    assert found("state=failed") == {"callback.test"}
    assert found("state=failed,pending") == both
    assert found("event_type=notification.queued") == {"notification.queued"}
    assert found(f"notification_id={row.pk}") == {"notification.queued"}
    assert found(f"notification_id={uuid.uuid4()}") == set()
    assert found("created_after=2020-01-01T00:00:00Z") == both
    assert found("created_before=2020-01-01T00:00:00Z") == set()
    assert told.state == "failed"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=lost", [("?state", "invalid_choice")]),
        ("event_type=sent", [("?event_type", "invalid_choice")]),
        ("notification_id=5", [("?notification_id", "invalid")]),
        ("created_after=yesterday", [("?created_after", "invalid")]),
        ("page_size=0", [("?page_size", "out_of_range")]),
        ("page_size=201", [("?page_size", "out_of_range")]),
        ("page_size=x", [("?page_size", "out_of_range")]),
        ("count=1", [("?count", "invalid_choice")]),
        ("page=2", [("?page", "unknown_field")]),
    ],
)
def test_wrong_parameters_are_named(developer, query, found):
    made, _ = endpoint(URL)

    assert findings(developer.get(path_of(made, f"deliveries/?{query}"))) == found


@pytest.mark.parametrize("cursor", ["", "x", "WyJhIiwgdHJ1ZV0:x:y"])
def test_a_cursor_we_did_not_make_is_refused(developer, cursor):
    assert refusal(developer.get(f"{CALLBACKS}?cursor={cursor}")) == (400, "invalid_cursor")


def test_many_are_shown_without_a_query_for_each(developer, django_assert_max_num_queries):
    made, _ = endpoint(URL)
    for _ in range(8):
        callback_endpoints.owe_test(made)

    with django_assert_max_num_queries(8):
        developer.get(path_of(made, "deliveries/"))


def test_a_host_that_has_no_address_yet_is_taken(developer, monkeypatch):
    """It is judged again at every try."""

    def getaddrinfo(*args, **options):
        raise OSError

    monkeypatch.setattr(outbound_http.socket, "getaddrinfo", getaddrinfo)

    assert create(developer, url="https://nowhere.test/").status_code == 201


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def pat(db):
    """A person who is a developer."""
    person = person_with_password(email="pat@example.com")
    give_roles(person, "developer")
    return caller(person)


def test_people_name_the_client_they_make_an_endpoint_for(pat, developer):
    assert findings(create(pat)) == [("/client", "required"), ("/mode", "required")]
    assert findings(create(pat, client="shop", mode="both")) == [("/mode", "invalid_choice")]
    assert findings(create(pat, client=5, mode=None)) == [("/client", "invalid"), ("/mode", "required")]

    made = create(pat, client="shop", mode="live").json()

    assert (made["client"], made["mode"]) == ("shop", "live")
    assert developer.get(path_of(made)).status_code == 200


@pytest.mark.parametrize("whose", [{"client": "shop"}, {"mode": "live"}])
def test_a_key_names_nobody(developer, whose):
    assert findings(create(developer, **whose)) == [(f"/{name}", "unknown_field") for name in whose]
    assert create(developer, client=None, mode=None).json()["client"] == "shop"


def test_people_look_after_the_endpoints_of_all_clients(pat, developer):
    made = create(developer).json()
    of_tests = create(client_with_key("callbacks:write", mode="test")).json()

    assert [each["id"] for each in pat.get(CALLBACKS).json()["results"]] == [of_tests["id"], made["id"]]
    assert send(pat, "PATCH", path_of(made), {"description": "By Pat"}).status_code == 200
    assert send(pat, "POST", path_of(made, "test/")).status_code == 202
    assert developer.get(path_of(made, "deliveries/")).json()["results"][0]["event_type"] == "callback.test"


def test_but_not_people_without_the_role(db):
    answer = caller(person_with_password(email="sam@example.com")).get(CALLBACKS)

    assert refusal(answer) == (403, "insufficient_scope")


@pytest.mark.parametrize("enabled", ["no", 0, "false"])
def test_on_and_off_are_said_clearly(developer, enabled):
    made = create(developer).json()

    assert findings(send(developer, "PATCH", path_of(made), {"enabled": enabled})) == [("/enabled", "invalid")]
