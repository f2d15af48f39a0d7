"""The desk in a real browser: scan to done by keyboard, one refund however often one presses, and for everybody."""

import re
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from refunds import comparison
from refunds.models import Refund, RefundLine, State
from stores.actors import hub
from stores.vipps.simulator import Fault, FaultKind
from tests.browser.pictures import enter, go
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run
from tests.refunds.desk_scenes import every_scene, with_lines

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
    desk.keyboard.press("Enter")  # what lacks is the reason
    desk.keyboard.press("1")
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


def test_all_that_is_left_takes_four_keys(chain: Chain, desk: Page) -> None:
    chain.sold(chain.bergen, "BGO-20261101-7741", 123_450)
    find(desk, "BGO-20261101-7741")
    expect(desk.locator("#amount")).to_be_focused()
    desk.keyboard.press("F2")
    expect(desk.locator("#amount")).to_have_value("1234.50")
    expect(desk.locator("#amount-hint")).to_contain_text("NOK 0.00 left after that")
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Refund NOK 1,234.50")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    assert Refund.objects.get().amount_minor == 123_450


def test_goods_are_chosen_by_keyboard_and_come_to_their_sum(chain: Chain, desk: Page) -> None:
    with_lines(chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    find(desk, "BGO-20261101-7741")
    expect(desk.locator("#amount")).to_be_focused()
    desk.keyboard.press("F4")
    expect(desk.get_by_role("checkbox", name="Candle holder")).to_be_focused()
    desk.keyboard.press("1")  # one of the two
    expect(desk.get_by_role("checkbox", name="Candle holder")).to_be_checked()
    expect(desk.locator("#amount")).to_have_value("181.41")
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Space")
    expect(desk.locator("#amount")).to_have_value("818.60")
    expect(desk.locator("#amount-hint")).to_contain_text("NOK 181.40 left after that")
    desk.keyboard.press("Enter")
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("1 × Candle holder, brass")).to_be_visible()
    expect(desk.get_by_text("1 × Rain jacket, green, M")).to_be_visible()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    kept = RefundLine.objects.order_by("line__number").values_list("line__number", "quantity")
    assert list(kept) == [(1, Decimal(1)), (2, Decimal(1))]


def test_enter_waits_for_the_sum_of_goods_that_were_just_changed(chain: Chain, desk: Page) -> None:
    order = with_lines(chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    desk.goto(f"/desk/orders/{order.public_id}/")
    desk.get_by_label("Goods returned").check()
    desk.get_by_role("spinbutton", name="Candle holder").fill("1")
    desk.keyboard.press("Tab")
    expect(desk.locator("#amount")).to_have_value("181.41")
    held: list[Route] = []
    desk.route(re.compile("by=goods"), lambda route: held.append(route))
    desk.get_by_role("spinbutton", name="Candle holder").select_text()
    with desk.expect_request(re.compile("by=goods")):
        desk.keyboard.type("2")
        desk.keyboard.press("Enter")
    expect(desk.locator("#amount")).to_have_value("")
    held[0].continue_()
    expect(desk.locator("#amount")).to_have_value("362.81")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("2 × Candle holder, brass")).to_be_visible()
    expect(desk.get_by_role("heading", name="NOK 362.81")).to_be_visible()


