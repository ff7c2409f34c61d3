"""Web Push as a browser sees it: it subscribes, decrypts what our provider has encrypted, shows it, reports back."""

import base64
import json
import time

import pytest
from django.db import connection
from playwright.sync_api import expect
from pywebpush import WebPusher

from channels_push.channel import PushChannel
from channels_push.providers.webpush import LARGEST, payload_of
from channels_push.standins.mailboxes import Mailboxes
from consumers.delivery import Delivery
from gateway.demo_data import seed_demo
from gateway.models import DeliveryAttempt, Notification
from notifications_site import web_push_demo
from tests.channels_push.push_scene import a_push, words
from tests.consumers.engine import RULES, breakers_of
from tests.journeys.chromium import PATIENCE, Window
from users.models import Device

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "postgresql", reason="the browser sees no difference; once is enough"),
]
PAGE = "/demo/web-push/"
#: A busy browser may lose a push: the driver's word is no push service.
TRIES = 4
#: Windows of tests keep nothing, and Chromium has no push service for such.
HARMLESS = ("Push API in incognito mode", "404 (Not Found)")
STATE = "async () => (await navigator.serviceWorker.ready).active.state"
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  const shown = await registration.getNotifications();
  return shown.map(({ title, body, tag, icon, actions, data }) => ({ title, body, tag, icon, actions, data }));
}"""
#: A click as the browser tells it. Only real ones may open windows, so what would be opened is written down.
CLICK = """async (action) => {
  const opened = [];
  self.clients.openWindow = async (url) => { opened.push(url); };
  const [notification] = await self.registration.getNotifications();
  const event = new NotificationEvent("notificationclick", { notification, action });
  let work;
  event.waitUntil = (promise) => { work = promise; };
  self.dispatchEvent(event);
  await work;
  return { opened, left: (await self.registration.getNotifications()).length };
}"""
#: RFC 8291, section 5 and appendix A.
EXAMPLE = {
    "plain": "When I grow up, I want to be a watermelon",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    "private": "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
    "point": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "message": "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
}
DECRYPT = """async ({ message, private: d, point, auth }) => {
  const { decrypt } = await import("/static/notifications_site/push-decryption.js");
  const usual = (text) => text.replaceAll("-", "+").replaceAll("_", "/");
  const plain = (text) => Uint8Array.from(atob(usual(text)), (sign) => sign.charCodeAt(0));
  const safe = (text) => text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const coded = (bytes) => safe(btoa(String.fromCharCode(...bytes)));
  const P256 = { name: "ECDH", namedCurve: "P-256" };
  const whole = plain(point);
  const key = { kty: "EC", crv: "P-256", d, x: coded(whole.slice(1, 33)), y: coded(whole.slice(33)) };
  const privateKey = await crypto.subtle.importKey("jwk", key, P256, false, ["deriveBits"]);
  const publicKey = await crypto.subtle.importKey("raw", whole, P256, true, []);
  const keys = { pair: { privateKey, publicKey }, auth: plain(auth) };
  try {
    return new TextDecoder().decode(await decrypt(plain(message), keys));
  } catch (error) {
    return { refused: error.name };
  }
}"""


class Visitor(Window):
    """A window of somebody who has allowed notifications."""

    harmless = HARMLESS

    def __init__(self, browser, server, **window) -> None:
        super().__init__(browser, server, **window)
        self.context.grant_permissions(["notifications"], origin=server)

    def subscribe(self):
        self.page.goto(self.server + PAGE)
        switch = self.page.get_by_role("button", name="Switch Web Push on")
        if switch.count():
            switch.click()
        self.page.get_by_role("button", name="Subscribe this browser").click()
        expect(self.page.get_by_text("Subscribed at the push service played on this machine.")).to_be_visible()
        return self.page

    @property
    def worker(self):
        # The driver may hear of it later than the page.
        self._wait_until(lambda: self.context.service_workers, "the worker")
        [worker] = self.context.service_workers
        return worker

    def deliver(self, payload: str) -> None:
        """As the browser does with what its push service sends."""
        session, found = self.context.new_cdp_session(self.page), []
        session.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.extend(event["registrations"]))
        session.send("ServiceWorker.enable")
        # A worker that is still being activated would miss it.
        self._wait_until(lambda: found and self.page.evaluate(STATE) == "activated", "the worker's activation")
        number = found[0]["registrationId"]
        push = {"origin": self.server, "registrationId": number, "data": payload}
        before = self.page.evaluate(SHOWN)
        for _ in range(TRIES):
            session.send("ServiceWorker.deliverPushMessage", push)
            if self._comes(lambda: self.page.evaluate(SHOWN) != before, within=PATIENCE / TRIES):
                return
        raise AssertionError("The browser shows nothing new.")

    def shown(self, *titles: str):
        """The notifications the browser shows, once they are these; one that was delivered again counts once."""
        by_title = {}

        def are_there():
            by_title.clear()
            by_title.update({each["title"]: each for each in self.page.evaluate(SHOWN)})
            return by_title.keys() == set(titles)

        self._wait_until(are_there, lambda: f"{titles}, but {list(by_title)},")
        return [by_title[title] for title in titles]

    def _wait_until(self, condition, what) -> None:
        assert self._comes(condition, within=PATIENCE), f"{what() if callable(what) else what} did not come"

    def _comes(self, condition, *, within: float) -> bool:
        ends_at = time.monotonic() + within / 1000
        while not condition():
            if time.monotonic() > ends_at:
                return False
            self.page.wait_for_timeout(10)
        return True


@pytest.fixture
def visitor(browser, live_server, settings, tmp_path, monkeypatch, stored_settings_followed):
    settings.VAR_DIR = tmp_path
    monkeypatch.setattr(web_push_demo, "mailboxes", Mailboxes())
    seed_demo(keep_in=tmp_path)
    visitors = []

    def come(**window) -> Visitor:
        visitors.append(Visitor(browser, live_server.url, **window))
        return visitors[-1]

    yield come
    for each in visitors:
        each.close()


def send(page, tmp_path) -> Notification:
    """What the button sends, and what the consumer then does."""
    page.get_by_role("button", name="Send me a push").click()
    expect(page.get_by_text("Accepted:")).to_be_visible()
    notification = Notification.objects.get()
    channel = PushChannel()
    delivery = Delivery(channel, holder="c", journal_folder=tmp_path, rules=RULES, breakers=breakers_of(channel))
    try:
        delivery.deliver([notification.pk])
    finally:
        delivery.close()
    return notification


def step(page, kind):
    return page.locator(f"#story li[data-type={kind}]")


def test_a_browser_subscribes_gets_a_push_and_its_click_is_known(visitor, tmp_path):
    window = visitor()
    page = window.subscribe()

    notification = send(page, tmp_path)

    expect(step(page, "delivered")).to_be_visible()
    [shown] = window.shown("Your parcel is on its way")
    assert shown["body"].startswith("Ann, your order HB-20418 has left")
    assert shown["tag"] == str(notification.pk)
    assert window.worker.evaluate(CLICK, "") == {"opened": [f"{window.server}{PAGE}#clicked"], "left": 0}
    expect(step(page, "clicked")).to_be_visible()
    notification.refresh_from_db()
    assert notification.status == "delivered"
    assert DeliveryAttempt.objects.get().provider == "webpush"

    # After a reload everything is still there, and a second push comes to the same subscription.
    page.reload()
    expect(page.get_by_role("button", name="Send me a push")).to_be_enabled()
    assert Device.objects.filter(provider="webpush").count() == 1


def test_who_subscribes_again_stays_one_device_and_is_told_when_it_has_ended(visitor, monkeypatch):
    window = visitor(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page = window.subscribe()
    page.get_by_role("button", name="Subscribe this browser").click()
    expect(page.get_by_text("Asking the browser")).to_be_hidden()
    assert Device.objects.filter(provider="webpush").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    monkeypatch.setattr(web_push_demo, "mailboxes", Mailboxes())

    expect(page.get_by_text("The subscription has ended.")).to_be_visible()
    expect(page.get_by_role("button", name="Send me a push")).to_be_disabled()


def test_the_worker_shows_what_the_browser_itself_was_sent(visitor):
    window = visitor()
    window.subscribe()
    said = words(
        title="Door bell",
        body="Somebody is there.",
        link="https://home.example/door",
        data={"_tag": "door", "icon": f"{window.server}/static/notifications_site/favicon.svg"},
        actions=(
            {"action": "open", "title": "Open", "link": "https://home.example/door/open"},
            {"action": "later", "title": "Later", "link": ""},
        ),
    )

    window.deliver(payload_of(a_push(said=said)))

    [shown] = window.shown("Door bell")
    assert (shown["body"], shown["tag"]) == ("Somebody is there.", "door")
    assert [(each["action"], each["title"]) for each in shown["actions"]] == [("open", "Open"), ("later", "Later")]
    assert shown["icon"].endswith("favicon.svg")
    assert shown["data"]["link"] == "https://home.example/door"
    assert window.worker.evaluate(CLICK, "open") == {"opened": ["https://home.example/door/open"], "left": 0}

    # A later one with the same tag replaces the first; a word that is no push of ours is shown all the same.
    for text in ("One", "Two"):
        window.deliver(payload_of(a_push(said=words(title=text, data={"_tag": "same"}))))
    window.deliver("Hello")
    window.shown("Two", "Hello")


def test_a_link_that_is_no_page_is_not_opened(visitor):
    window = visitor()
    window.subscribe()
    window.deliver(json.dumps({"title": "Trick", "data": {"link": "javascript:alert(1)"}}))
    window.shown("Trick")

    assert window.worker.evaluate(CLICK, "")["opened"] == []


def test_the_page_decrypts_as_the_standard_says_and_what_our_library_encrypts(visitor):
    window = visitor()
    window.page.goto(window.server + PAGE)

    assert window.page.evaluate(DECRYPT, EXAMPLE) == EXAMPLE["plain"]
    keys = {"p256dh": EXAMPLE["point"], "auth": EXAMPLE["auth"]}
    library = WebPusher({"endpoint": "https://push.example.com/1", "keys": keys})
    for text in ("x", "Grüße 👋", "x" * LARGEST):
        made = library.encode(text.encode(), content_encoding="aes128gcm")["body"]
        assert window.page.evaluate(DECRYPT, EXAMPLE | {"message": coded(made)}) == text
    assert window.page.evaluate(DECRYPT, EXAMPLE | {"auth": coded(bytes(16))}) == {"refused": "OperationError"}


def coded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
