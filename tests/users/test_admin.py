"""People, categories and API keys in the admin."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.admin_scene import MOST_QUERIES, owner, page, queries_of, signed_in, staff
from tests.factories import ApiKeyFactory, UserFactory
from users.api_keys import usable_key
from users.audit_models import AuditEntry
from users.models import ApiKey, Category, User

pytestmark = pytest.mark.django_db

PEOPLE, KEYS = "/admin/users/user/", "/admin/users/apikey/"


@pytest.fixture
def client():
    return signed_in(owner())


# --- people -----------------------------------------------------------------------------------------------------------
def test_the_list_masks_addresses(client):
    UserFactory(name="Ann", email="ann@example.com")
    text = page(client, PEOPLE)
    assert "a••@example.com" in text
    assert "ann@example.com" not in text


@pytest.mark.parametrize("term", ["person-zo", "zoë", "ZOE@example.com"])
def test_people_are_found_by_id_name_and_address(client, term):
    UserFactory(external_id="person-zoe", name="Zoë", email="zoe@example.com")
    UserFactory(external_id="person-ann", name="Ann", email="ann@example.com")
    text = page(client, f"{PEOPLE}?q={term}")
    assert "person-zoe" in text
    assert "person-ann" not in text


def test_the_list_asks_little_of_the_database(client):
    UserFactory.create_batch(25)
    assert len(queries_of(client, PEOPLE)) <= MOST_QUERIES


def test_a_persons_page_asks_little_of_the_database(client):
    assert len(queries_of(client, f"{PEOPLE}{UserFactory().pk}/change/")) <= MOST_QUERIES


def test_a_new_person_has_no_password_unless_one_is_given(client):
    values = {"name": "Bo", "email": "bo@EXAMPLE.com", "external_id": "", "locale": "sv", "timezone": "UTC"}
    answer = client.post(f"{PEOPLE}add/", values | {"usable_password": "false"})
    person = User.objects.get(name="Bo")
    assert answer.url == f"{PEOPLE}{person.pk}/change/"
    assert not person.has_usable_password()
    assert (person.email, person.external_id) == ("bo@example.com", None)


def test_the_owner_makes_a_colleague(client):
    password = "correct horse battery"
    values = {"name": "Kim", "email": "kim@example.com", "external_id": "", "locale": "en", "timezone": "Europe/Oslo"}
    secret = {"roles": ["support"], "usable_password": "true", "password1": password, "password2": password}
    client.post(f"{PEOPLE}add/", values | secret)
    assert signed_in(User.objects.get(name="Kim", is_staff=True)).get("/admin/").status_code == 200
    assert User.objects.get(name="Kim").check_password(password)


def test_an_unknown_time_zone_is_refused(client):
    values = {"name": "Bo", "email": "bo@example.com", "locale": "sv", "timezone": "Mars/Olympus"}
    answer = client.post(f"{PEOPLE}add/", values | {"usable_password": "false"})
    assert "is not a time zone" in answer.content.decode()


def test_support_may_not_touch_the_accounts_of_colleagues():
    support = signed_in(staff("users.view_user", "users.change_user", "users.add_user"))
    boss = User.objects.create_superuser(email="boss@example.com", password="correct horse battery")
    assert support.post(f"{PEOPLE}{boss.pk}/password/", {}).status_code == 403
    support.post(f"{PEOPLE}{boss.pk}/change/", {"name": "x", "email": "evil@example.com"})
    boss.refresh_from_db()
    assert boss.email == "boss@example.com"


def test_support_cannot_make_staff_of_anybody():
    support = signed_in(staff("users.view_user", "users.change_user", "users.add_user"))
    values = {"name": "Bo", "email": "bo@example.com", "locale": "sv", "timezone": "UTC", "roles": ["owner"]}
    answer = support.post(f"{PEOPLE}add/", values | {"usable_password": "false", "is_superuser": "on"})
    assert answer.status_code == 302, answer.content.decode()
    bo = User.objects.get(name="Bo")
    support.post(f"{PEOPLE}{bo.pk}/change/", values | {"is_superuser": "on"})
    bo.refresh_from_db()
    assert (bo.is_staff, bo.is_superuser) == (False, False)


def test_who_may_only_look_sees_the_address_masked():
    onlooker = signed_in(staff("users.view_user"))
    person = UserFactory(email="ann@example.com")
    text = page(onlooker, f"{PEOPLE}{person.pk}/change/")
    assert "a••@example.com" in text
    assert "ann@example.com" not in text


def test_nobody_deletes_a_person(client):
    person = UserFactory()
    assert client.post(f"{PEOPLE}{person.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_persons_page_leads_to_what_they_were_sent(client):
    person = UserFactory()
    assert f"/admin/gateway/notification/?q={person.pk}" in page(client, f"{PEOPLE}{person.pk}/change/")


# --- categories -------------------------------------------------------------------------------------------------------
def test_a_category_keeps_its_code(client):
    page(client, "/admin/users/category/")
    client.post("/admin/users/category/updates/change/", {"code": "other", "name": "News of your orders"})
    assert Category.objects.get(name="News of your orders").code == "updates"


# --- API keys ---------------------------------------------------------------------------------------------------------
NEW_KEY = {"name": "Web shop", "client": "shop", "mode": "test", "scopes": ["notifications:write"], "days": "30"}


def test_a_new_key_is_shown_once_with_a_curl_that_uses_it(client):
    page(client, f"{KEYS}add/")
    answer = client.post(f"{KEYS}add/", NEW_KEY)
    text = answer.content.decode()
    plain = text.partition('id="plain-key">')[2].partition("<")[0]
    key = usable_key(plain)
    assert (key.name, key.client, key.mode, key.scopes) == ("Web shop", "shop", "test", ["notifications:write"])
    assert timedelta(days=29) < key.expires_at - timezone.now() < timedelta(days=31)
    assert f"Authorization: Bearer {plain}" in text.replace("&#x27;", "'")
    assert "no-store" in answer["Cache-Control"]
    assert plain not in page(client, KEYS)
    assert plain not in page(client, f"{KEYS}{key.pk}/change/")


def test_a_key_without_a_name_or_with_an_invented_scope_is_not_made(client):
    answer = client.post(f"{KEYS}add/", {"client": "shop", "mode": "live", "scopes": ["everything"]})
    assert "This field is required" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_only_who_may_add_keys_makes_one():
    onlooker = signed_in(staff("users.view_apikey"))
    assert onlooker.post(f"{KEYS}add/", NEW_KEY).status_code == 403
    assert f"{KEYS}add/" not in page(onlooker, KEYS)
    assert not ApiKey.objects.exists()


def test_a_key_is_never_edited(client):
    key = ApiKeyFactory()
    client.post(f"{KEYS}{key.pk}/change/", {"name": "Other", "scopes": '["users:write"]'})
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("Shop", ["notifications:write"])


def test_revoking_asks_first_and_then_ends_the_key_at_once(client):
    key = ApiKeyFactory(plain="ntf_live_known")
    text = page(client, f"{KEYS}{key.pk}/revoke/")
    assert "Revoke Shop?" in text
    assert usable_key("ntf_live_known") is not None
    client.post(f"{KEYS}{key.pk}/revoke/")
    assert usable_key("ntf_live_known") is not None
    client.post(f"{KEYS}{key.pk}/revoke/", {"reason": "it leaked"})
    assert usable_key("ntf_live_known") is None
    line = AuditEntry.objects.get(what="api_key.revoked")
    assert (line.who, line.why, line.address) == ("Olga", "it leaked", "127.0.0.1")
    assert "Revoked" in page(client, KEYS)


def test_whoever_ends_a_key_in_use_types_its_name(client):
    key = ApiKeyFactory(plain="ntf_live_known", last_used_at=timezone.now(), last_used_from="192.0.2.7")
    assert "192.0.2.7" in page(client, f"{KEYS}{key.pk}/revoke/")
    client.post(f"{KEYS}{key.pk}/revoke/", {"reason": "x", "typed": "Shoe"})
    assert usable_key("ntf_live_known") is not None
    client.post(f"{KEYS}{key.pk}/revoke/", {"reason": "x", "typed": "Shop"})
    assert usable_key("ntf_live_known") is None


def test_a_new_key_takes_the_place_of_an_old_one_and_is_shown_once(client):
    key = ApiKeyFactory(plain="ntf_live_known", scopes=["users:read"])
    assert "A new key in place of Shop?" in page(client, f"{KEYS}{key.pk}/rotate/")
    answer = client.post(f"{KEYS}{key.pk}/rotate/", {"hours": "2"})
    plain = answer.content.decode().partition('id="plain-key">')[2].partition("<")[0]
    assert usable_key(plain).scopes == ["users:read"]
    assert usable_key("ntf_live_known") == key
    key.refresh_from_db()
    assert timedelta(hours=1) < key.expires_at - timezone.now() < timedelta(hours=3)
    assert AuditEntry.objects.get(what="api_key.rotated").who == "Olga"


def test_an_ended_key_is_not_replaced(client):
    key = ApiKeyFactory(revoked_at=timezone.now())
    assert client.post(f"{KEYS}{key.pk}/rotate/", {"hours": "2"}).url == f"{KEYS}{key.pk}/change/"
    assert ApiKey.objects.count() == 1


def test_no_key_is_made_for_the_client_of_a_person(client):
    answer = client.post(f"{KEYS}add/", NEW_KEY | {"client": "person:019a"})
    assert "cannot begin with" in answer.content.decode()


def test_without_permission_a_key_is_not_revoked():
    onlooker, key = signed_in(staff("users.view_apikey")), ApiKeyFactory(plain="ntf_live_known")
    assert f"{KEYS}{key.pk}/revoke/" not in page(onlooker, f"{KEYS}{key.pk}/change/")
    assert onlooker.post(f"{KEYS}{key.pk}/revoke/").status_code == 403
    assert usable_key("ntf_live_known") is not None


def test_an_expired_key_is_called_so(client):
    ApiKeyFactory(expires_at=timezone.now() - timedelta(days=1))
    assert "Expired" in page(client, KEYS)


def test_the_keys_ask_little_of_the_database(client):
    ApiKeyFactory.create_batch(25, expires_at=timezone.now())
    assert len(queries_of(client, KEYS)) <= MOST_QUERIES


def test_an_empty_list_of_keys_says_what_to_do(client):
    assert "A client needs one to send." in page(client, KEYS)
