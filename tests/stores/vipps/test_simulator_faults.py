"""Each fault as the client meets it, and what the simulator's own book says really happened."""

import contextlib
import random
from datetime import timedelta

import pytest

from stores.vipps.epayment import Epayment
from stores.vipps.errors import (
    Locked,
    Misconfigured,
    OurDefect,
    Refused,
    Throttled,
    Unauthorized,
    Unsure,
    VippsError,
)
from stores.vipps.simulator import Fault, FaultKind, Switches
from stores.vipps.transport import WsgiTransport
from tests.stores.vipps.world import BERGEN, ORDER, OSLO, World, nok

LOSING = [
    (FaultKind.DROP_BEFORE, Unsure, 0, None),
    (FaultKind.ERROR_BEFORE, Unsure, 0, 503),
    (FaultKind.REDIRECT, Unsure, 0, 308),
    (FaultKind.THROTTLE, Throttled, 0, 429),
    (FaultKind.LOCK, Locked, 0, 423),
    (FaultKind.FORBIDDEN, Misconfigured, 0, 403),
    (FaultKind.DROP_AFTER, Unsure, 2_500, None),
    (FaultKind.ERROR_AFTER, Unsure, 2_500, 500),
    (FaultKind.MALFORMED, Unsure, 2_500, 200),
    (FaultKind.HUGE, Unsure, 2_500, 200),
    (FaultKind.SLOW, Unsure, 2_500, 200),
    (FaultKind.DELAY, Unsure, 2_500, 200),
]


@pytest.mark.parametrize(("kind", "error", "refunded", "status"), LOSING)
def test_a_fault_hits_once_and_the_same_key_settles_it(
    world: World, bergen: Epayment, kind: FaultKind, error: type[VippsError], refunded: int, status: int | None
) -> None:
    world.simulator.arm(Fault(kind=kind, operation="refund", msn=BERGEN, reference=ORDER))
    with pytest.raises(error) as caught:
        bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    assert type(caught.value) is error
    assert world.refunded() == refunded
    (entry,) = world.simulator.log()
    assert (entry.applied, entry.status, entry.fault, entry.keys) == (refunded > 0, status, kind, "unit-100001")
    assert world.simulator.faults.fired == {kind: 1}
    assert bergen.refund(ORDER, nok(2_500), idempotency_key="k").aggregate.refunded == 2_500
    assert world.refunded() == 2_500
    assert len(world.simulator.log(applied=True)) == 1


def test_a_single_401_is_not_seen_by_the_caller_and_a_second_one_is(world: World, bergen: Epayment) -> None:
    world.simulator.arm(Fault(kind=FaultKind.UNAUTHORIZED, operation="refund"))
    assert bergen.refund(ORDER, nok(100), idempotency_key="k-1").aggregate.refunded == 100
    world.simulator.arm(Fault(kind=FaultKind.UNAUTHORIZED, operation="refund", times=2))
    with pytest.raises(Unauthorized):
        bergen.refund(ORDER, nok(100), idempotency_key="k-2")
    assert world.refunded() == 100


@pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), (None, None)])
def test_429_with_and_without_retry_after(world: World, bergen: Epayment, told: str | None, seconds: float | None) -> None:
    world.simulator.arm(Fault(kind=FaultKind.THROTTLE, operation="refund", retry_after=told))
    with pytest.raises(Throttled) as caught:
        bergen.refund(ORDER, nok(100), idempotency_key="k")
    assert caught.value.retry_after == seconds


def test_a_refusal_of_choice_sticks_to_its_key(world: World, bergen: Epayment) -> None:
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code="6250"))
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            bergen.refund(ORDER, nok(100), idempotency_key="k")
        assert caught.value.code == "6250"
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", status=422))
    with pytest.raises(Unsure) as odd:
        bergen.refund(ORDER, nok(100), idempotency_key="k-2")
    assert odd.value.status == 422
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", status=400))
    with pytest.raises(OurDefect):
        bergen.refund(ORDER, nok(100), idempotency_key="k-3")
    assert world.refunded() == 0


