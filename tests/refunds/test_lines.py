"""Goods go back line by line: what each comes to, never more often than sold, counted while under way, freed when it fails."""

import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from refunds import approving
from refunds.errors import Denied
from refunds.lines import LineLeft, left_of_lines, shares_minor
from refunds.models import Refund, RefundLine, State
from stores import access
from stores.errors import HubError, Invalid
from stores.models import Order, OrderLine
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.asking_over_rest import ask as ask_over_rest
from tests.refunds.asking_over_rest import asking
from tests.refunds.desk_scenes import with_lines
from tests.till import Till

ONE, TWO = Decimal(1), Decimal(2)


@pytest.fixture
def order(chain: Chain) -> Order:
    """Two candle holders for 398, a jacket for 699, and 97 off: 1 000 paid."""
    return with_lines(chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))


def left(order: Order) -> dict[int, Decimal]:
    return {row.line.number: row.left for row in left_of_lines(order)}


@pytest.mark.parametrize(("amounts", "shares"), [
    ([], []),
    ([39_800, 69_900], [39_800, 69_900]),
    ([39_800, 69_900, -9_700], [36_281, 63_719, 0]),
    ([100, 100, 100, -100], [67, 67, 66, 0]),
    ([100, -200], [0, 0]),
    ([-100], [0]),
    ([0, 100], [0, 100]),
])  # fmt: skip
def test_a_discount_belongs_to_all_goods_alike(amounts: list[int], shares: list[int]) -> None:
    assert shares_minor(amounts) == shares


@given(st.lists(st.integers(-1_000, 100_000), max_size=8))
def test_shares_add_up_to_what_was_paid(amounts: list[int]) -> None:
    shares = shares_minor(amounts)
    assert sum(shares) == (max(0, sum(amounts)) if any(amount > 0 for amount in amounts) else 0)
    assert all(share >= 0 for share in shares)


