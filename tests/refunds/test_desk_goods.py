"""Goods at the desk: ticked on the order's page, shown on the confirmation, remembered, and grey once they are back."""

from decimal import Decimal

import pytest

from refunds.models import Refund
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.desk_pages import Till, hidden, signed_in, text_of
from tests.refunds.desk_scenes import with_lines


@pytest.fixture
def till(chain: Chain) -> Till:
    """Kari in Oslo, at two candle holders, a jacket and a discount that Bergen sold for 1 000."""
    order = with_lines(chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    return Till(client=signed_in(chain.kari), order=order)


def filled(till: Till, amount: str = "", **goods: str) -> dict[str, str]:
    """The form with goods ticked: `line_1="2"` is two of line 1."""
    lines = {name.removeprefix("line_"): quantity for name, quantity in goods.items()}
    wish = till.fill(amount)
    return {**wish, "line": list(lines), **{f"quantity-{number}": quantity for number, quantity in lines.items()}}  # type: ignore[dict-item]


def test_ticked_goods_without_an_amount_come_to_what_they_cost(till: Till) -> None:
    wish = filled(till, line_1="1")
    page = till.confirm(wish)
    said = text_of(page)
    assert page.status_code == 200
    assert "Goods 1 × Candle holder, brass" in said
    assert "Refund NOK 181.41" in said
    posted = {**wish, "amount": hidden(page, "amount")}
    assert (hidden(page, "line"), hidden(page, "quantity-1")) == ("1", "1")
    assert till.refund(posted).status_code == 302
    refund = Refund.objects.get()
    assert (refund.amount_minor, [kept.quantity for kept in refund.lines.all()]) == (18_141, [Decimal(1)])


def test_goods_that_are_back_are_grey_and_cannot_be_ticked(chain: Chain, till: Till) -> None:
    run(ask(till.order, 63_719, who=chain.kari, store=chain.oslo, goods={2: Decimal(1)}).refund)
    ask(till.order, 18_140, who=chain.kari, store=chain.oslo, goods={1: Decimal(1)})
    page = till.open().content.decode()
    assert '<li class="used">' in page
    assert "all returned" in page
    assert 'name="line" value="1"' in page
    assert 'name="line" value="2"' not in page
    assert 'name="line" value="3"' not in page, "a discount is nobody's to hand in"
    assert '<input type="hidden" form="wish" name="quantity-1" value="1">' in page, "one is left, so there is nothing to choose"
    assert "1 left" in page


def test_what_is_ticked_is_kept_when_she_changes_something(till: Till) -> None:
    page = till.confirm({**filled(till, "100", line_1="1", line_2="1"), "change": "1"}).content.decode()
    assert page.count('name="line" value="1" checked') == 1
    assert page.count('name="line" value="2" checked') == 1
    assert 'name="quantity-1" min="1" max="2" step="1" value="1"' in page


@pytest.mark.parametrize(("amount", "goods", "status", "why"), [
    ("", {"line_1": "3"}, 409, "Less of these goods is left than that"),
    ("199,01", {"line_1": "1"}, 409, "That is more than these goods cost."),
    ("", {"line_9": "1"}, 400, "The order has no such line."),
    ("", {"line_1": "0"}, 400, "Say how many go back"),
    ("", {"line_1": "two"}, 400, "Say how many go back, such as 1 or 0,5."),
    ("", {"line_x": "1"}, 400, "Say how many go back, such as 1 or 0,5."),
    ("", {}, 400, "Write an amount such as 250 or 250,50."),
])  # fmt: skip
def test_goods_that_cannot_go_back_so_are_said_in_place(
    till: Till, amount: str, goods: dict[str, str], status: int, why: str
) -> None:
    wish = filled(till, amount, **goods)
    for page in (till.confirm(wish), till.refund(wish)):
        assert (page.status_code, why in text_of(page)) == (status, True), text_of(page)
    assert Refund.objects.count() == 0


@pytest.mark.parametrize(("asked", "said", "fills"), [
    ({"by": "goods", "line": ["1"], "quantity-1": "1"}, "NOK 181.41 back to the customer, NOK 818.59 left after", "181.41"),
    ({"by": "goods", "line": ["1", "2"], "quantity-1": "2", "quantity-2": "1"}, "NOK 1,000.00 back to", "1000.00"),
    ({"by": "goods"}, "", ""),
    ({"amount": "200", "line": ["1"], "quantity-1": "1"}, "More than these goods cost: at most NOK 199.00.", None),
    ({"amount": "100", "line": ["1"], "quantity-1": "1"}, "NOK 100.00 back to the customer", None),
])  # fmt: skip
def test_what_ticked_goods_come_to_is_said_at_once(till: Till, asked: dict[str, str], said: str, fills: str | None) -> None:
    answer = till.client.get(f"{till.path}amount/", asked)
    assert text_of(answer).startswith(said)
    told = answer.headers.get("HX-Trigger", "")
    assert told == ("" if fills is None else f'{{"fill-amount": {{"amount": "{fills}"}}}}')


def test_an_order_whose_till_sent_no_lines_is_refunded_by_amount(chain: Chain) -> None:
    till = Till(client=signed_in(chain.kari), order=chain.sold(chain.bergen, "BGO-20261101-7742", 50_000))
    page = till.open().content.decode()
    assert "What was bought" not in page
    assert " required autofocus" in page
