"""Unsubscribe links and the page behind them."""

import re

import pytest
from django.test import Client

from tests.factories import UserFactory
from users.channels import Channel
from users.models import Category, ConsentEvent
from users.preferences import Origin, Wish, change_preferences, read_wishes
from users.unsubscribe import Subject, WrongLink, read_token, token_of, unsubscribe_url
from users.unsubscribe_words import WORDS, language_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return UserFactory(locale="de-AT")


def subject(person, category="marketing", channel="email"):
    return Subject(user_id=person.pk, channel=channel, category=category)


def link(person, **about):
    return f"/unsubscribe/{token_of(subject(person, **about))}/"


def marketing(person):
    return read_wishes(person).of_category("marketing", "email")


@pytest.fixture
def mail_program():
    return Client(enforce_csrf_checks=True)


def test_a_link_says_what_it_is_about_and_cannot_be_changed(ann, settings):
    token = token_of(subject(ann))

    assert read_token(token) == subject(ann)
    assert unsubscribe_url(subject(ann)) == f"{settings.PUBLIC_URL}/unsubscribe/{token}/"
    assert re.fullmatch(r"[A-Za-z0-9~._-]+", token)
    for wrong in (token[:-1], token.replace("marketing", "updates"), "x", "", token.partition(".")[0]):
        with pytest.raises(WrongLink):
            read_token(wrong)


def test_a_link_outlives_a_change_of_the_key(ann, settings):
    token = token_of(subject(ann))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10

    assert read_token(token) == subject(ann)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(WrongLink):
        read_token(token)


@pytest.mark.parametrize("encoding", ["form", "multipart"])
def test_one_click_turns_it_off(ann, mail_program, encoding):
    if encoding == "form":
        body = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}
    else:
        body = {"data": {"List-Unsubscribe": "One-Click"}}

    responses = [mail_program.post(link(ann), **body) for _ in range(2)]

    assert [response.status_code for response in responses] == [200, 200]
    assert not responses[0].cookies
    assert marketing(ann) is False
    (line,) = ConsentEvent.objects.filter(user=ann)
    assert (line.by, line.source, line.category_code, line.became) == (
        "unsubscribe_link",
        "one click",
        "marketing",
        False,
    )


def test_looking_changes_nothing(ann, mail_program):
    page = mail_program.get(link(ann))

    assert page.status_code == mail_program.head(link(ann)).status_code == 200
    assert marketing(ann) is None
    assert not ConsentEvent.objects.exists()
    assert not page.cookies
    assert page["Cache-Control"] == "no-store"
    assert page["Content-Language"] == "de"
    assert "Abbestellen" in page.content.decode()


def test_the_page_unsubscribes_and_takes_it_back(ann, mail_program):
    off = mail_program.post(link(ann), {"action": "unsubscribe"})
    assert (off.status_code, marketing(ann)) == (200, False)
    assert "Wieder bestellen" in off.content.decode()

    on = mail_program.post(link(ann), {"action": "resubscribe"})
    assert (on.status_code, marketing(ann)) == (200, None)
    assert "Abbestellen" in on.content.decode()


def test_saving_sets_all_boxes_but_locked_ones(ann, mail_program):
    change_preferences(
        user=ann,
        wish=Wish(channels={}, categories={"updates": {"email": True}}),
        origin=Origin(by="self", source="api"),
    )

    page = mail_program.post(link(ann), {"action": "save", "email:": "on", "email:updates": "on", "push:updates": "on"})

    assert page.status_code == 200
    assert "gespeichert" in page.content.decode()
    assert read_wishes(ann).own == {
        "channels": {"email": True, "push": False},
        "categories": {
            "marketing": {"email": False, "push": False},
            "updates": {"email": True, "push": None},
        },
    }


def test_what_is_none_of_it_is_refused(ann, mail_program):
    assert mail_program.post(link(ann), {"action": "dance"}).status_code == 400
    assert mail_program.post(link(ann)).status_code == 400
    assert mail_program.put(link(ann)).status_code == 405
    assert marketing(ann) is None


def test_a_wrong_link_is_a_page_with_404(ann, mail_program):
    gone = UserFactory()
    of_nobody, of_nothing = link(gone), link(ann, category="gossip")
    gone.delete()

    for wrong in ("/unsubscribe/nonsense/", of_nobody, of_nothing):
        for response in (mail_program.get(wrong), mail_program.post(wrong, {"action": "unsubscribe"})):
            assert response.status_code == 404
            assert response["Content-Type"].startswith("text/html")


def test_what_has_become_mandatory_cannot_be_turned_off(ann, mail_program):
    Category.objects.filter(code="marketing").update(is_mandatory=True)

    assert mail_program.post(link(ann), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert marketing(ann) is None
    assert "Abbestellen" not in mail_program.get(link(ann)).content.decode()


@pytest.mark.parametrize("language", WORDS)
def test_every_language_has_its_page(mail_program, language):
    person = UserFactory(locale=language)

    page = mail_program.get(link(person)).content.decode()

    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
    assert set(WORDS[language].channels) == set(Channel.values)


def test_other_languages_read_english():
    assert [language_of(locale) for locale in ("pt-BR", "de-CH", "")] == ["en", "de", "en"]