def test_vipps_confirms_on_the_open_page_and_changes_what_is_left(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    chain.simulator.portal_refund(order.sales_unit.msn, order.reference, 60_000)
    find(desk, "BGO-20261101-7741")
    expect(desk.locator("#confirmed")).to_contain_text("Vipps is being asked")
    desk.keyboard.type("500")
    expect(desk.locator("#amount-hint")).to_contain_text("NOK 500.00 left after that")
    comparison.check_order(order.pk, by=hub("worker"))
    expect(desk.locator("#confirmed")).to_contain_text("NOK 400.00 of NOK 1,000.00 left")
    expect(desk.locator("#earlier")).to_contain_text("outside the hub")
    expect(desk.locator("#amount-hint")).to_contain_text("More than is left: at most NOK 400.00")
    expect(desk.locator("#amount")).to_have_value("500")
    expect(desk.locator("#amount")).to_be_focused()
    desk.keyboard.press("F2")
    expect(desk.locator("#amount")).to_have_value("400.00")


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


def test_the_whole_way_works_without_javascript(chain: Chain, bare_desk: Page) -> None:
    chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    page = bare_desk
    page.fill("#q", "7741")
    page.get_by_role("button", name="Finn", exact=False).click()
    page.fill("#amount", "250,50")
    page.get_by_label("Varer i retur").check()
    page.get_by_role("button", name="Gå videre").click()
    page.get_by_role("button", name=re.compile(r"Refunder 250,50\skr")).click()
    expect(page.get_by_role("heading", name="I kø")).to_be_visible()
    run(Refund.objects.get())
    expect(page.get_by_role("heading", name="Refundert", exact=True)).to_be_visible()  # it looks again by itself


def test_two_tabs_of_one_order_are_two_wishes_and_the_second_is_a_question(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    other = desk.context.new_page()
    for tab in (desk, other):
        tab.goto(f"/desk/orders/{order.public_id}/")
        tab.fill("#amount", "250")
        tab.get_by_label("Goods returned").check()
        tab.get_by_role("button", name="Go on").click()
    for tab in (desk, other):
        tab.get_by_role("button", name="Refund NOK 250.00").click()
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    expect(other.get_by_text("Is this another return?")).to_be_visible()
    assert Refund.objects.count() == 1


def test_going_back_after_a_refund_shows_what_is_left_now(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    desk.goto(f"/desk/orders/{order.public_id}/")
    desk.fill("#amount", "250")
    desk.get_by_label("Goods returned").check()
    desk.get_by_role("button", name="Go on").click()
    desk.get_by_role("button", name="Refund NOK 250.00").click()
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    desk.goto(f"/desk/orders/{order.public_id}/")
    expect(desk.locator("#left")).to_contain_text("NOK 750.00")
    desk.go_back()
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    assert Refund.objects.count() == 1


def test_a_reload_in_any_state_tells_the_same(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    desk.goto(f"/desk/refunds/{refund.pk}/")
    for state, said in ((State.QUEUED, "Queued"), (State.SENDING, "On its way to Vipps"), (State.UNKNOWN, "We are finding out"),
                        (State.REVIEW, "With headquarters")):  # fmt: skip
        Refund.objects.filter(pk=refund.pk).update(state=state, lease_until=refund.accepted_at)
        desk.reload()
        expect(desk.get_by_role("heading", name=said)).to_be_visible()
    assert Refund.objects.count() == 1


def test_a_refusal_says_what_vipps_said_and_what_to_do(chain: Chain, desk: Page) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    chain.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code="6220"))
    desk.goto(f"/desk/refunds/{refund.pk}/")
    assert run(refund).state == State.DECLINED
    expect(desk.get_by_role("heading", name="Vipps said no")).to_be_visible()
    assert desk.evaluate("document.documentElement.dataset.heard") == "no"
    desk.get_by_role("link", name="Back to the order").click()
    expect(desk.locator("#left")).to_contain_text("NOK 1,000.00")


def test_every_language_can_be_switched_to_and_back(chain: Chain, desk: Page) -> None:
    chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    find(desk, "BGO-20261101-7741")
    for code, _name in [*settings.LANGUAGES[1:], settings.LANGUAGES[0]]:
        desk.locator(".me summary").click()
        desk.locator(f".menu [name=language][value={code}]").click()
        expect(desk.locator("html")).to_have_attribute("lang", code)
        expect(desk.locator("#amount")).to_be_visible()
        expect(desk.locator(".menu [aria-pressed=true][name=language]")).to_have_text(code.upper())


def test_everybody_can_read_every_page_in_either_scheme_and_at_any_width(
    chain: Chain, chromium: Browser, live_server: LiveServer
) -> None:
    """WCAG 2.2 AA as far as axe sees it, the dark scheme's contrasts, 320 pixels, and 200 % on a till's screen."""
    for who, scenes in groupby(sorted(every_scene(chain), key=lambda scene: scene.who.pk), key=lambda scene: scene.who):
        context = chromium.new_context(base_url=live_server.url, locale="en-GB", reduced_motion="reduce")
        page = context.new_page()
        enter(page, live_server.url, who, with_proof=True)
        for scene in scenes:
            page.set_viewport_size({"width": 1024, "height": 768})
            page.emulate_media(color_scheme="light")
            go(page, scene)
            page.evaluate("document.querySelectorAll('main details').forEach((it) => { it.open = true; })")
            readable(page, scene.name, RULES)
            page.emulate_media(color_scheme="dark")
            readable(page, f"{scene.name}, dark", {"runOnly": ["color-contrast"]})
            for width in (512, 320):
                page.set_viewport_size({"width": width, "height": 640})
                assert page.evaluate("document.documentElement.scrollWidth") == width, scene.name
        if page.locator(".me summary").count():
            page.set_viewport_size({"width": 1024, "height": 768})
            page.locator(".me summary").click()
            readable(page, "the menu", RULES, within=".menu")
        context.close()


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def readable(page: Page, name: str, options: dict[str, Any], *, within: str | None = None) -> None:
    found = Axe().run(page, context=within, options=options)
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
