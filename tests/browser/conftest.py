"""A till for the tests: headless Chromium at a live desk, which fails a test on any script or policy error."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.conftest import PASSWORD, Chain

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

EXPECTED = (
    "Failed to load resource",  # how Chromium announces a 4xx answer; the tests look at those themselves
    *("htmx:afterRequest", "htmx:sendAbort"),  # a fragment that is replaced drops the look that it was just taking
    "Response Status Error Code 502",  # a gateway that a test has broken
    "htmx:sendError",  # leaving a page cuts off the look that it was just taking
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium; without one these tests say so and are skipped."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: the desk was not driven in a browser")
    # Playwright's loop runs in this thread, where Django would refuse to ask the database.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def screen(chromium: Browser, live_server: LiveServer, chain: Chain) -> Iterator[Page]:
    """A till's screen, 1024 × 768, at the sign-in page of the live desk."""
    context = chromium.new_context(viewport={"width": 1024, "height": 768}, locale="en-GB", base_url=live_server.url)
    context.set_default_timeout(10_000)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.on("console", lambda message: broken.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert [text for text in broken if not any(known in text for known in EXPECTED)] == []


@pytest.fixture
def desk(screen: Page) -> Page:
    """Kari has signed in, by keyboard."""
    screen.goto("/desk/")
    expect(screen.locator("#id_login")).to_be_focused()
    screen.keyboard.type("kari")
    screen.keyboard.press("Tab")
    screen.keyboard.type(PASSWORD)
    screen.keyboard.press("Enter")
    expect(screen.locator("#q")).to_be_focused()
    return screen


@pytest.fixture
def bare_desk(chromium: Browser, live_server: LiveServer, chain: Chain) -> Iterator[Page]:
    """Kari has signed in, in Norwegian, in a browser without JavaScript."""
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url, locale="nb-NO")
    page = context.new_page()
    page.goto("/desk/")
    page.fill("#id_login", "kari")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Logg inn").click()
    yield page
    context.close()
