"""What the event log proves: our own key settles a refund, silence never does, and others' money is counted once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from refunds import identity, queries, states
from refunds.models import Attempt, LedgerEntry, Observation, OrderAccount, Refund, State
from stores import audit, clock, sessions
from stores.models import Order
from stores.vipps.simulator import Fault, FaultKind, Simulator, Switches
from stores.vipps.wsgi_transport import WsgiTransport
from tests.conftest import Chain
from tests.refunds.asking import ask, make_due, run

BERGEN = "100002"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """As everywhere, but without rate limits: these tests look more often than Vipps would like."""
    simulator = Simulator(seed=1, switches=Switches(rate_limits=False))
    sessions.forget_all()
    with sessions.use_transport(WsgiTransport(simulator.wsgi)):
        yield simulator
    sessions.forget_all()


@pytest.fixture
def order(chain: Chain) -> Order:
    return chain.sold(chain.bergen, "BGO-20261101-7900", 100_000)


@pytest.fixture
def refund(chain: Chain, order: Order) -> Refund:
    return ask(order, 25_000, who=chain.kari, store=chain.oslo).refund


def again(refund: Refund) -> Refund:
    make_due(refund)
    return run(refund)


def later(refund: Refund, **much: float) -> Refund:
    """The same as `again`, that much later by every clock that the hub believes."""
    moment = datetime.now(UTC) + timedelta(**much)
    with clock.bound(clock.Source(now=lambda: moment)):
        return again(refund)


def posts(chain: Chain) -> list[tuple[int | None, str | None, bool]]:
    """Every refund call that reached Vipps: amount, key, applied."""
    return [(entry.amount_minor, entry.idempotency_key, entry.applied) for entry in chain.simulator.log(operation="refund")]


def balances(refund: Refund) -> tuple[int, int, int, bool]:
    """Posted, external, reserved, on hold."""
    account = OrderAccount.objects.get(order_id=refund.order_id)
    return account.posted_minor, account.external_minor, account.reserved_minor, account.on_hold


def key_of(refund: Refund, generation: int = 0) -> str:
    unit = refund.order.sales_unit
    return identity.provider_key(
        environment=unit.environment,
        msn=unit.msn,
        reference=refund.order.reference,
        refund=refund.pk,
        generation=generation,
    )


def log_event(chain: Chain, refund: Refund, amount: int, key: str | None, *, success: bool = True) -> None:
    """Put an event into Vipps' own log, as nobody's call would."""
    payment = chain.simulator.payment(BERGEN, refund.order.reference)
    now = chain.simulator.now.timestamp()
    chain.simulator.ledger.record(payment, "REFUNDED", amount, at=now, key=key, success=success)


def lose(chain: Chain, kind: FaultKind = FaultKind.DROP_BEFORE, **more: Any) -> None:
    chain.simulator.arm(Fault(kind=kind, operation="refund", **more))


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
    assert "still being confirmed" in str(queries.progress_of(refund).explanation)
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


def test_a_lower_captured_sum_later_takes_nothing_back(chain: Chain, refund: Refund, order: Order) -> None:
    assert run(refund).state == State.REFUNDED
    chain.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, operation="get", seconds=10 * 86_400))
    other = run(ask(order, 10_000, who=chain.kari, store=chain.oslo).refund)
    assert (other.state, other.outcome) == (State.DECLINED, "not_captured")
    order.refresh_from_db()
    assert order.captured_minor == 100_000


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
        simulator = Simulator(seed=1, switches=Switches(rate_limits=False, aggregate_lag=3600, answer_amount="modification"))
        with sessions.use_transport(WsgiTransport(simulator.wsgi)):
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
