"""The switch in a browser: one press and the page stands in the other language, the place in it kept."""

import pytest
from playwright.sync_api import Page, expect

from stores.models import User
from tests.conftest import Chain

pytestmark = pytest.mark.browser

SAYS = {
    "nb": "Finn kundens ordre",
    "da": "Find kundens ordre",
    "sv": "Sök kundens order",
    "fi": "Etsi asiakkaan ostos",
    "en": "Find the customer’s order",
}


def test_each_language_is_one_press_away_and_stays_with_her(chain: Chain, desk: Page) -> None:
    for language, heading in SAYS.items():
        desk.locator(".me summary").click()
        desk.locator(f"button[name=language][value={language}]").click()
        expect(desk.get_by_role("heading", level=1)).to_contain_text(heading)
        expect(desk.locator("html")).to_have_attribute("lang", language)
        assert User.objects.get(pk=chain.kari.pk).language == language
        assert desk.evaluate("document.documentElement.scrollWidth") <= 1024, language
    expect(desk.locator("#q")).to_be_focused()


def test_the_sign_in_page_switches_too(screen: Page) -> None:
    screen.goto("/accounts/login/?next=/desk/today/")
    screen.locator("button[name=language][value=fi]").click()
    expect(screen.get_by_role("heading", level=1)).to_have_text("Kirjaudu Refund Hubiin")
    assert "next=/desk/today/" in screen.url, "where she wanted to go is kept"
