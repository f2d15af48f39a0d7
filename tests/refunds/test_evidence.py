"""What the event log proves: our own key settles a refund, silence never does, and others' money is counted once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from refunds import states
from refunds.models import Observation, Refund, State
from refunds.progress import progress_of
from stores import clock
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


def test_every_reading_is_kept_with_its_digest(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    again(refund)
    kept = Observation.objects.filter(refund=refund).order_by("pk")
    assert [row.source for row in kept] == ["payment", "payment", "events"]
    assert all(len(row.digest) == 64 for row in kept)
    assert kept[2].facts["events"][-1]["idempotency_key"] == key_of(refund)


def test_a_stale_event_log_is_no_failure_and_pays_nobody_twice(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    assert run(refund).state == State.UNKNOWN
    chain.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="events", times=None))
    again(refund)
    assert refund.state == State.UNKNOWN
    assert {key for _, key, _ in posts(chain)} == {key_of(refund)}
    assert [applied for *_, applied in posts(chain)].count(True) == 1
    assert balances(refund) == (0, 0, 25_000, False)
    chain.simulator.disarm()
    assert again(refund).state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, False)


def test_a_log_that_lost_its_keys_settles_nothing_adopts_nothing_and_ends_with_people(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    chain.simulator.arm(Fault(kind=FaultKind.NULL_KEYS, operation="events", times=None))
    assert again(refund).state == State.UNKNOWN
    assert balances(refund) == (0, 0, 25_000, False)
    assert later(refund, hours=30).state == State.REVIEW
    assert balances(refund) == (0, 0, 25_000, True)
    assert refund.generation == 0
    assert [applied for *_, applied in posts(chain)].count(True) == 1


def test_another_amount_under_our_key_goes_to_people_and_holds_the_order(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    log_event(chain, refund, 26_000, key_of(refund))
    assert again(refund).state == State.REVIEW
    assert refund.outcome == "other_amount"
    assert balances(refund) == (0, 0, 25_000, True)
    assert len(posts(chain)) == 1


def test_two_successes_with_our_keys_go_to_people(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    log_event(chain, refund, 25_000, key_of(refund))
    log_event(chain, refund, 25_000, key_of(refund))
    assert again(refund).state == State.REVIEW
    assert refund.outcome == "refunded_twice"
    assert balances(refund) == (0, 0, 25_000, True)
    assert len(posts(chain)) == 1


def test_a_failed_event_with_our_key_is_a_refusal(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.FAILED_EVENT)
    assert run(refund).state == State.UNKNOWN
    assert again(refund).state == State.DECLINED
    assert refund.outcome == "failed_at_vipps"
    assert balances(refund) == (0, 0, 0, False)
    assert len(posts(chain)) == 1


def test_a_failed_event_waits_for_quiet_time_while_another_send_is_unresolved(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    lose(chain)
    again(refund)
    log_event(chain, refund, 25_000, key_of(refund), success=False)
    assert again(refund).state == State.UNKNOWN
    assert (refund.verdict, refund.outcome) == ("reject", "failed_at_vipps")
    assert balances(refund) == (0, 0, 25_000, False)
    assert later(refund, hours=11).state == State.UNKNOWN
    assert later(refund, hours=13).state == State.DECLINED
    assert len(posts(chain)) == 2


def test_a_failed_event_of_an_earlier_key_does_not_end_the_present_one(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    assert later(refund, hours=13).state == State.QUEUED
    log_event(chain, refund, 25_000, key_of(refund), success=False)
    lose(chain, FaultKind.DROP_AFTER)
    later(refund, hours=13, minutes=1)
    assert (refund.state, refund.generation) == (State.UNKNOWN, 1)
    assert later(refund, hours=13, minutes=2).state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, False)


def test_a_refusal_after_an_unresolved_send_waits_twelve_hours_and_then_declines(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    lose(chain, FaultKind.REFUSE, code="6220")
    assert again(refund).state == State.UNKNOWN
    assert (refund.verdict, refund.provider_code) == ("reject", "6220")
    assert "still being confirmed" in str(progress_of(refund).explanation)
    assert again(refund).state == State.UNKNOWN
    assert later(refund, hours=11, minutes=59).state == State.UNKNOWN
    assert balances(refund) == (0, 0, 25_000, False)
    assert later(refund, hours=12, minutes=1).state == State.DECLINED
    assert refund.outcome == "vipps_6220"
    assert balances(refund) == (0, 0, 0, False)
    assert len(posts(chain)) == 2


def test_a_refusal_that_was_none_is_settled_by_the_log(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    chain.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="events"))
    lose(chain, FaultKind.REFUSE, code="6180", status=400)
    Refund.objects.filter(pk=refund.pk).update(verdict="reject")
    assert again(refund).state == State.UNKNOWN
    assert again(refund).state == State.REFUNDED
    assert refund.verdict == ""
    assert balances(refund) == (25_000, 0, 0, False)


def test_refused_with_money_gone_that_nobody_explains_is_for_people(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    lose(chain, FaultKind.REFUSE, code="6150")
    again(refund)
    chain.simulator.portal_refund(BERGEN, refund.order.reference, 25_000)
    assert later(refund, hours=13).state == State.REVIEW
    assert balances(refund) == (0, 0, 25_000, True)


def test_three_soft_refusals_wear_a_key_out(chain: Chain, refund: Refund) -> None:
    for _ in range(3):
        lose(chain, FaultKind.LOCK)
        assert again(refund).state == State.QUEUED
        assert refund.indeterminate_since is None
    assert (refund.soft_refusals, refund.generation) == (3, 0)
    assert again(refund).state == State.QUEUED
    assert (refund.soft_refusals, refund.generation) == (0, 1)
    assert again(refund).state == State.REFUNDED
    assert [key for _, key, _ in posts(chain)] == [key_of(refund)] * 3 + [key_of(refund, 1)]
    assert balances(refund) == (25_000, 0, 0, False)


def test_a_worn_out_key_is_kept_while_one_of_its_sends_is_unresolved(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    unresolved = refund.indeterminate_since
    assert unresolved is not None
    for _ in range(4):
        lose(chain, FaultKind.THROTTLE)
        assert again(refund).state == State.UNKNOWN
        assert refund.indeterminate_since == unresolved
    assert (refund.soft_refusals, refund.generation) == (4, 0)
    assert {key for _, key, _ in posts(chain)} == {key_of(refund)}


def test_a_wait_that_vipps_asks_for_is_not_cut_short(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.THROTTLE, retry_after="3000")
    before = clock.db_now()
    run(refund)
    assert timedelta(seconds=3000) <= refund.next_action_at - before <= timedelta(seconds=3030)
    assert run(refund).state == State.QUEUED
    assert len(posts(chain)) == 1


@pytest.mark.parametrize(("hours", "key"), [(11.9, 0), (12.1, 1)])
def test_a_key_is_never_sent_again_after_twelve_hours(chain: Chain, refund: Refund, hours: float, key: int) -> None:
    lose(chain)
    run(refund)
    later(refund, hours=hours)
    if key:
        assert (refund.state, refund.generation) == (State.QUEUED, 1)
        later(refund, hours=hours, minutes=1)
    assert refund.state == State.REFUNDED
    assert [sent for _, sent, _ in posts(chain)] == [key_of(refund), key_of(refund, key)]


def test_between_the_windows_it_is_neither_sent_nor_given_a_new_key(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    lose(chain)
    assert later(refund, hours=6).state == State.UNKNOWN
    assert later(refund, hours=13).state == State.UNKNOWN
    assert (refund.generation, len(posts(chain))) == (0, 2)
    assert later(refund, hours=18.1).generation == 1
    assert len(posts(chain)) == 2


def test_after_the_last_key_there_is_no_other(chain: Chain, refund: Refund) -> None:
    lose(chain)
    run(refund)
    Refund.objects.filter(pk=refund.pk).update(generation=states.LAST_GENERATION, soft_refusals=3, indeterminate_since=None)
    assert again(refund).state == State.UNKNOWN
    assert (refund.outcome, refund.generation) == ("keys_used_up", 3)
    assert len(posts(chain)) == 1


def test_a_key_that_vipps_knows_with_other_content_waits_for_the_log(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    chain.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="events", times=2))
    lose(chain, FaultKind.REFUSE, code="4150", status=409)
    Refund.objects.filter(pk=refund.pk).update(verdict="conflict")
    for _ in range(2):
        assert again(refund).state == State.UNKNOWN
    assert len(posts(chain)) == 1
    assert again(refund).state == State.REFUNDED
    assert balances(refund) == (25_000, 0, 0, False)


def test_keys_that_vipps_forgot_do_not_pay_twice(chain: Chain, refund: Refund) -> None:
    lose(chain, FaultKind.DROP_AFTER)
    run(refund)
    chain.simulator._books.remembered.clear()
    assert later(refund, hours=13).state == State.REFUNDED
    assert len(posts(chain)) == 1


@pytest.mark.parametrize("read", ["get", "events"])
def test_a_reading_that_fails_leaves_the_refund_where_it_was(chain: Chain, refund: Refund, read: str) -> None:
    lose(chain)
    run(refund)
    unresolved = refund.indeterminate_since
    chain.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, operation=read))
    assert again(refund).state == State.UNKNOWN
    assert refund.indeterminate_since == unresolved
    assert len(posts(chain)) == 1


@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.UNAUTHORIZED, FaultKind.THROTTLE, FaultKind.MALFORMED])
def test_a_first_reading_that_fails_steps_back_and_sends_nothing(chain: Chain, refund: Refund, kind: FaultKind) -> None:
    chain.simulator.arm(Fault(kind=kind, operation="get", times=2))
    assert run(refund).state == State.QUEUED
    assert (refund.sends, refund.indeterminate_since) == (0, None)
    assert refund.next_action_at > refund.accepted_at
    assert posts(chain) == []
    assert balances(refund) == (0, 0, 25_000, False)
