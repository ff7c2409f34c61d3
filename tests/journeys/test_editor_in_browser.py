"""The editor as people use it: in a real browser, by mouse and by keys, on a desk and on a phone.

Every journey ends with the same question: did the page complain, ask a stranger, or break its own policy?
"""

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from templates_app import drafting
from templates_app.models import Template, TemplateVersion
from tests.factories import TemplateContentFactory, TemplateVersionFactory
from tests.journeys.chromium import Window
from users.channels import Channel
from users.models import User

#: That somebody else has saved is an answer, no fault; and the driver's own clock does not get into the sandbox either.
HARMLESS = ("409 (Conflict)", "Blocked script execution in 'about:")
NAME = {"name": "name", "type": "string", "required": True, "example": "Zebedee"}
HTML = "<!doctype html>\n<html lang='en'><body>\n<p>Dear {{ name }}, good to see you.</p>\n</body></html>\n"

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "postgresql", reason="the browser sees no difference; once is enough"),
]


class Desk(Window):
    """A browser window of one person."""

    harmless = HARMLESS

    def __init__(self, browser: Browser, server: str, name: str, **window) -> None:
        person = User.objects.create_superuser(email=f"{name.lower()}@example.com", name=name)
        client = Client()
        client.force_login(person)
        assert SessionStore(client.session.session_key).exists(client.session.session_key)
        super().__init__(browser, server, **window)
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": client.cookies[settings.SESSION_COOKIE_NAME].value}
        self.context.add_cookies([cookie | {"url": server}])

    def open(self, template: Template) -> Page:
        self.page.goto(f"{self.server}/admin/templates_app/template/{template.pk}/editor/")
        expect(self.page.locator("#editor[data-ready]")).to_be_attached()
        return self.page


@pytest.fixture
def desk(browser, live_server):
    """`desk("Olga")` is a window in which Olga has signed in."""
    desks = []

    def sit_down(name: str, **window) -> Desk:
        desks.append(Desk(browser, live_server.url, name, **window))
        return desks[-1]

    yield sit_down
    for each in desks:
        each.close()


@pytest.fixture
def draft():
    version = TemplateVersionFactory(template__code="welcome_email", variables=[NAME])
    TemplateContentFactory(version=version, subject="Welcome, {{ name }}", html=HTML, text="Dear {{ name }}")
    TemplateContentFactory(version=version, channel=Channel.PUSH, title="Hello {{ name }}", body="Come in.")
    return version


def words(version, locale="en", channel=Channel.EMAIL):
    return version.contents.get(locale=locale, channel=channel)


def saved(page):
    expect(page.locator("[data-save-state][data-state=saved]")).to_be_visible()


def mail(page):
    return page.frame_locator("iframe[data-part=frame]")


def test_an_editor_writes_with_completion_sees_it_at_once_and_it_is_saved_by_itself(desk, draft):
    window = desk("Olga")
    window.page.clock.install()
    page = window.open(draft.template)
    page.clock.run_for(1_000)
    expect(mail(page).get_by_text("Dear Zebedee, good to see you.")).to_be_visible()

    subject = page.get_by_label("Subject")
    subject.fill("")
    subject.press_sequentially("Hi {{ na")
    expect(page.get_by_role("option", name="name string")).to_be_visible()
    subject.press("Enter")
    expect(subject).to_have_value("Hi {{ name }}")
    page.clock.run_for(1_000)
    expect(page.locator("[data-part=subject]")).to_have_text("Hi Zebedee")

    # What cannot be shown is said with line and remedy; the last good preview stays.
    page.locator(".ace_content").click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("{{ nmae }}")
    page.clock.run_for(1_000)
    problem = page.locator("[data-part=problem]")
    expect(problem).to_contain_text("html, line 5")
    expect(problem).to_contain_text("Did you mean {{ name }}?")
    expect(mail(page).get_by_text("Dear Zebedee, good to see you.")).to_be_visible()
    expect(page.locator("[data-names]").get_by_role("button")).to_have_text("Declare nmae")
    for _ in range(len("{{ nmae }}")):
        page.keyboard.press("Backspace")
    page.clock.run_for(1_000)
    expect(problem).to_be_hidden()

    page.clock.run_for(10_000)
    saved(page)
    assert words(draft).subject == "Hi {{ name }}"
    assert words(draft).html == HTML


def test_long_names_dark_devices_and_pushes_are_looked_at(desk, draft):
    page = desk("Olga").open(draft.template)
    page.locator("#ed-sample").select_option("long")
    expect(page.locator("[data-part=subject]")).to_contain_text("Wilhelmina")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("iframe[data-scheme=dark]")).to_be_visible()
    page.get_by_role("button", name="Phone").click()
    assert page.locator("iframe[data-part=frame]").bounding_box()["width"] <= 375
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator("[data-part=text]")).to_contain_text("Dear Wilhelmina")
    page.get_by_role("tab", name="Push").click()
    expect(page.locator("[data-push=title]")).to_contain_text("Hello Wilhelmina")
    expect(page.locator("[data-count=title]")).to_have_text("13 / 65")


