"""Releasing at the desk in a real browser: by keyboard alone, and readable for everybody."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.conftest import Chain
from tests.refunds.asking import run
from tests.refunds.releases import ask_release, cancels, releases_of, reserved

pytestmark = pytest.mark.browser


def test_kari_releases_bergens_reservation_without_a_mouse(chain: Chain, desk: Page) -> None:
    order = reserved(chain)
    desk.goto(f"/desk/orders/{order.public_id}/")
    expect(desk.get_by_role("link", name="Release the reservation")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="NOK 500.00")).to_be_visible()
    desk.keyboard.press("Space")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    run(releases_of(order)[0])
    expect(desk.get_by_role("heading", name="Released", exact=True)).to_be_visible()
    expect(desk.get_by_role("heading", name="Release receipt")).to_be_visible()
    assert len(cancels(chain)) == 1


def _pages(chain: Chain) -> list[str]:
    offered, done = reserved(chain), reserved(chain, "BGO-20261101-8802")
    release = run(ask_release(done, who=chain.kari, store=chain.oslo).refund)
    orders = [f"/desk/orders/{order.public_id}/" for order in (offered, done)]
    return [*orders, f"{orders[0]}release/", f"/desk/refunds/{release.pk}/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_every_page_of_a_release(chain: Chain, desk: Page, scheme: str) -> None:
    desk.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in _pages(chain):
        desk.goto(path)
        found = Axe().run(desk)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"


def test_no_page_of_a_release_is_cut_off_on_a_telephone(chain: Chain, desk: Page) -> None:
    desk.set_viewport_size({"width": 320, "height": 640})
    for path in _pages(chain):
        desk.goto(path)
        assert desk.evaluate("document.documentElement.scrollWidth") == 320, path
