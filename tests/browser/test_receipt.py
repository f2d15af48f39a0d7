"""The receipt in a browser: one key prints it, on a roll or on a sheet as the printer has it, and the policy lets it be."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from refunds import following
from refunds.models import Paper, Refund
from stores import people
from stores.models import Role
from tests.conftest import Chain
from tests.refunds.asking import ask, run

pytestmark = pytest.mark.browser

_COUNT_PRINTS = """
window.print = () => {
  sessionStorage.printed = Number(sessionStorage.printed || 0) + 1;
  document.documentElement.dataset.printed = sessionStorage.printed;
};
"""


def expect_printed(page: Page, times: int) -> None:
    """So many prints were made; the page says so itself, because its policy lets nothing be evaluated in it."""
    expect(page.locator(f"html[data-printed='{times}']")).to_have_count(1)


@pytest.fixture
def paper(desk: Page, chain: Chain) -> Page:
    """Kari stands at a refund that is done; what would be printed is only counted."""
    order = chain.sold(chain.bergen, "BGO-20261101-7741", 100_000)
    refund = run(ask(order, 12_550, who=chain.kari, store=chain.oslo).refund)
    desk.add_init_script(_COUNT_PRINTS)
    desk.goto(f"/desk/refunds/{refund.pk}/")
    return desk


def test_one_key_prints_the_receipt_and_the_next_a_copy(paper: Page) -> None:
    paper.keyboard.press("F8")
    expect(paper.get_by_role("heading", name="Returkvittering")).to_be_visible()
    expect(paper.get_by_text("KOPI", exact=True)).to_have_count(0)
    expect_printed(paper, 1)
    paper.keyboard.press("F8")
    expect(paper.get_by_text("KOPI", exact=True)).to_be_visible()
    expect_printed(paper, 2)
    assert Paper.objects.get().prints == 2
    paper.keyboard.press("Escape")
    expect(paper.locator("#q")).to_be_focused()


def test_paper_customers_page_and_the_origins_page_pass_axe(paper: Page, chain: Chain) -> None:
    people.join_store(chain.kari, chain.bergen, role=Role.CASHIER, by=chain.by)
    link = f"/r/{following.token_of(Refund.objects.get())}"
    for scheme in ("light", "dark"):
        paper.emulate_media(color_scheme=scheme)
        for path in (link, "/r/nothing", "/desk/stores/"):
            paper.goto(path)
            if path == "/desk/stores/":
                paper.get_by_role("button", name="Nordlys Bergen").click()
                paper.goto("/desk/elsewhere/")
                expect(paper.get_by_text("1 refund you have not seen yet.")).to_be_visible()
            found = Axe().run(paper)
            assert found.violations_count == 0, f"{path}: {found.generate_report()}"
    paper.goto(f"/desk/refunds/{Refund.objects.get().pk}/")
    paper.keyboard.press("F8")
    expect(paper.get_by_role("heading", name="Returkvittering")).to_be_visible()
    found = Axe().run(paper)
    assert found.violations_count == 0, found.generate_report()


def test_a_double_click_prints_one_original(paper: Page) -> None:
    paper.get_by_role("button", name="Print the receipt").dblclick(no_wait_after=True)
    expect(paper.get_by_role("heading", name="Returkvittering")).to_be_visible()
    expect(paper.get_by_text("KOPI", exact=True)).to_have_count(0)
    assert Paper.objects.get().prints == 1


@pytest.mark.parametrize(("width", "height"), [("80mm", "200mm"), ("58mm", "260mm"), ("210mm", "297mm")])
def test_it_fits_on_one_page_of_each_paper(paper: Page, width: str, height: str) -> None:
    paper.keyboard.press("F8")
    expect(paper.get_by_role("heading", name="Returkvittering")).to_be_visible()
    printed = paper.pdf(width=width, height=height).decode("latin-1")
    assert len(re.findall(r"/Type /Page\b", printed)) == 1


def test_the_amount_is_printed_smaller_than_title_and_mark(paper: Page) -> None:
    """Tills in Norway print the mark half as large again as the amount; in Sweden a copy's is twice as large."""
    for time in (1, 2):
        paper.keyboard.press("F8")
        expect_printed(paper, time)
    paper.emulate_media(media="print")
    expect(paper.get_by_text("KOPI", exact=True)).to_be_visible()
    size = "(e) => parseFloat(getComputedStyle(e).fontSize)"
    amount = paper.locator(".amount strong").evaluate(size)
    assert paper.locator(".sheet h1").evaluate(size) >= 1.5 * amount
    assert paper.locator(".mark").evaluate(size) >= 2 * amount
    expect(paper.locator(".tools")).to_be_hidden()
