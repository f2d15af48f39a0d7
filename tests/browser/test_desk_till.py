"""A shared till in a real browser: a yes at the cashier's own screen, a till that locks itself, and who takes it over."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from refunds.models import Measure, Refund
from refunds.rules import Rule
from stores import pins
from stores.models import User
from tests.conftest import PASSWORD, Chain
from tests.refunds.asking import ask, run
from tests.refunds.policies import in_force

pytestmark = pytest.mark.browser

KARIS, MONAS, WRONG = "730518", "948207", "111222"


@pytest.fixture
def mona(chain: Chain) -> User:
    pins.choose(chain.mona, MONAS, by=chain.by)
    return chain.mona


def menu(desk: Page, name: str) -> None:
    desk.locator(".me summary").click()
    desk.locator(".menu").get_by_text(name).click()


def test_mona_allows_it_beside_kari_by_keyboard(chain: Chain, desk: Page, mona: User) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK"))
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = ask(order, 60_000, who=chain.kari, store=chain.oslo).refund
    desk.goto(f"/desk/refunds/{refund.pk}/")
    pin = desk.get_by_label("PIN of that person")
    expect(pin).to_be_focused()
    desk.keyboard.type(WRONG)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("alert").filter(has_text="That is not the PIN.")).to_be_visible()
    expect(pin).to_be_focused()
    desk.keyboard.type(MONAS)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Queued")).to_be_visible()
    refund.refresh_from_db()
    assert refund.approved_by == mona
    run(refund)
    expect(desk.get_by_role("heading", name="Refunded", exact=True)).to_be_visible()
    expect(desk.locator(".me summary")).to_contain_text("Kari")


def test_what_is_typed_stays_while_the_page_looks_again(chain: Chain, desk: Page, mona: User) -> None:
    in_force(chain, Rule(measure=Measure.REFUND, above_minor=50_000, currency="NOK"))
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = ask(order, 60_000, who=chain.kari, store=chain.oslo).refund
    desk.goto(f"/desk/refunds/{refund.pk}/")
    desk.get_by_label("PIN of that person").fill("7305")
    for _ in range(2):
        with desk.expect_response("**/progress/**"):
            pass
    expect(desk.get_by_label("PIN of that person")).to_have_value("7305")


def test_a_till_left_alone_locks_itself_and_mona_takes_it_over(
    chain: Chain, desk: Page, mona: User, settings: Settings
) -> None:
    menu(desk, "Lock or change cashier")
    desk.get_by_role("button", name="Sign in with a password").click()  # Kari has no PIN yet
    desk.locator("#id_login").fill("mona")
    desk.locator("#id_password").fill(PASSWORD)
    desk.keyboard.press("Enter")
    expect(desk.locator(".me summary")).to_contain_text("Mona")
    pins.choose(chain.kari, KARIS, by=chain.by)
    desk.goto("/desk/today/")
    desk.keyboard.press("F6")
    expect(desk.get_by_label("PIN")).to_be_focused()
    desk.get_by_role("radio", name="Kari").check()
    desk.get_by_label("PIN").fill(KARIS)
    desk.keyboard.press("Enter")
    expect(desk.locator("#q")).to_be_focused()
    expect(desk.locator(".me summary")).to_contain_text("Kari")
    settings.DESK_LOCKS_AFTER_SECONDS = 1
    desk.goto("/desk/today/")
    expect(desk.get_by_role("heading", name="Who goes on here?")).to_be_visible(timeout=15_000)
    settings.DESK_LOCKS_AFTER_SECONDS = 300
    expect(desk.get_by_role("radio", name="Kari")).to_be_checked()
    desk.keyboard.type(KARIS)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/desk/today/")
    assert not Refund.objects.exists()


def test_kari_chooses_her_pin_after_her_password(chain: Chain, desk: Page) -> None:
    menu(desk, "My PIN")
    desk.locator("[name=password]").fill(PASSWORD)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="My PIN")).to_be_visible()
    desk.locator("#pin").fill(KARIS)
    desk.locator("#again").fill(KARIS)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status").filter(has_text="Your PIN counts")).to_be_visible()
    desk.keyboard.press("F6")
    desk.keyboard.type(KARIS)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/desk/pin/")
