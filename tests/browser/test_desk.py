"""The desk in a real browser: scan to done by keyboard, one refund however often one presses, and for everybody."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from refunds.models import Refund, State
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import PASSWORD, Chain
from tests.refunds.asking import ask, make_due, run

pytestmark = pytest.mark.browser


def find(desk: Page, typed: str) -> None:
    """Type into the field that has the cursor, and Enter, as a scanner does."""
    desk.goto("/desk/")
    expect(desk.locator("#q")).to_be_focused()
    desk.keyboard.type(typed)
    desk.keyboard.press("Enter")


def test_kari_refunds_part_of_bergens_order_without_a_mouse(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    find(desk, "1-7741")
    desk.wait_for_url(f"**/desk/orders/{order.public_id}/")
    expect(desk.locator("#amount")).to_be_focused()
    expect(desk.get_by_role("button", name="Go on")).to_be_disabled()
    desk.keyboard.type("250")
    expect(desk.locator("#amount-hint")).to_contain_text("750.00 left after that")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Space")
    expect(desk.get_by_label("Goods returned")).to_be_checked()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="NOK 250.00")).to_be_visible()
    expect(desk.get_by_role("button", name="Refund NOK 250.00")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    run(Refund.objects.get())
    expect(desk.get_by_role("heading", name="Refunded", exact=True)).to_be_visible()
    expect(desk.get_by_role("heading", name="Refund receipt")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.locator("#q")).to_be_focused()
    log = chain.simulator.log(reference=order.reference, operation="refund", applied=True)
    assert [(entry.msn, entry.amount_minor) for entry in log] == [("100002", 25_000)]


def test_all_that_is_left_is_one_key(chain: Chain, desk: Page) -> None:
    chain.sold(chain.bergen, "BGO-20261101-7741", 123_450)
    find(desk, "BGO-20261101-7741")
    expect(desk.locator("#amount")).to_be_focused()
    desk.keyboard.press("F2")
    expect(desk.locator("#amount")).to_have_value("1234.50")
    expect(desk.locator("#amount-hint")).to_contain_text("NOK 0.00 left after that")


def test_a_double_click_is_one_refund(chain: Chain, desk: Page) -> None:
    chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    find(desk, "BGO-20261101-7741")
    desk.fill("#amount", "250")
    desk.get_by_label("Goods returned").check()
    desk.get_by_role("button", name="Go on").click()
    desk.get_by_role("button", name="Refund NOK 250.00").dblclick()
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    assert [refund.amount_minor for refund in Refund.objects.all()] == [25_000]


def test_other_asks_for_words_only_then(chain: Chain, desk: Page) -> None:
    chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    find(desk, "BGO-20261101-7741")
    words = desk.get_by_label("In your own words")
    expect(words).to_be_hidden()
    desk.get_by_role("radio", name="Other", exact=True).check()
    expect(words).to_be_visible()


def test_a_miss_is_overwritten_by_the_next_scan_and_arrows_choose(chain: Chain, desk: Page) -> None:
    for number in (1, 2, 3):
        chain.sold(chain.bergen, f"BGO-20261101-774{number}", 100_000, days_ago=number)
    find(desk, "NOSUCH-99")
    expect(desk.get_by_role("heading", name="No order matches")).to_be_visible()
    desk.keyboard.type("BGO-20261101")
    expect(desk.locator("#q")).to_have_value("BGO-20261101")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="3 orders")).to_be_visible()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowUp")
    expect(desk.locator(".hit a").first).to_be_focused()
    desk.keyboard.press("Escape")
    expect(desk.locator("#q")).to_be_focused()


def test_a_lost_answer_is_told_and_then_settled_on_the_open_page(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    chain.simulator.arm(Fault(kind=FaultKind.DROP_AFTER, operation="refund"))
    desk.goto(f"/desk/refunds/{refund.pk}/")
    assert run(refund).state == State.UNKNOWN
    expect(desk.get_by_role("heading", name="We are finding out")).to_be_visible()
    expect(desk.locator("#progress")).to_contain_text("Do not repeat it")
    make_due(refund)
    assert run(refund).state == State.REFUNDED
    expect(desk.get_by_role("heading", name="Refunded", exact=True)).to_be_visible(timeout=10_000)


def test_the_whole_way_works_without_javascript(chromium: Browser, live_server: LiveServer, chain: Chain) -> None:
    chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    context = chromium.new_context(java_script_enabled=False, base_url=live_server.url, locale="nb-NO")
    page = context.new_page()
    page.goto("/desk/")
    page.fill("#id_login", "kari")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Logg inn").click()
    page.fill("#q", "7741")
    page.get_by_role("button", name="Finn", exact=False).click()
    page.fill("#amount", "250,50")
    page.get_by_label("Varer i retur").check()
    page.get_by_role("button", name="Gå videre").click()
    page.get_by_role("button", name=re.compile(r"Refunder 250,50\skr")).click()
    expect(page.get_by_role("heading", name="I kø")).to_be_visible()
    run(Refund.objects.get())
    expect(page.get_by_role("heading", name="Refundert", exact=True)).to_be_visible()  # it looks again by itself
    context.close()


def _pages(chain: Chain) -> list[str]:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    chain.sold(chain.oslo, "OSL-20261101-7741", 50_000)
    done = run(ask(order, 25_000, who=chain.kari, store=chain.oslo).refund)
    moving = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    return [
        *("/desk/", "/desk/?q=7741", "/desk/?q=NOSUCH-99", "/desk/today/", f"/desk/orders/{order.public_id}/"),
        *(f"/desk/refunds/{done.pk}/", f"/desk/refunds/{moving.pk}/", "/accounts/password/change/", "/nowhere/"),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_every_page(chain: Chain, desk: Page, scheme: str) -> None:
    desk.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in _pages(chain):
        desk.goto(path)
        found = Axe().run(desk)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"


def test_nothing_is_cut_off_on_a_telephone(chain: Chain, desk: Page) -> None:
    desk.set_viewport_size({"width": 320, "height": 640})
    for path in _pages(chain):
        desk.goto(path)
        assert desk.evaluate("document.documentElement.scrollWidth") == 320, path
