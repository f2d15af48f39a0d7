"""Three books of one order: the hub's ledger, Vipps' event log and sum, and the settlement; what differs is a row."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from refunds.models import Breaker, Difference, LedgerEntry, OrderAccount, OrderCheck, Refund, State
from stores import audit, clock
from stores.models import Order, SettlementFeed
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from tests.conftest import Chain
from tests.refunds.asking import ask, run
from tests.refunds.looking import is_due, look, open_kinds, settle
from tests.refunds.proving import BERGEN, balances, log_event, lose, simulated

TWO_DAYS = timedelta(days=2)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated(Switches(rate_limits=False)) as simulator:
        yield simulator


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-8200", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return run(ask(order, 25_000, who=chain.kari, store=chain.oslo).refund)


def told(order: Order) -> list[str]:
    return [entry.event for entry in audit.timeline_of("order", str(order.public_id))]


def test_where_all_agree_nothing_is_opened(chain: Chain, refund: Refund, order: Order, travel: Any) -> None:
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    travel(TWO_DAYS)
    settle(order)
    assert look(order) == []
    assert balances(refund) == (25_000, 10_000, 0, False)
    assert OrderCheck.objects.get(order=order).due_at is None
    assert Difference.objects.count() == 0


def test_an_order_that_was_never_refunded_here_is_compared_too(chain: Chain, order: Order) -> None:
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    assert look(order) == []
    assert OrderAccount.objects.get(order=order).external_minor == 10_000
    assert LedgerEntry.objects.get().kind == "external"


def test_a_portal_refund_whose_notice_was_lost_is_found_by_the_settlement(chain: Chain, order: Order, travel: Any) -> None:
    chain.simulator.portal_refund(BERGEN, order.reference, 10_000)
    settle(order)
    assert is_due(order)
    check = OrderCheck.objects.get(order=order)
    assert check.why == "settlement"
    assert look(order) == []
    assert OrderAccount.objects.get(order=order).external_minor == 10_000
    settle(order)
    assert not is_due(order), "what fits is not looked at again"


def test_our_own_refunds_in_the_settlement_ask_for_no_look(chain: Chain, refund: Refund, order: Order) -> None:
    settle(order)
    assert not OrderCheck.objects.exists()


def test_money_that_left_the_event_log_but_not_the_hub_is_a_difference(
    chain: Chain, refund: Refund, order: Order, travel: Any
) -> None:
    OrderAccount.objects.filter(order=order).update(external_minor=7_000)
    travel(TWO_DAYS)
    assert look(order) == ["event_log"]
    difference = Difference.objects.get()
    assert (difference.hub_minor, difference.events_minor, difference.payment_minor) == (32_000, 25_000, 25_000)
    assert told(order)[-1] == "difference.opened"
    assert look(order) == ["event_log"]
    assert Difference.objects.count() == 1


def test_a_difference_that_is_gone_closes_itself(chain: Chain, refund: Refund, order: Order, travel: Any) -> None:
    OrderAccount.objects.filter(order=order).update(external_minor=7_000)
    travel(TWO_DAYS)
    look(order)
    OrderAccount.objects.filter(order=order).update(external_minor=0)
    assert look(order) == []
    difference = Difference.objects.get()
    assert (difference.closing, difference.closed_by) == ("gone", None)
    assert told(order)[-1] == "difference.gone"
    assert audit.verify().bad is None


def test_what_was_booked_this_hour_is_looked_at_again_before_it_is_judged(
    chain: Chain, refund: Refund, order: Order, travel: Any
) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="events"))
    assert look(order) == []
    check = OrderCheck.objects.get(order=order)
    assert check.due_at is not None
    assert check.due_at > clock.db_now() + timedelta(minutes=55)
    travel(timedelta(hours=2))
    assert look(order) == []
    assert OrderCheck.objects.get(order=order).due_at is None


def test_while_a_refund_is_being_found_out_its_money_is_no_difference(chain: Chain, order: Order) -> None:
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    lose(chain, FaultKind.DROP_AFTER)
    assert run(refund).state == State.UNKNOWN
    chain.simulator.arm(Fault(kind=FaultKind.NULL_KEYS, operation="events"))
    assert look(order) == []
    assert balances(refund) == (0, 0, 25_000, False)
    assert OrderCheck.objects.get(order=order).due_at is not None


def test_a_look_settles_whatever_refund_of_ours_it_sees(chain: Chain, order: Order) -> None:
    refund = ask(order, 25_000, who=chain.kari, store=chain.oslo).refund
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    assert look(order) == []
    refund.refresh_from_db()
    assert refund.state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, False)


def test_vipps_own_sum_may_lag_but_not_for_ever(chain: Chain, refund: Refund, order: Order, travel: Any) -> None:
    chain.simulator.change_switches(aggregate_lag=10 * 86_400.0)
    assert look(order) == []
    travel(TWO_DAYS)
    assert look(order) == ["payment_sum"]
    difference = Difference.objects.get()
    assert (difference.hub_minor, difference.events_minor, difference.payment_minor) == (None, 25_000, 0)


class TestWhereRefundsFailLater:
    """A 200, an event with success, and a minute later the same key as failed."""

    @pytest.fixture
    def simulator(self) -> Iterator[Simulator]:
        with simulated(Switches(rate_limits=False, accepted_refunds="fail_later")) as simulator:
            yield simulator

    def test_a_refund_taken_back_after_it_was_booked_is_a_row_of_its_own(
        self, chain: Chain, refund: Refund, order: Order, travel: Any
    ) -> None:
        assert refund.state == State.REFUNDED
        travel(timedelta(minutes=2))
        assert look(order) == ["taken_back"]
        difference = Difference.objects.get()
        assert (difference.hub_minor, difference.events_minor) == (25_000, 0)
        assert difference.detail.startswith("taken back: ")
        travel(TWO_DAYS)
        settle(order)
        assert look(order) == ["taken_back"], "the books agree about everything else"

    def test_the_settlement_of_a_refund_taken_back_is_corrected_and_looked_into(
        self, chain: Chain, refund: Refund, order: Order, travel: Any
    ) -> None:
        travel(timedelta(minutes=2))
        settle(order)
        assert is_due(order)


def test_a_refund_that_is_never_settled_is_a_difference_after_the_reports_lag(
    chain: Chain, refund: Refund, order: Order, travel: Any
) -> None:
    chain.simulator.change_switches(report_lag=30 * 86_400.0)
    settle(order)
    assert look(order) == []
    travel(timedelta(hours=23))
    settle(order)
    assert look(order) == [], "it may still come"
    travel(TWO_DAYS)
    settle(order)
    assert look(order) == ["settlement"]
    difference = Difference.objects.get()
    assert (difference.events_minor, difference.settled_minor) == (25_000, 0)
    assert difference.detail.startswith("not settled: ")
    chain.simulator.change_switches(report_lag=0.0)
    settle(order)
    assert look(order) == []
    assert Difference.objects.get().closing == "gone"


def test_a_settlement_that_is_not_read_to_its_end_judges_nothing(
    chain: Chain, refund: Refund, order: Order, travel: Any
) -> None:
    chain.simulator.change_switches(report_lag=30 * 86_400.0)
    travel(TWO_DAYS)
    settle(order)
    SettlementFeed.objects.update(complete_at=None)
    assert look(order) == []


def test_a_settled_refund_that_the_log_does_not_know_is_a_difference(
    chain: Chain, refund: Refund, order: Order, travel: Any
) -> None:
    travel(TWO_DAYS)
    chain.simulator.ledger.funds.note(
        BERGEN, "REFUNDED", 4_000, psp=7, at=chain.simulator.now.timestamp() - 86_400, reference=order.reference, currency="NOK"
    )
    settle(order)
    assert is_due(order)
    assert look(order) == ["settlement"]
    difference = Difference.objects.get()
    assert (difference.events_minor, difference.settled_minor) == (25_000, 29_000)
    assert difference.detail == "not in the event log: 7"


def test_money_given_back_by_us_and_by_the_bank_is_named(chain: Chain, refund: Refund, order: Order) -> None:
    chain.simulator.dispute(BERGEN, order.reference, 100_000)
    settle(order)
    assert is_due(order)
    assert look(order) == ["paid_twice"]
    chain.simulator.dispute(BERGEN, order.reference, 100_000, is_won=True)
    settle(order)
    assert look(order) == []


def test_a_refund_of_ours_without_a_row_holds_the_order_and_agrees(chain: Chain, refund: Refund, order: Order) -> None:
    log_event(chain, refund, 30_000, "rh1-" + "f" * 36)
    assert look(order) == []
    assert balances(refund) == (25_000, 30_000, 0, True)


def test_while_vipps_is_left_alone_no_look_goes_out(chain: Chain, order: Order) -> None:
    unit = chain.units["BGO"]
    Breaker.objects.create(environment=unit.environment, sales_unit=None, failures=10, opened_at=clock.db_now())
    with pytest.raises(AssertionError):
        look(order)
    assert OrderCheck.objects.get(order=order).problem == "Vipps is left alone for a while"
    assert chain.simulator.calls.get("get", 0) == 0


def test_an_order_that_cannot_be_read_is_tried_again_later_with_the_reason(chain: Chain, order: Order) -> None:
    chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, operation="get", times=9))
    with pytest.raises(AssertionError):
        look(order)
    check = OrderCheck.objects.get(order=order)
    assert check.problem.startswith("Unsure in")
    assert check.due_at is not None
    assert check.due_at > clock.db_now()
    assert open_kinds(order) == []
