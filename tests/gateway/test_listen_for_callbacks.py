import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from consumers.callback_sender import CallbackSender
from gateway import callback_endpoints
from gateway.management.commands import listen_for_callbacks
from gateway.models import CallbackEndpoint
from tests.callback_scene import endpoint, receiver, verified

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:21790/hooks"


class OneLook:
    """Lets the command look once, after something has been posted."""

    def __init__(self, act):
        self._act, self._looks = act, 0

    def wait(self, seconds):
        self._looks += 1
        if self._looks == 1:
            self._act()
        return self._looks > 1


def listen(monkeypatch, url, act=lambda: None, **options):
    monkeypatch.setattr(listen_for_callbacks.Command, "stopping", OneLook(act))
    out = StringIO()
    call_command("listen_for_callbacks", client="shop", forward_to=url, stdout=out, **options)
    return out.getvalue()


def test_what_is_posted_meanwhile_is_shown_and_in_the_end_nothing_is_left(monkeypatch):
    def post_a_test():
        callback_endpoints.owe_test(CallbackEndpoint.objects.get())
        CallbackSender(stopping=threading.Event()).run(once=True)

    with receiver() as hook:
        text = listen(monkeypatch, hook.url, post_a_test)

    secret = text.splitlines()[0].removeprefix("Secret: ")
    assert verified(secret, hook.posts[0])["type"] == "callback.test"
    assert text.count("callback.test") == 1
    assert "→ 200 (" in text
    assert not CallbackEndpoint.objects.exists()


def test_ctrl_c_ends_it_in_an_orderly_way(monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    listen(monkeypatch, URL, interrupt)

    assert not CallbackEndpoint.objects.exists()


def test_wrong_wishes_are_named(monkeypatch, settings):
    with pytest.raises(CommandError, match="--events: sent is no event; there are ") as refused:
        listen(monkeypatch, URL, events="sent")
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="--forward-to: Use an address") as refused:
        listen(monkeypatch, "ftp://127.0.0.1/")
    assert refused.value.returncode == 2
    for _ in range(10):
        endpoint(URL)
    with pytest.raises(CommandError, match="--client: shop has 10 endpoints already") as refused:
        listen(monkeypatch, URL)
    assert refused.value.returncode == 2