def test_of_two_people_nobody_loses_a_word(desk, draft):
    one, other = desk("Olga"), desk("Otto")
    mine, theirs = one.open(draft.template), other.open(draft.template)
    theirs.get_by_label("Subject").fill("Good day, {{ name }}")
    theirs.keyboard.press("Control+s")
    saved(theirs)

    # Another field fits together by itself.
    mine.get_by_label("Preheader").fill("Only a moment")
    mine.keyboard.press("Control+s")
    expect(mine.locator("[data-save-state]")).to_contain_text("together with changes of Otto")
    expect(mine.get_by_label("Subject")).to_have_value("Good day, {{ name }}")
    assert (words(draft).subject, words(draft).preheader) == ("Good day, {{ name }}", "Only a moment")

    # The same field is asked about.
    theirs.get_by_label("Subject").fill("Cheers, {{ name }}")
    theirs.get_by_role("button", name="Save draft").click()
    expect(theirs.locator("[data-save-state]")).to_contain_text("together with changes of Olga")
    mine.get_by_label("Subject").fill("Hello, {{ name }}")
    mine.keyboard.press("Control+s")
    question = mine.locator("dialog[data-conflict]")
    expect(question).to_contain_text("by Otto")
    expect(question.locator("li ins")).to_have_text("Hello")
    question.get_by_role("button", name="Take theirs").click()
    expect(mine.get_by_label("Subject")).to_have_value("Cheers, {{ name }}")
    mine.locator("[data-aside] summary").click()
    expect(mine.get_by_label("Your own words")).to_have_value("# contents/en/email/subject\nHello, {{ name }}")

    drafting.save_content(draft, locale="en", channel="email", words={"subject": "Third", "html": HTML})
    mine.get_by_label("Subject").fill("Hello again")
    mine.keyboard.press("Control+s")
    question.get_by_role("button", name="Keep mine").click()
    saved(mine)
    assert words(draft).subject == "Hello again"


def test_a_translation_to_arabic_is_published_and_taken_back(desk, draft):
    draft.template.live_version = draft
    drafting.save_draft(draft, note="First")
    TemplateVersion.objects.filter(pk=draft.pk).update(state=TemplateVersion.State.PUBLISHED)
    Template.objects.filter(pk=draft.template_id).update(live_version=draft)
    page = desk("Olga").open(draft.template)
    page.get_by_role("button", name="Language", exact=True).click()
    page.locator("#ed-locale").fill("ar")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="Arabic")).to_have_attribute("aria-selected", "true")
    subject = page.get_by_label("Subject")
    expect(subject).to_have_attribute("dir", "rtl")
    expect(page.locator("[data-field=subject] [data-source-words]")).to_have_text("Welcome, {{ name }}")
    expect(page.locator(".ace_editor")).to_be_hidden()
    subject.fill("أهلاً {{ name }}")
    page.locator("#ed-html").fill('<html lang="ar" dir="rtl"><body><p>أهلاً {{ name }}</p></body></html>')
    expect(mail(page).get_by_text("أهلاً Zebedee")).to_be_visible()
    page.get_by_role("tab", name="Push").click()
    page.get_by_label("Title").fill("أهلاً")
    page.get_by_label("Body").fill("تفضل")

    page.get_by_role("link", name="Publish…").click()
    page.get_by_label("What changed").fill("Arabic")
    if page.get_by_label("I have looked at the warnings.").count():
        page.get_by_label("I have looked at the warnings.").check()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("v2 is live")).to_be_visible()
    assert words(draft.template.versions.get(state="published"), "ar").subject == "أهلاً {{ name }}"

    page.get_by_role("link", name="Go back to it…").click()
    page.get_by_label("Reason").fill("A word was wrong")
    page.get_by_role("button", name="Go back to v1").click()
    expect(page.get_by_text("v3 is live: the words of v1.")).to_be_visible()
    live = Template.objects.get(pk=draft.template_id).live_version
    assert (live.number, live.contents.filter(locale="ar").exists()) == (3, False)


def test_keys_are_enough(desk, draft):
    TemplateContentFactory(version=draft, locale="de", subject="Willkommen", html="<p>x</p>")
    page = desk("Olga").open(draft.template)
    page.get_by_role("tab", name="English").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="German")).to_be_focused()
    expect(page.get_by_label("Subject")).to_have_value("Willkommen")
    page.get_by_label("Preheader").focus()
    page.keyboard.type("Hallo")
    page.keyboard.press("Control+s")
    saved(page)
    assert words(draft, "de").preheader == "Hallo"
    # The source can be entered and left again.
    page.locator(".ace_scroller").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("!")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator(".ace_text-input")).not_to_be_focused()


def test_a_phone_has_a_plain_field_and_nothing_sticks_out(desk, draft):
    window = desk("Olga", viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = window.open(draft.template)
    expect(page.locator("#ed-html")).to_be_visible()
    expect(page.locator(".ace_editor")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.get_by_label("Subject").fill("Short")
    page.get_by_role("button", name="Save draft").click()
    saved(page)
    assert words(draft).subject == "Short"
    page.get_by_role("button", name="Send test").click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("Accepted by capture")).to_be_visible()
    page.get_by_role("link", name="Open in captured messages").click()
    expect(page.get_by_role("heading", name="[Test] Short")).to_be_visible()