def test_a_request_can_linger_and_be_applied_when_nobody_waits_any_more(world: World, bergen: Epayment) -> None:
    world.simulator.arm(Fault(kind=FaultKind.DELAY_BEFORE, operation="refund", seconds=600))
    with pytest.raises(Unsure):
        bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    assert world.refunded() == 0
    assert world.simulator.wsgi.arrive_late() == 1
    assert world.refunded() == 2_500
    assert world.simulator.wsgi.arrive_late() == 0


def test_a_stale_event_log_lacks_the_refund_that_the_sums_show(world: World, bergen: Epayment) -> None:
    bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    world.simulator.arm(Fault(kind=FaultKind.STALE_EVENTS, operation="events"))
    assert [event.name for event in bergen.get_events(ORDER)] == ["CREATED", "AUTHORIZED", "CAPTURED"]
    assert bergen.get_payment(ORDER).aggregate.refunded == 2_500
    assert bergen.get_events(ORDER)[-1].name == "REFUNDED"


def test_sums_can_lag_behind_in_the_answer_and_in_the_payment(world: World, bergen: Epayment) -> None:
    world.simulator.arm(Fault(kind=FaultKind.LAGGING_AGGREGATE, times=2))
    assert bergen.refund(ORDER, nok(2_500), idempotency_key="k").aggregate.refunded == 0
    assert bergen.get_payment(ORDER).aggregate.refunded == 0
    assert bergen.get_payment(ORDER).aggregate.refunded == 2_500


def test_sums_can_always_lag_by_some_seconds() -> None:
    world = World(switches=Switches(aggregate_lag=30.0))
    bergen = world.epayment(BERGEN)
    assert bergen.refund(ORDER, nok(2_500), idempotency_key="k").aggregate.refunded == 0
    world.simulator.move_clock(timedelta(seconds=30))
    assert bergen.get_payment(ORDER).aggregate.refunded == 2_500


def test_the_event_log_can_lose_its_keys(world: World, bergen: Epayment) -> None:
    bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    world.simulator.arm(Fault(kind=FaultKind.NULL_KEYS, operation="events"))
    assert [event.idempotency_key for event in bergen.get_events(ORDER)] == [None] * 4


def test_sums_and_events_can_lie_about_the_amount(world: World, bergen: Epayment) -> None:
    world.simulator.arm(Fault(kind=FaultKind.WRONG_AMOUNT, times=3))
    assert bergen.refund(ORDER, nok(2_500), idempotency_key="k").aggregate.refunded == 2_600
    assert bergen.get_payment(ORDER).aggregate.refunded == 2_600
    assert bergen.get_events(ORDER)[-1].amount == nok(2_600)
    assert world.refunded() == 2_500


def test_answers_can_lie_about_the_currency(world: World, bergen: Epayment) -> None:
    world.simulator.arm(Fault(kind=FaultKind.WRONG_CURRENCY, times=2))
    assert bergen.refund(ORDER, nok(2_500), idempotency_key="k").aggregate.currency == "SEK"
    assert bergen.get_events(ORDER)[-1].amount.currency == "SEK"


def test_a_refund_can_be_accepted_and_yet_fail(world: World, bergen: Epayment) -> None:
    world.simulator.arm(Fault(kind=FaultKind.FAILED_EVENT, operation="refund"))
    assert bergen.refund(ORDER, nok(2_500), idempotency_key="k").aggregate.refunded == 0
    event = bergen.get_events(ORDER)[-1]
    assert (event.name, event.idempotency_key, event.success) == ("REFUNDED", "k", False)
    assert world.refunded() == 0
    assert world.simulator.log(applied=True) == []


