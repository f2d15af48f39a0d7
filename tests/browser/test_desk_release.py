"""Releasing at the desk in a real browser, by keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Chain
from tests.refunds.asking import run
from tests.refunds.releases import cancels, releases_of, reserved

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
