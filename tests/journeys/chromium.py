"""Chromium of this machine, and a window in it that hears everything the page complains about."""

import os
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
#: A busy machine may be slow; nothing here waits for a time, only for things to happen. Milliseconds.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser(django_db_setup):
    """Chromium of this machine; its absence is said loudly, and is a failure with CI=true."""
    if not CHROMIUM.exists():
        words = f"No browser at {CHROMIUM}: the journeys in a browser were not tried."
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    outside = connections["default"]
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # The library runs a loop in this thread: Django would refuse our own calls, and open another connection.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        connections["default"] = outside
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


class Window:
    """A window of its own, which keeps nothing for others."""

    #: What a page may say all the same.
    harmless: tuple[str, ...] = ()

    def __init__(self, browser: Browser, server: str, **window) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | window)
        self.server, self.complaints = server, []
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def close(self) -> None:
        self.context.close()
        assert self.complaints == []

    def _heard(self, message) -> None:
        if message.type == "error" and not any(harmless in message.text for harmless in self.harmless):
            self.complaints.append(message.text)

    def _asked(self, request) -> None:
        if not request.url.startswith((self.server, "data:", "about:")):
            self.complaints.append(f"foreign: {request.url}")
