"""What breaks a limit, in real browsers: a manager allows it on her own screen, or beside the cashier without any script."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from refunds.models import Measure, Refund
from refunds.rules import Rule
from stores import pins
from stores.models import Order
from tests.browser.pictures import enter
from tests.conftest import Chain
from tests.refunds.asking import run
from tests.refunds.desk_scenes import with_lines
from tests.refunds.policies import in_force

pytestmark = pytest.mark.browser
MONAS = "948207"


@pytest.fixture
def order(chain: Chain) -> Order:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK"))
    return with_lines(chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))


def test_mona_allows_on_a_second_browser_and_karis_page_goes_on_by_itself(
    chain: Chain, desk: Page, chromium: Browser, live_server: LiveServer, order: Order
) -> None:
    desk.goto(f"/desk/orders/{order.public_id}/")
    desk.fill("#amount", "600")
    desk.locator("[name=reason][value=returned]").check(force=True)
    desk.get_by_role("button", name="Go on").click()
    expect(desk.get_by_role("status").filter(has_text="Mona (manager, Nordlys Oslo)")).to_be_visible()
    desk.get_by_role("button", name="Ask for a yes to NOK 600.00").click()
    expect(desk.get_by_role("heading", name="Waits for approval")).to_be_visible()
    context = chromium.new_context(base_url=live_server.url, locale="en-GB")
    monas = context.new_page()
    enter(monas, live_server.url, chain.mona)
    monas.goto("/desk/approvals/")
    monas.get_by_role("link", name=re.compile("Kari")).click()
    expect(monas.get_by_text("It is more than NOK 500.00 at once.")).to_be_visible()
    monas.get_by_role("button", name="Approve NOK 600.00").click()
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    context.close()
    refund = Refund.objects.get()
    assert (refund.requested_by, refund.approved_by) == (chain.kari, chain.mona)


def test_without_javascript_goods_are_chosen_a_manager_allows_beside_and_the_receipt_is_handed_over(
    chain: Chain, bare_desk: Page, order: Order
) -> None:
    pins.choose(chain.mona, MONAS, by=chain.by)
    page = bare_desk
    page.fill("#q", "7741")
    page.get_by_role("button", name="Finn", exact=False).click()
    page.get_by_role("checkbox", name=re.compile("Rain jacket")).check(force=True)
    page.locator("[name=reason][value=returned]").check(force=True)
    page.get_by_role("button", name="Gå videre").click()
    expect(page.get_by_text("1 × Rain jacket, green, M")).to_be_visible()
    page.locator("form[data-press] button.primary").click()
    page.get_by_label("Butikksjefens PIN-kode").fill(MONAS)
    page.get_by_role("button", name=re.compile("^Godkjenn")).click()
    expect(page.get_by_role("heading", name="I kø")).to_be_visible()
    run(Refund.objects.get())
    expect(page.get_by_role("heading", name="Refundert", exact=True)).to_be_visible()  # it looks again by itself
    page.get_by_role("button", name=re.compile("kvitteringen")).first.click()
    expect(page.get_by_role("heading", name="Returkvittering")).to_be_visible()
    assert Refund.objects.get().approved_by == chain.mona
