"""Keys that nobody meant: a stray scan, a key held down. Money moves for a press alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from refunds.models import Refund
from stores.models import Order
from tests.conftest import Chain
from tests.refunds.asking import ask, run

pytestmark = pytest.mark.browser
GOODS = "7035620025037"


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)


def scan(desk: Page, text: str) -> None:
    """A scanner is a keyboard without pauses that ends with Enter."""
    desk.keyboard.type(text)
    desk.keyboard.press("Enter")
    desk.wait_for_timeout(200)


def at_the_reasons(desk: Page, order: Order) -> None:
    desk.goto(f"/desk/orders/{order.public_id}/")
    desk.keyboard.press("F2")
    expect(desk.locator("#amount")).to_have_value("1000.00")


def at_the_confirmation(desk: Page, order: Order) -> None:
    at_the_reasons(desk, order)
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Refund NOK 1,000.00")).to_be_focused()


def test_a_scan_on_the_confirmation_refunds_nothing(desk: Page, order: Order) -> None:
    at_the_confirmation(desk, order)
    scan(desk, GOODS)
    expect(desk.get_by_role("button", name="Refund NOK 1,000.00")).to_be_focused()
    assert not Refund.objects.exists()


def test_scanned_goods_choose_no_reason_and_go_on_nowhere(desk: Page, order: Order) -> None:
    at_the_reasons(desk, order)
    scan(desk, GOODS)
    scan(desk, GOODS)
    expect(desk.locator("[name=reason]:checked")).to_have_count(0)
    expect(desk.get_by_role("button", name="Go on")).to_be_disabled()
    desk.keyboard.press("2")
    expect(desk.locator("[name=reason]:checked")).to_have_count(1)


def test_a_digit_outside_the_form_is_no_choice(desk: Page, order: Order) -> None:
    at_the_reasons(desk, order)
    desk.get_by_role("link", name="My refunds").focus()
    desk.keyboard.press("3")
    desk.wait_for_timeout(200)
    expect(desk.locator("[name=reason]:checked")).to_have_count(0)


def test_enter_held_down_stops_at_the_confirmation(desk: Page, order: Order) -> None:
    at_the_reasons(desk, order)
    desk.keyboard.press("1")
    desk.keyboard.down("Enter")
    expect(desk.get_by_role("button", name="Refund NOK 1,000.00")).to_be_focused()
    for _ in range(3):
        desk.keyboard.down("Enter")
    desk.keyboard.up("Enter")
    desk.wait_for_timeout(200)
    expect(desk.get_by_role("button", name="Refund NOK 1,000.00")).to_be_focused()
    assert not Refund.objects.exists()


def test_enter_on_all_that_is_left_fills_it_in(desk: Page, order: Order) -> None:
    desk.goto(f"/desk/orders/{order.public_id}/")
    desk.get_by_role("button", name=re.compile("All that is left")).focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("#amount")).to_have_value("1000.00")


def test_the_next_customers_receipt_is_found_from_the_end_of_the_last_one(chain: Chain, desk: Page, order: Order) -> None:
    refund = run(ask(order, 25_000, who=chain.kari, store=chain.oslo).refund)
    following = chain.sold(chain.bergen, "BGO-20261101-7742", 50_000)
    desk.goto(f"/desk/refunds/{refund.pk}/")
    expect(desk.get_by_role("heading", name="Refunded", exact=True)).to_be_visible()
    scan(desk, "BGO-20261101-7742")
    desk.wait_for_url(f"**/desk/orders/{following.public_id}/")


def test_escape_throws_no_written_words_away(desk: Page) -> None:
    desk.goto("/desk/shift/")
    note = desk.locator("#main textarea")
    note.fill("The printer is out of paper")
    desk.keyboard.press("Escape")
    expect(note).to_have_value("The printer is out of paper")
    expect(note).not_to_be_focused()
    desk.keyboard.press("Escape")
    desk.wait_for_url("**/desk/")
