"""Money that moved outside the hub, or late: counted once, never taken for ours, and ours never for somebody else's."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from refunds import ledger, queries
from refunds.models import Attempt, EntryKind, LedgerEntry, Refund, State
from stores import audit
from stores.models import Order
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.proving import BERGEN, again, balances, key_of, later, log_event, lose, posts, simulated


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """As everywhere, but without rate limits: these tests look more often than Vipps would like."""
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 25_000, who=chain.kari, store=chain.oslo).refund


def test_a_portal_refund_between_send_and_proof_is_told_apart_and_counted_once(
    chain: Chain, refund: Refund, order: Order
) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    assert again(refund).state == State.REFUNDED
    assert balances(refund)[0] == 25_000
    for _ in range(2):
        other = ask(order, 5_000, who=chain.kari, store=chain.oslo, confirms_duplicate=True).refund
        assert run(other).state == State.REFUNDED
    assert balances(refund) == (35_000, 10_000, 0, False)
    assert LedgerEntry.objects.filter(kind="external").count() == 1
    assert queries.left_of(order).left_minor == 55_000


@pytest.mark.parametrize("amount", [10_000, 25_000])
def test_a_portal_refund_before_the_first_send_leaves_ours_alone(chain: Chain, refund: Refund, amount: int) -> None:
    chain.simulator.portal_refund(BERGEN, refund.order.reference, amount)
    assert run(refund).state == State.REFUNDED
    assert balances(refund) == (25_000, amount, 0, False)


def test_what_a_declined_refund_left_unresolved_does_not_hide_the_portals_money(
    chain: Chain, refund: Refund, order: Order
) -> None:
    lose(chain)
    run(refund)
    lose(chain, FaultKind.REFUSE, code="6150")
    again(refund)
    assert later(refund, hours=13).state == State.DECLINED
    chain.simulator.portal_refund(BERGEN, order.reference, 60_000)
    other = run(ask(order, 50_000, who=chain.kari, store=chain.oslo).refund)
    assert (other.state, other.outcome, other.sends) == (State.DECLINED, "refunded_elsewhere", 0)
    assert balances(refund) == (0, 60_000, 0, False)


def test_throttled_and_then_refunded_elsewhere_is_declined_at_once(chain: Chain, order: Order) -> None:
    refund = ask(order, 100_000, who=chain.kari, store=chain.oslo).refund
    lose(chain, FaultKind.THROTTLE)
    assert run(refund).state == State.QUEUED
    chain.simulator.portal_refund(BERGEN, order.reference, 100_000)
    assert again(refund).state == State.DECLINED
    assert refund.outcome == "refunded_elsewhere"
    assert balances(refund) == (0, 100_000, 0, False)


def test_our_own_unproved_refund_is_not_taken_for_somebody_elses(chain: Chain, order: Order) -> None:
    refund = ask(order, 100_000, who=chain.kari, store=chain.oslo).refund
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    chain.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="events"))
    assert again(refund).state == State.UNKNOWN
    assert len(posts(chain)) == 1
    assert balances(refund) == (0, 0, 100_000, False)
    assert again(refund).state == State.REFUNDED


def test_a_refund_that_was_given_up_and_yet_paid_is_found_by_the_next_reading(
    chain: Chain, refund: Refund, order: Order
) -> None:
    lose(chain)
    run(refund)
    lose(chain, FaultKind.REFUSE, code="6150")
    again(refund)
    assert later(refund, hours=13).state == State.DECLINED
    log_event(chain, refund, 25_000, key_of(refund))
    other = ask(order, 10_000, who=chain.kari, store=chain.oslo).refund
    assert run(other).state == State.QUEUED
    refund.refresh_from_db()
    assert (refund.state, refund.outcome) == (State.REVIEW, "refunded_after_all")
    assert balances(refund) == (25_000, 0, 10_000, True)
    assert run(other).state == State.QUEUED
    assert other.sends == 0
    assert len(posts(chain)) == 2


def test_a_refund_of_ours_without_a_row_is_counted_and_holds_the_order(chain: Chain, refund: Refund) -> None:
    log_event(chain, refund, 30_000, "rh1-" + "f" * 36)
    run(refund)
    assert (refund.state, refund.sends) == (State.QUEUED, 0)
    assert balances(refund) == (0, 30_000, 25_000, True)
    assert [entry.kind for entry in LedgerEntry.objects.order_by("pk")] == ["reserve", "orphan"]
    assert posts(chain) == []
    assert again(refund).state == State.QUEUED
    assert LedgerEntry.objects.count() == 2
    told = [entry.event for entry in audit.timeline_of("order", str(refund.order.public_id))]
    assert told.count("order.held") == 1


def test_anothers_key_is_outside_money_at_once(chain: Chain, refund: Refund) -> None:
    log_event(chain, refund, 30_000, "shop-4711")
    assert run(refund).state == State.REFUNDED
    assert balances(refund) == (25_000, 30_000, 0, False)


def test_a_lower_captured_sum_later_takes_nothing_back(chain: Chain, refund: Refund, order: Order) -> None:
    assert run(refund).state == State.REFUNDED
    chain.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, operation="get", seconds=10 * 86_400))
    other = run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
    assert (other.state, other.outcome) == (State.DECLINED, "not_captured")
    order.refresh_from_db()
    assert order.captured_minor == 100_000


def test_the_captured_sum_never_falls(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7902", 50_000, captured=False)
    payment = chain.simulator.payment(BERGEN, order.reference)
    chain.simulator.ledger.record(payment, "CAPTURED", 30_000, at=chain.simulator.now.timestamp() - 86_400)
    chain.simulator.portal_capture(BERGEN, order.reference, 20_000)
    run(ask(order, 5_000, who=chain.kari, store=chain.oslo).refund)
    chain.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, operation="get"))
    run(ask(order, 6_000, who=chain.kari, store=chain.oslo).refund)
    order.refresh_from_db()
    assert order.captured_minor == 50_000


def test_what_is_captured_later_can_then_be_refunded(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7901", 50_000, captured=False)
    assert run(ask(order, 20_000, who=chain.kari, store=chain.oslo).refund).outcome == "not_captured"
    chain.simulator.portal_capture(BERGEN, order.reference, 50_000)
    order.refresh_from_db()
    assert run(ask(order, 20_000, who=chain.kari, store=chain.oslo).refund).state == State.REFUNDED


class TestWhereSumsComeLate:
    """Some of Vipps' answers show sums from before the call."""

    @pytest.fixture
    def simulator(self) -> Iterator[Simulator]:
        with simulated(Switches(rate_limits=False, aggregate_lag=3600, answer_amount="modification")) as simulator:
            yield simulator

    def test_a_200_alone_is_not_believed_but_the_log_is(self, chain: Chain, refund: Refund) -> None:
        assert run(refund).state == State.UNKNOWN
        assert balances(refund) == (0, 0, 25_000, False)
        assert again(refund).state == State.REFUNDED
        assert balances(refund) == (25_000, 0, 0, False)
        assert len(posts(chain)) == 1
        assert Attempt.objects.get(refund=refund).answer.kind == "lagging"

    def test_the_next_refund_of_the_order_is_right_too(self, chain: Chain, refund: Refund, order: Order) -> None:
        run(refund)
        again(refund)
        other = ask(order, 75_000, who=chain.kari, store=chain.oslo).refund
        run(other)
        assert again(other).state == State.REFUNDED
        assert balances(other) == (100_000, 0, 0, False)
        assert [applied for *_, applied in posts(chain)] == [True, True]


def test_the_hub_and_vipps_agree_to_the_oere(chain: Chain, refund: Refund, order: Order) -> None:
    run(refund)
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    run(ask(order, 15_000, who=chain.kari, store=chain.oslo).refund)
    at_vipps = chain.simulator.payment(BERGEN, order.reference).sums().refunded
    posted, external, reserved, _ = balances(refund)
    assert (at_vipps, posted + external, reserved) == (50_000, 50_000, 0)
    assert audit.verify().bad is None


def test_an_outside_refund_with_an_endless_reference_counts_once(chain: Chain) -> None:
    order = chain.sold(chain.bergen, "BGO-20261101-7799", 50_000)
    ledger.open_account(order)
    endless = "9" * 5_000
    with transaction.atomic():
        ledger.book(order, EntryKind.EXTERNAL, 1_000, psp_reference=endless)
    assert ledger.is_booked(order, endless)
    assert not ledger.is_booked(order, endless + "9")
