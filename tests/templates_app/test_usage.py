"""Who sends which variables: counted without a query, written down from time to time."""

import threading
from datetime import timedelta

import pytest

from templates_app import usage
from templates_app.models import TemplateUse
from templates_app.usage import CallerShape, callers_of, tell_use, write_uses
from tests.factories import PublishedVersionFactory, UserFactory
from tests.gateway import api_scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_gathered(monkeypatch):
    monkeypatch.setattr(usage, "_gathered", usage._Gathered())


@pytest.fixture
def version():
    return PublishedVersionFactory()


def use(version, *names, client="shop", times=1):
    for _ in range(times):
        tell_use(template_id=version.template_id, version_id=version.pk, client=client, names=names)


def test_telling_asks_no_database(version, django_assert_num_queries):
    with django_assert_num_queries(0):
        use(version, "name")


def test_what_was_told_adds_up(version):
    use(version, "name", "link", times=2)
    use(version, "link", "name", client="desk")
    assert write_uses() == 3
    use(version, "name", "link")
    use(version, "name")
    assert (write_uses(), write_uses()) == (2, 0)

    version.refresh_from_db()
    assert version.sent_count == 5
    assert callers_of(version.template) == [
        CallerShape(client="shop", names=frozenset({"name", "link"}), count=3),
        CallerShape(client="desk", names=frozenset({"name", "link"}), count=1),
        CallerShape(client="shop", names=frozenset({"name"}), count=1),
    ]


def test_old_days_do_not_count_and_are_forgotten(version):
    use(version, "name")
    write_uses()
    TemplateUse.objects.update(day=TemplateUse.objects.get().day - usage.LOOK_BACK - timedelta(days=1))
    assert callers_of(version.template) == []
    assert usage.forget_old_uses(limit=10) == 0
    TemplateUse.objects.update(day=TemplateUse.objects.get().day - usage.KEPT_FOR)
    assert usage.forget_old_uses(limit=10) == 1


def test_a_template_that_is_gone_is_no_trouble(version):
    use(version, "name")
    version.template.live_version = None
    version.template.save()
    version.template.delete()
    assert write_uses() == 1
    assert not TemplateUse.objects.exists()


def test_a_client_that_invents_names_fills_nothing(version, monkeypatch):
    monkeypatch.setattr(usage, "MOST_SHAPES", 3)
    for n in range(5):
        use(version, f"name_{n}")
    write_uses()
    use(version, "another")
    use(version, "name_0")
    write_uses()

    assert TemplateUse.objects.count() == 3
    assert TemplateUse.objects.get(names=["name_0"]).count == 2
    version.refresh_from_db()
    assert version.sent_count == 7


def test_accepted_requests_are_counted_once():
    made = api_scene.template(code="welcome_email")
    shop = api_scene.client_with_key()
    UserFactory(external_id="user-123")
    for _ in range(2):  # the second is a replay
        api_scene.post(
            shop, api_scene.request_body(variables={"name": "Ann", "verification_link": "https://e.com", "x": None})
        )
    write_uses()

    assert [(each.client, each.names, each.count) for each in made.uses.all()] == [
        ("shop", ["name", "verification_link"], 1)
    ]


def test_a_thread_writes_until_it_is_told_to_stop(monkeypatch):
    written, stopping = threading.Event(), threading.Event()
    monkeypatch.setattr(usage, "WRITE_EVERY", timedelta(0))
    monkeypatch.setattr(usage, "write_uses", written.set)
    usage.keep_writing(stopping)
    assert written.wait(10)
    stopping.set()
