"""A till in a working day: a network that goes, an answer that is lost, the next customer, and a sound at the end."""

import pytest
from django.test import override_settings
from playwright.sync_api import Page, Route, expect

from refunds.approving import cancel_refund
from refunds.models import Refund
from stores import access
from stores.models import Order
from tests.conftest import Chain
from tests.refunds.asking import ask, run

pytestmark = pytest.mark.browser


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)


def at_the_confirmation(desk: Page, order: Order) -> None:
    desk.goto(f"/desk/orders/{order.public_id}/")
    desk.fill("#amount", "250")
    desk.keyboard.press("Enter")
    desk.keyboard.press("1")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("button", name="Refund NOK 250.00")).to_be_focused()


def heard(desk: Page) -> str | None:
    found: str | None = desk.evaluate("document.documentElement.dataset.heard ?? null")
    return found


def test_a_press_into_a_lost_network_arrives_by_itself_and_once(desk: Page, order: Order) -> None:
    at_the_confirmation(desk, order)
    desk.context.set_offline(True)
    desk.keyboard.press("Enter")
    expect(desk.locator("#pressing")).to_be_visible()
    expect(desk.locator("#pressing")).to_contain_text("the customer gets the money once")
    expect(desk.get_by_role("button", name="Refund NOK 250.00")).to_be_disabled()
    assert Refund.objects.count() == 0
    desk.context.set_offline(False)
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    assert [refund.amount_minor for refund in Refund.objects.all()] == [25_000]


def test_a_press_whose_answer_is_lost_is_the_same_refund(desk: Page, order: Order) -> None:
    at_the_confirmation(desk, order)
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if not lost:
            lost.append("answer")
            route.fetch()  # it arrives, and nobody hears of it
            route.abort()
        else:
            route.continue_()

    desk.route("**/refund/", lose_the_first_answer)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    assert (lost, Refund.objects.count()) == (["answer"], 1)


def test_back_from_the_refund_leads_to_its_order(desk: Page, order: Order) -> None:
    at_the_confirmation(desk, order)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    desk.go_back()
    expect(desk.locator("#left")).to_contain_text("NOK 750.00")


def test_the_page_of_a_refund_waits_for_the_network_and_goes_on(chain: Chain, desk: Page, order: Order) -> None:
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    desk.goto(f"/desk/refunds/{refund.pk}/")
    desk.context.set_offline(True)
    expect(desk.locator("#lost")).to_be_visible()
    expect(desk.locator("#lost")).to_contain_text("Nothing is lost")
    run(refund)
    desk.keyboard.press("Escape")
    expect(desk.locator("#lost")).to_be_visible()  # rather than the browser's own page of errors
    desk.context.set_offline(False)
    expect(desk.locator("#q")).to_be_focused()


def test_the_next_customer_is_served_while_one_is_still_being_settled(chain: Chain, desk: Page, order: Order) -> None:
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    desk.goto("/desk/")
    strip = desk.locator("#under-way")
    expect(strip).to_contain_text("queued")
    expect(desk.locator("#q")).to_be_focused()
    desk.keyboard.type("BGO-2026")
    run(refund)
    expect(strip).to_contain_text("refunded")
    expect(desk.locator("#q")).to_have_value("BGO-2026")
    expect(desk.locator("#q")).to_be_focused()
    assert heard(desk) == "done"
    strip.get_by_role("link").click()
    expect(desk.get_by_role("heading", name="Refunded", exact=True)).to_be_visible()
    assert desk.locator("#under-way li").count() == 0, "its own page says it already"


def test_my_refunds_and_the_queue_say_what_the_strip_says(chain: Chain, desk: Page, order: Order) -> None:
    with override_settings(APPROVAL_ABOVE_MINOR={"NOK": 50_000}):
        waits = ask(order, 60_000, who=chain.kari, store=chain.oslo).refund
    queue = desk.context.new_page()
    queue.goto("/desk/approvals/")
    expect(queue.locator("main")).to_contain_text("NOK 600.00")
    desk.goto("/desk/today/")
    expect(desk.locator("main .tag")).to_have_text(["waits for approval"] * 2)
    cancel_refund(waits.pk, asker=chain.kari, by=access.actor_for(chain.kari))
    expect(desk.locator("main .tag")).to_have_text(["cancelled"])
    expect(queue.locator("main")).to_contain_text("Nothing waits here.")


def test_a_refund_that_was_quicker_than_its_page_is_heard_once(chain: Chain, desk: Page, order: Order) -> None:
    refund = run(ask(order, 25_000, who=chain.kari, store=chain.oslo).refund)
    desk.goto(f"/desk/refunds/{refund.pk}/")
    assert heard(desk) == "done"
    desk.reload()
    assert heard(desk) is None


def test_the_sound_can_be_switched_off_and_stays_off(chain: Chain, desk: Page, order: Order) -> None:
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    desk.goto(f"/desk/refunds/{refund.pk}/")
    desk.locator(".me summary").click()
    desk.get_by_role("button", name="Sound on").click()
    expect(desk.get_by_role("button", name="Sound off")).to_be_visible()
    desk.reload()
    run(refund)
    expect(desk.get_by_role("heading", name="Refunded", exact=True)).to_be_visible()
    assert heard(desk) is None


def test_who_is_signed_out_meanwhile_is_asked_to_sign_in_and_comes_back(chain: Chain, desk: Page, order: Order) -> None:
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    desk.goto(f"/desk/refunds/{refund.pk}/")
    desk.context.clear_cookies()
    desk.wait_for_url(f"**/accounts/login/?next=/desk/refunds/{refund.pk}/")


def test_a_hub_that_does_not_answer_at_all_is_told(desk: Page, order: Order) -> None:
    at_the_confirmation(desk, order)
    held: list[Route] = []
    desk.route("**/refund/", lambda route: held.append(route) if not held else route.continue_())
    desk.keyboard.press("Enter")
    expect(desk.locator("#pressing")).to_be_visible(timeout=15_000)
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible(timeout=15_000)
    assert [refund.amount_minor for refund in Refund.objects.all()] == [25_000]


def test_a_broken_gateway_before_the_hub_is_told_until_it_is_mended(chain: Chain, desk: Page, order: Order) -> None:
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    desk.goto(f"/desk/refunds/{refund.pk}/")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    desk.route("**/*", lambda route: route.fulfill(status=502, body="Bad gateway"))
    run(refund)
    expect(desk.locator("#lost")).to_be_visible()
    desk.unroute("**/*")
    expect(desk.locator("#lost")).to_be_hidden()
    expect(desk.get_by_role("heading", name="Refunded", exact=True)).to_be_visible()
