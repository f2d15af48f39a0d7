"""The main job with a short eCom id: found, refunded once, settled from eCom's log whatever goes wrong on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refunds import queries
from refunds.models import EntryKind, LedgerEntry, OrderAccount, Refund, State
from stores import actors, discovery, orders
from stores.errors import HubError
from stores.models import Order
from stores.vipps.simulator import Fault, FaultKind
from tests.conftest import Chain
from tests.refunds.asking import ask, run

SHORT = "B-77"
BERGENS = "100002"
STEPS = [timedelta(seconds=2)] * 2 + [timedelta(minutes=1)] * 4 + [timedelta(minutes=16)] * 6 + [timedelta(hours=3)] * 10

SWITCHES: dict[str, dict[str, Any]] = {
    "as documented": {},
    "a replay shows things as they are now": {"replay": "fresh"},
    "refusals do not stick": {"sticky_refusals": False},
    "keys are forgotten after an hour": {"key_retention_hours": 1.0},
    "sums lag two minutes": {"aggregate_lag": 120.0},
    "sums lag two hours": {"aggregate_lag": 7200.0},
    "a locked order comes as 409": {"statuses": {"VippsError/94": 409}},
    "a fresh capture is busy": {"refund_wait": 86_400.0},
    "the gateway answers in HTML": {"gateway_shape": "html"},
    "the gateway answers in texts": {"gateway_shape": "texts"},
    "the balance must cover it": {"merchant_balance": "must_cover"},
}
TROUBLES: dict[str, tuple[Fault, ...]] = {
    "nothing": (),
    "the answer lost": (Fault(kind=FaultKind.DROP_AFTER, operation="refund", api="ecom"),),
    "the request lost": (Fault(kind=FaultKind.DROP_BEFORE, operation="refund", api="ecom"),),
    "an error after applying": (Fault(kind=FaultKind.ERROR_AFTER, operation="refund", api="ecom"),),
    "half an answer": (Fault(kind=FaultKind.MALFORMED, operation="refund", api="ecom"),),
    "a wrong sum": (Fault(kind=FaultKind.WRONG_AMOUNT, operation="refund", api="ecom"),),
    "a throttled call": (Fault(kind=FaultKind.THROTTLE, operation="refund", api="ecom", times=2),),
    "a locked payment": (Fault(kind=FaultKind.LOCK, operation="refund", api="ecom", times=4),),
    "a refund that fails behind a 200": (Fault(kind=FaultKind.FAILED_EVENT, operation="refund", api="ecom"),),
    "the answer lost and a stale log": (
        Fault(kind=FaultKind.DROP_AFTER, operation="refund", api="ecom"),
        Fault(kind=FaultKind.STALE_EVENTS, operation="details", api="ecom", times=3),
    ),
    "the answer lost and a log without request ids": (
        Fault(kind=FaultKind.DROP_AFTER, operation="refund", api="ecom"),
        Fault(kind=FaultKind.NULL_KEYS, operation="details", api="ecom", times=3),
    ),
}


def sold(chain: Chain, *, reference: str = SHORT, is_direct: bool = False, captured_minor: int = 90_000) -> Order:
    """Bergen sold it through eCom, and its till told the index."""
    paid_at = datetime.now(UTC) - timedelta(days=1)
    chain.simulator.add_payment(
        BERGENS,
        reference,
        amount_minor=90_000,
        captured_minor=captured_minor,
        paid_at=paid_at,
        api="ecom",
        is_direct=is_direct,
    )
    row = orders.OrderRow(
        reference=reference, amount=orders.AmountRow(amount_minor=90_000, currency="NOK"), paid_at=paid_at
    )
    [outcome] = orders.index_orders([row], system=chain.systems[chain.bergen.code], by=chain.by)
    assert outcome.outcome == "created", outcome
    return Order.objects.get(sales_unit=chain.units[chain.bergen.code], reference=reference)


def applied(chain: Chain) -> list[tuple[str, int | None]]:
    log = chain.simulator.log(reference=SHORT, operation="refund", applied=True)
    return [(entry.msn, entry.amount_minor) for entry in log]


@pytest.mark.parametrize("is_direct", [False, True], ids=["reserved and captured", "captured directly"])
def test_a_short_id_is_refunded_through_ecom_from_the_store_that_sold_it(chain: Chain, is_direct: bool) -> None:
    order = sold(chain, is_direct=is_direct)
    refund = run(ask(order, 30_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, applied(chain)) == (State.REFUNDED, [(BERGENS, 30_000)])
    assert queries.left_of(order).left_minor == 60_000
    order.refresh_from_db()
    assert order.captured_minor == 90_000


def test_what_is_only_reserved_is_declined_and_nothing_is_sent(chain: Chain) -> None:
    order = sold(chain, captured_minor=0)
    refund = run(ask(order, 30_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, refund.outcome) == (State.DECLINED, "not_captured")
    assert chain.simulator.log(reference=SHORT, operation="refund") == []


def test_less_than_a_krone_is_refused_before_anything_is_accepted(chain: Chain) -> None:
    order = sold(chain)
    with pytest.raises(HubError) as caught:
        ask(order, 99, who=chain.kari, store=chain.oslo)
    assert caught.value.code == "below_minimum"
    assert not Refund.objects.filter(order=order).exists()


def test_a_refund_made_in_the_portal_is_adopted_from_the_log(chain: Chain) -> None:
    order = sold(chain)
    chain.simulator.portal_refund(BERGENS, SHORT, 20_000)
    refund = run(ask(order, 30_000, who=chain.kari, store=chain.oslo).refund)
    assert refund.state == State.REFUNDED
    account = OrderAccount.objects.get(order=order)
    assert (account.posted_minor, account.external_minor) == (30_000, 20_000)
    assert LedgerEntry.objects.filter(order=order, kind=EntryKind.EXTERNAL).count() == 1


def test_an_order_that_ecom_does_not_know_is_declined_as_not_found(chain: Chain) -> None:
    order = sold(chain)
    row = orders.OrderRow(
        reference="B-78",
        amount=orders.AmountRow(amount_minor=90_000, currency="NOK"),
        paid_at=datetime.now(UTC) - timedelta(days=1),
    )
    orders.index_orders([row], system=chain.systems[chain.bergen.code], by=chain.by)
    unknown = Order.objects.get(sales_unit=order.sales_unit, reference="B-78")
    refund = run(ask(unknown, 30_000, who=chain.kari, store=chain.oslo).refund)
    assert (refund.state, refund.outcome) == (State.DECLINED, "payment_not_found")


def test_a_short_id_that_no_till_told_of_is_found_by_asking_ecom(chain: Chain) -> None:
    unit = chain.units[chain.bergen.code]
    chain.simulator.add_payment(BERGENS, "B-79", amount_minor=50_000, api="ecom", paid_at=datetime.now(UTC) - timedelta(days=1))
    order = discovery.look_up(unit, "B-79", by=chain.by)
    assert order is not None
    assert (order.reference, order.captured_minor, order.currency) == ("B-79", 50_000, "NOK")
    assert discovery.look_up(unit, "B-80", by=actors.hub("worker")) is None


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("switch", SWITCHES)
def test_never_paid_twice_and_never_declined_what_was_paid(chain: Chain, travel: Any, switch: str, trouble: str) -> None:
    order = sold(chain)
    chain.simulator.change_switches(**SWITCHES[switch])
    refund = ask(order, 30_000, who=chain.kari, store=chain.oslo).refund
    for fault in TROUBLES[trouble]:
        chain.simulator.arm(fault)
    for step in STEPS:
        travel(step)
        if run(refund).has_ended:
            break
    paid = applied(chain)
    assert len(paid) <= 1
    assert chain.simulator.payment(BERGENS, SHORT).sums().refunded == 30_000 * len(paid)
    assert refund.state in (State.REFUNDED, State.DECLINED, State.REVIEW), refund.state
    if refund.state != State.REVIEW:
        assert (refund.state == State.REFUNDED) is (len(paid) == 1)