def test_the_portal_refunds_behind_everybodys_back(world: World, bergen: Epayment) -> None:
    world.simulator.portal_refund(BERGEN, ORDER, 4_000)
    assert bergen.get_payment(ORDER).aggregate.refunded == 4_000
    event = bergen.get_events(ORDER)[-1]
    assert (event.name, event.idempotency_key, event.success) == ("REFUNDED", None, True)
    (entry,) = world.simulator.log()
    assert (entry.operation, entry.keys, entry.applied) == ("portal-refund", "portal", True)
    with pytest.raises(ValueError, match="6000"):
        world.simulator.portal_refund(BERGEN, ORDER, 6_001)
    with pytest.raises(KeyError):
        world.simulator.portal_refund(BERGEN, "no-such-order", 1)


def test_the_portal_captures_late(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, "bergen-reserved", amount_minor=500, captured_minor=0)
    world.simulator.portal_capture(BERGEN, "bergen-reserved", 500)
    assert bergen.get_payment("bergen-reserved").aggregate.refundable == 500


def test_a_rule_hits_only_what_it_names_skips_and_counts(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(OSLO, "oslo-2026-0001", amount_minor=500)
    world.simulator.arm(Fault(kind=FaultKind.LOCK, operation="refund", msn=BERGEN, reference=ORDER, skip=1, times=2))
    world.epayment(OSLO).refund("oslo-2026-0001", nok(1), idempotency_key="k")
    bergen.get_payment(ORDER)
    outcomes = []
    for number in range(5):
        try:
            bergen.refund(ORDER, nok(1), idempotency_key=f"k-{number}")
            outcomes.append("ok")
        except Locked:
            outcomes.append("locked")
    assert outcomes == ["ok", "locked", "locked", "ok", "ok"]


def test_a_rule_can_be_taken_back(world: World, bergen: Epayment) -> None:
    rule = world.simulator.arm(Fault(kind=FaultKind.LOCK, times=None))
    with pytest.raises(Locked):
        bergen.get_payment(ORDER)
    world.simulator.disarm(rule)
    bergen.get_payment(ORDER)
    with pytest.raises(KeyError):
        world.simulator.disarm(rule)
    world.simulator.arm(Fault(kind=FaultKind.LOCK))
    world.simulator.disarm()
    bergen.get_payment(ORDER)


def test_chance_is_the_same_for_the_same_seed() -> None:
    def run() -> list[bool]:
        world = World(switches=Switches(rate_limits=False))
        world.simulator.arm(Fault(kind=FaultKind.LOCK, operation="get", times=None, probability=0.3))
        bergen, hits = world.epayment(BERGEN), []
        for _ in range(200):
            try:
                bergen.get_payment(ORDER)
                hits.append(False)
            except Locked:
                hits.append(True)
        return hits

    first = run()
    assert first == run()
    assert 35 < sum(first) < 85


def test_under_any_mixture_of_faults_the_same_key_moves_the_money_once(world: World) -> None:
    """Two hundred refunds with random faults, each repeated with its key until it is confirmed."""
    chance = random.Random(7)
    simulator = World(switches=Switches(rate_limits=False)).simulator
    keys = simulator.add_sales_unit("300001")
    bergen = world.epayment("300001", keys=keys, transport=WsgiTransport(simulator.wsgi))
    kinds = [kind for kind, *_ in LOSING]
    for number in range(200):
        reference = f"order-{number:06d}"
        simulator.add_payment("300001", reference, amount_minor=1_000)
        for _ in range(chance.randrange(4)):
            simulator.arm(Fault(kind=chance.choice(kinds), operation="refund", reference=reference))
        for _ in range(5):
            with contextlib.suppress(Unsure, Throttled, Locked, Misconfigured):
                bergen.refund(reference, nok(400), idempotency_key=f"k-{number}")
                break
        assert simulator.payment("300001", reference).sums().refunded == 400
        assert len(simulator.log(reference=reference, applied=True)) == 1
    assert sum(simulator.faults.fired.values()) > 150