@given(st.integers(1, 100_000), st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_however_many_steps_a_line_goes_back_in_it_comes_to_the_same(amount_minor: int, steps: list[int]) -> None:
    line = OrderLine(number=1, quantity=Decimal(sum(steps)), amount_minor=amount_minor)
    given_back, returned = 0, Decimal(0)
    for step in steps:
        row = LineLeft(line=line, returned=returned, share_minor=amount_minor)
        given_back, returned = given_back + row.comes_to_minor(Decimal(step)), returned + step
    assert given_back == amount_minor


def test_a_refund_remembers_its_goods_and_they_count_at_once(chain: Chain, order: Order) -> None:
    refund = ask(order, 18_140, who=chain.kari, store=chain.oslo, goods={1: ONE}).refund
    assert [(kept.line.name, kept.quantity) for kept in refund.lines.all()] == [("Candle holder, brass", ONE)]
    assert left(order) == {1: ONE, 2: ONE, 3: 0}
    assert run(refund).state == State.REFUNDED
    assert left(order) == {1: ONE, 2: ONE, 3: 0}


def test_what_came_to_nothing_frees_its_goods(chain: Chain, order: Order) -> None:
    refund = ask(order, 18_140, who=chain.kari, store=chain.oslo, goods={1: TWO}).refund
    assert left(order)[1] == 0
    approving.cancel_refund(refund.pk, asker=chain.kari, by=access.actor_for(chain.kari, store=chain.oslo))
    assert left(order)[1] == TWO
    ask(order, 18_140, who=chain.kari, store=chain.oslo, goods={1: TWO})


@pytest.mark.parametrize(("goods", "amount_minor", "code"), [
    ({1: Decimal(3)}, 10_000, "line_used_up"),
    ({3: ONE}, 1_000, "line_used_up"),  # a discount cannot be handed in
    ({4: ONE}, 1_000, "unknown_line"),
    ({1: Decimal(0)}, 1_000, "invalid_quantity"),
    ({1: Decimal(-1)}, 1_000, "invalid_quantity"),
    ({1: Decimal("0.0005")}, 1_000, "invalid_quantity"),
    ({1: ONE}, 19_901, "exceeds_lines"),
])  # fmt: skip
def test_goods_that_cannot_go_back_so_move_nothing(
    chain: Chain, order: Order, goods: dict[int, Decimal], amount_minor: int, code: str
) -> None:
    with pytest.raises((Denied, Invalid)) as refused:
        ask(order, amount_minor, who=chain.kari, store=chain.oslo, goods=goods)
    assert refused.value.code == code
    assert Refund.objects.count() == 0
    assert RefundLine.objects.count() == 0


def test_the_same_key_with_other_goods_is_another_wish(chain: Chain, order: Order) -> None:
    first = ask(order, 10_000, who=chain.kari, store=chain.oslo, goods={1: ONE}, key="k1")
    assert ask(order, 10_000, who=chain.kari, store=chain.oslo, goods={1: Decimal("1.000")}, key="k1").refund == first.refund
    with pytest.raises(HubError) as refused:
        ask(order, 10_000, who=chain.kari, store=chain.oslo, goods={2: ONE}, key="k1")
    assert refused.value.code == "key_reused"


def test_the_database_refuses_a_line_twice_a_strange_one_and_a_change(chain: Chain, order: Order) -> None:
    refund = ask(order, 10_000, who=chain.kari, store=chain.oslo, goods={1: TWO}).refund
    other = ask(order, 11_000, who=chain.kari, store=chain.oslo).refund
    first = order.lines.get(number=1)
    strange = with_lines(chain.sold(chain.bergen, "BGO-20261101-7742", 100_000)).lines.get(number=1)
    for line, why in ((first, "at most as often"), (strange, "its own order")):
        with pytest.raises(IntegrityError, match=why), transaction.atomic():
            RefundLine.objects.create(refund=other, line=line, quantity=ONE)
    run(other)
    with pytest.raises(IntegrityError, match="when a refund is asked for"), transaction.atomic():
        RefundLine.objects.create(refund=other, line=order.lines.get(number=2), quantity=ONE)
    for statement in ("UPDATE refunds_refundline SET quantity = 1", "DELETE FROM refunds_refundline"):
        with pytest.raises(Exception, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert [kept.quantity for kept in refund.lines.all()] == [TWO]


@pytest.mark.django_db(transaction=True)
def test_of_several_who_take_the_last_one_at_once_one_gets_it(chain: Chain) -> None:
    order = with_lines(chain.sold(chain.bergen, "BGO-20261101-7741", 100_000))
    refunds = [ask(order, 1_000 + n, who=chain.kari, store=chain.oslo).refund for n in range(6)]
    jacket, gate = order.lines.get(number=2), threading.Barrier(len(refunds))

    def take(refund: Refund) -> bool:
        """Past every check of the code and every lock but the database's own."""
        try:
            gate.wait(30)
            RefundLine.objects.create(refund=refund, line=jacket, quantity=ONE)
        except IntegrityError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(len(refunds)) as pool:
        assert sorted(pool.map(take, refunds)) == [False] * 5 + [True]
    assert RefundLine.objects.count() == 1


def test_a_till_says_which_goods_and_reads_what_is_left(chain: Chain, order: Order) -> None:
    till = Till(chain.systems["OSL"])
    answer = ask_over_rest(till, asking(order, 18_140, lines=[{"number": 1, "quantity": "1"}]))
    assert answer.status_code == 202, answer.content
    assert answer.json()["lines"] == [{"number": 1, "name": "Candle holder, brass", "quantity": "1"}]
    left = till.get(f"orders/ord_{order.public_id.hex}/refundable").json()["lines"]
    assert [(line["number"], line["returned_quantity"], line["left_quantity"], line["left_minor"]) for line in left] == [
        (1, "1", "1", 18_140),
        (2, "0", "1", 63_719),
        (3, "0", "0", 0),
    ]
    again = ask_over_rest(till, asking(order, 1_000, lines=[{"number": 1, "quantity": 2}]), key="another")
    assert (again.status_code, again.json()["code"]) == (409, "line_used_up")
    assert till.get("refunds").json()["refunds"][0]["lines"] == answer.json()["lines"]


@pytest.mark.parametrize(("said", "code"), [
    ([{"number": 1, "quantity": "0"}], "invalid_quantity"),
    ([{"number": 1, "quantity": 0.5}], "invalid_quantity"),
    ([{"number": 1, "quantity": "1,5"}], "invalid_quantity"),
    ([{"number": 0, "quantity": "1"}], "min_value"),
    ([{"number": 1, "quantity": "1", "sku": "CH-204"}], "unknown_field"),
    ([{"number": 1, "quantity": "1"}, {"number": 1, "quantity": "1"}], "line_twice"),
    ("all of it", "not_a_list"),
])  # fmt: skip
def test_goods_that_cannot_be_read_are_refused_by_name(chain: Chain, order: Order, said: object, code: str) -> None:
    answer = ask_over_rest(Till(chain.systems["OSL"]), asking(order, 1_000, lines=said))
    assert answer.status_code == 400
    assert code in answer.content.decode()
    assert Refund.objects.count() == 0
