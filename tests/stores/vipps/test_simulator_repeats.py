"""What the simulator does with repeated calls: idempotency keys and rate limits."""

from datetime import timedelta

import pytest

from stores.vipps.epayment import Epayment
from stores.vipps.errors import KeyConflict, Throttled
from stores.vipps.simulator import Switches
from tests.stores.vipps.asking import RESERVED, refused
from tests.stores.vipps.world import BERGEN, ORDER, World, nok


def test_the_same_key_and_body_has_one_effect(world: World, bergen: Epayment) -> None:
    first = bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    again = bergen.refund(ORDER, nok(2_500), idempotency_key="k")
    assert first == again
    assert world.refunded() == 2_500
    assert [(entry.applied, entry.replayed) for entry in world.simulator.log()] == [(True, False), (False, True)]


@pytest.mark.parametrize(("replay", "refunded"), [("stored", 1_000), ("fresh", 3_000)])
def test_a_repeated_call_is_answered_as_then_or_as_now(replay: str, refunded: int) -> None:
    world = World(switches=Switches(replay="stored" if replay == "stored" else "fresh"))
    bergen = world.epayment(BERGEN)
    bergen.refund(ORDER, nok(1_000), idempotency_key="k-1")
    bergen.refund(ORDER, nok(2_000), idempotency_key="k-2")
    assert bergen.refund(ORDER, nok(1_000), idempotency_key="k-1").aggregate.refunded == refunded


@pytest.mark.parametrize(("operation", "code"), [("refund", "4150"), ("capture", "4010")])
def test_the_same_key_with_another_body_is_a_conflict(world: World, bergen: Epayment, operation: str, code: str) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=300)
    modify = bergen.refund if operation == "refund" else bergen.capture
    modify(RESERVED, nok(100), idempotency_key="k")
    before = world.simulator.payment(BERGEN, RESERVED).sums()
    with pytest.raises(KeyConflict) as caught:
        modify(RESERVED, nok(101), idempotency_key="k")
    assert (caught.value.status, caught.value.code) == (409, code)
    assert world.simulator.payment(BERGEN, RESERVED).sums() == before


def test_a_refusal_sticks_to_its_key(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    assert refused(lambda: bergen.refund(RESERVED, nok(100), idempotency_key="k")) == "6210"
    world.simulator.portal_capture(BERGEN, RESERVED, 500)
    assert refused(lambda: bergen.refund(RESERVED, nok(100), idempotency_key="k")) == "6210"
    assert bergen.refund(RESERVED, nok(100), idempotency_key="k-2").aggregate.refunded == 100


def test_a_refusal_need_not_stick() -> None:
    world = World(switches=Switches(sticky_refusals=False))
    bergen = world.epayment(BERGEN)
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    assert refused(lambda: bergen.refund(RESERVED, nok(100), idempotency_key="k")) == "6210"
    world.simulator.portal_capture(BERGEN, RESERVED, 500)
    assert bergen.refund(RESERVED, nok(100), idempotency_key="k").aggregate.refunded == 100


@pytest.mark.parametrize("scope", ["operation", "payment", "sales_unit"])
def test_how_far_a_key_reaches(scope: str) -> None:
    switches = {
        "operation": Switches(key_scope="operation"),
        "payment": Switches(key_scope="payment"),
        "sales_unit": Switches(key_scope="sales_unit"),
    }[scope]
    world = World(switches=switches)
    bergen = world.epayment(BERGEN)
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=300)
    bergen.refund(RESERVED, nok(100), idempotency_key="k")
    if scope == "operation":
        bergen.capture(RESERVED, nok(100), idempotency_key="k")
    else:
        with pytest.raises(KeyConflict):
            bergen.capture(RESERVED, nok(100), idempotency_key="k")
    if scope == "sales_unit":
        with pytest.raises(KeyConflict):
            bergen.refund(ORDER, nok(100), idempotency_key="k")
    else:
        bergen.refund(ORDER, nok(100), idempotency_key="k")


def test_a_repeated_cancel_with_its_key_succeeds_again(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    first = bergen.cancel(RESERVED, idempotency_key="k")
    assert bergen.cancel(RESERVED, idempotency_key="k") == first


@pytest.mark.parametrize(("amount", "told"), [("original", 10_000), ("modification", 2_500)])
def test_the_answers_amount_is_the_payments_or_the_refunds(amount: str, told: int) -> None:
    world = World(switches=Switches(answer_amount="original" if amount == "original" else "modification"))
    assert world.epayment(BERGEN).refund(ORDER, nok(2_500), idempotency_key="k").amount == nok(told)


def test_the_sixth_modification_within_a_minute_is_throttled(world: World, bergen: Epayment) -> None:
    for number in range(5):
        bergen.refund(ORDER, nok(1), idempotency_key=f"k-{number}")
    with pytest.raises(Throttled) as caught:
        bergen.refund(ORDER, nok(1), idempotency_key="k-5")
    assert caught.value.retry_after is None
    assert world.refunded() == 5
    world.simulator.move_clock(timedelta(seconds=60))
    assert bergen.refund(ORDER, nok(1), idempotency_key="k-5").aggregate.refunded == 6


def test_another_payment_does_not_compete(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, "bergen-2026-0002", amount_minor=500)
    for number in range(5):
        bergen.refund(ORDER, nok(1), idempotency_key=f"k-{number}")
    bergen.refund("bergen-2026-0002", nok(1), idempotency_key="k-9")


def test_the_121st_read_within_a_minute_is_throttled(bergen: Epayment) -> None:
    for number in range(120):
        if number % 2:
            bergen.get_payment(ORDER)
        else:
            bergen.get_events(ORDER)
    with pytest.raises(Throttled):
        bergen.get_payment(ORDER)


def test_retry_after_can_be_told() -> None:
    world = World(switches=Switches(retry_after=True))
    bergen = world.epayment(BERGEN)
    for number in range(5):
        bergen.refund(ORDER, nok(1), idempotency_key=f"k-{number}")
    world.simulator.move_clock(timedelta(seconds=20))
    with pytest.raises(Throttled) as caught:
        bergen.refund(ORDER, nok(1), idempotency_key="k-5")
    assert caught.value.retry_after == 41.0


def test_limits_can_be_off() -> None:
    world = World(switches=Switches(rate_limits=False))
    bergen = world.epayment(BERGEN)
    for number in range(20):
        bergen.refund(ORDER, nok(1), idempotency_key=f"k-{number}")
    assert world.refunded() == 20
