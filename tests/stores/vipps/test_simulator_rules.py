"""The simulator's rules: guards, idempotency, rate limits and the form of requests."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from stores.vipps.epayment import Epayment
from stores.vipps.errors import KeyConflict, Misconfigured, Refused, Throttled, VippsError
from stores.vipps.exchange import Response
from stores.vipps.simulator import Switches
from stores.vipps.types import Amount
from tests.stores.vipps.world import BERGEN, ORDER, World, nok

RESERVED = "bergen-reserved"
PATH = "/epayment/v1/payments"


def refused(call: object) -> str | None:
    """The code with which the call was refused."""
    assert callable(call)
    with pytest.raises((Refused, Misconfigured)) as caught:
        call()
    return caught.value.code


def raw(world: World, path: str, body: Mapping[str, Any], *, key: str | None = "k") -> Response | VippsError:
    """A call with any body, past the client's own checks."""
    try:
        return world.session(BERGEN).call("raw", "POST", path, body=body, idempotency_key=key)
    except VippsError as error:
        return error


# Guards


def test_a_refund_of_what_is_only_reserved(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    assert refused(lambda: bergen.refund(RESERVED, nok(100), idempotency_key="k")) == "6210"


def test_a_refund_before_the_customer_paid(world: World, bergen: Epayment) -> None:
    create(world, "bergen-created")
    assert refused(lambda: bergen.refund("bergen-created", nok(100), idempotency_key="k")) == "6020"


def test_more_than_is_left(bergen: Epayment) -> None:
    bergen.refund(ORDER, nok(9_000), idempotency_key="k-1")
    assert refused(lambda: bergen.refund(ORDER, nok(1_001), idempotency_key="k-2")) == "6150"


def test_everything_is_refunded_already(bergen: Epayment) -> None:
    bergen.refund(ORDER, nok(10_000), idempotency_key="k-1")
    assert refused(lambda: bergen.refund(ORDER, nok(1), idempotency_key="k-2")) == "6180"


def test_several_refunds_until_the_captured_amount_is_used_up(world: World, bergen: Epayment) -> None:
    for number, value in enumerate((1, 4_999, 5_000)):
        bergen.refund(ORDER, nok(value), idempotency_key=f"k-{number}")
    assert world.refunded() == 10_000


@pytest.mark.parametrize(("days", "code"), [(363, None), (365, "6220")])
def test_a_refund_after_a_year(world: World, bergen: Epayment, days: int, code: str | None) -> None:
    world.simulator.move_clock(timedelta(days=days))
    if code is None:
        assert bergen.refund(ORDER, nok(100), idempotency_key="k").aggregate.refunded == 100
    else:
        assert refused(lambda: bergen.refund(ORDER, nok(100), idempotency_key="k")) == code
        assert world.refunded() == 0


def test_another_currency(bergen: Epayment) -> None:
    assert refused(lambda: bergen.refund(ORDER, Amount(currency="DKK", value=100), idempotency_key="k")) == "5040"


def test_a_unit_without_refunds(world: World) -> None:
    keys = world.simulator.add_sales_unit("200001", allows_refunds=False)
    world.simulator.add_payment("200001", ORDER, amount_minor=100)
    unit = world.epayment("200001", keys=keys)
    assert refused(lambda: unit.refund(ORDER, nok(100), idempotency_key="k")) == "5100"


def test_the_guards_of_capture(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    create(world, "bergen-created")
    assert refused(lambda: bergen.capture("bergen-created", nok(100), idempotency_key="a")) == "6080"
    assert refused(lambda: bergen.capture(RESERVED, nok(501), idempotency_key="b")) == "6090"
    assert refused(lambda: bergen.capture(ORDER, nok(1), idempotency_key="c")) == "6170"
    bergen.cancel(RESERVED, idempotency_key="d")
    assert refused(lambda: bergen.capture(RESERVED, nok(1), idempotency_key="e")) == "6070"


def test_the_guards_of_cancel(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    assert refused(lambda: bergen.cancel(ORDER, idempotency_key="a")) == "6040"
    bergen.cancel(RESERVED, idempotency_key="b")
    assert refused(lambda: bergen.cancel(RESERVED, idempotency_key="c")) == "6050"


def test_a_late_capture_is_too_late(world: World, bergen: Epayment) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    world.simulator.move_clock(timedelta(days=180))
    assert refused(lambda: bergen.capture(RESERVED, nok(1), idempotency_key="a")) == "6100"
    assert refused(lambda: bergen.cancel(RESERVED, idempotency_key="b")) == "6030"


def test_a_partial_capture_where_it_is_not_allowed(world: World) -> None:
    keys = world.simulator.add_sales_unit("200001", allows_partial_capture=False)
    world.simulator.add_payment("200001", RESERVED, amount_minor=500, captured_minor=0)
    unit = world.epayment("200001", keys=keys)
    assert refused(lambda: unit.capture(RESERVED, nok(1), idempotency_key="a")) == "6140"
    assert unit.capture(RESERVED, nok(500), idempotency_key="b").aggregate.captured == 500


# Idempotency


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


# Rate limits


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


# Form


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"modificationAmount": {"currency": "NOK", "value": 100.5}}, "4040"),
        ({"modificationAmount": {"currency": "NOK", "value": 49900.0000001}}, "4040"),
        ({"modificationAmount": {"currency": "NOK", "value": 0}}, "6010"),
        ({"modificationAmount": {"currency": "NOK", "value": "100"}}, None),
        ({"modificationAmount": {"currency": "NOK", "value": True}}, None),
        ({"modificationAmount": {"currency": "NOK", "value": -1}}, None),
        ({"modificationAmount": {"currency": "NOK", "value": 65_000_001}}, None),
        ({"modificationAmount": {"currency": "nok", "value": 1}}, None),
        ({"modificationAmount": {"currency": "NOK", "value": 1, "unit": "øre"}}, None),
        ({"modificationAmount": {"currency": "NOK", "value": 1}, "reason": "broken"}, None),
        ({}, None),
    ],
)
def test_a_refund_of_the_wrong_form_is_refused_and_moves_nothing(world: World, body: dict[str, Any], code: str | None) -> None:
    told = raw(world, f"{PATH}/{ORDER}/refund", body)
    assert isinstance(told, VippsError)
    assert (told.status, told.code) == (400, code)
    assert world.refunded() == 0
    (entry,) = world.simulator.log()
    assert entry.applied is False


def test_a_refund_without_a_key_is_refused(world: World) -> None:
    told = raw(world, f"{PATH}/{ORDER}/refund", {"modificationAmount": {"currency": "NOK", "value": 1}}, key=None)
    assert isinstance(told, VippsError)
    assert (told.status, world.refunded()) == (400, 0)


def create(
    world: World, reference: str, changes: Mapping[str, Any] | None = None, *, key: str | None = None
) -> Response | VippsError:
    body = {
        "amount": {"currency": "NOK", "value": 500},
        "paymentMethod": {"type": "WALLET"},
        "reference": reference,
        "userFlow": "QR",
        "customerInteraction": "CUSTOMER_PRESENT",
        **(changes or {}),
    }
    return raw(world, PATH, body, key=key or f"key-{reference}")


def test_a_payment_is_created_approved_captured_and_refunded(world: World, bergen: Epayment) -> None:
    told = create(world, "bergen-created")
    assert isinstance(told, Response)
    assert told.status == 201
    assert set(json.loads(told.body)) == {"reference", "redirectUrl"}
    assert bergen.get_payment("bergen-created").state == "CREATED"
    raw(
        world,
        "/epayment/v1/test/payments/bergen-created/approve",
        {"customer": {"phoneNumber": "4712345678"}},
        key=None,
    )
    assert bergen.get_payment("bergen-created").state == "AUTHORIZED"
    bergen.capture("bergen-created", nok(500), idempotency_key="c")
    assert bergen.refund("bergen-created", nok(500), idempotency_key="r").aggregate.refunded == 500
    assert [event.name for event in bergen.get_events("bergen-created")] == [
        "CREATED",
        "AUTHORIZED",
        "CAPTURED",
        "REFUNDED",
    ]


def test_creating_twice_with_one_key_makes_one_payment_and_a_taken_reference_is_a_conflict(world: World) -> None:
    first, again = create(world, "bergen-created"), create(world, "bergen-created")
    assert isinstance(first, Response)
    assert isinstance(again, Response)
    assert first.body == again.body
    taken = create(world, "bergen-created", key="another")
    assert isinstance(taken, KeyConflict)
    assert (taken.status, taken.code) == (409, "4150")
    reused = create(world, "bergen-created-2", key="key-bergen-created")
    assert isinstance(reused, KeyConflict)
    assert reused.code == "4020"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": {"currency": "DKK", "value": 500}}, "5040"),
        ({"amount": {"currency": "NOK", "value": 99}}, "6010"),
        ({"userFlow": "WEB_REDIRECT"}, "4140"),
        ({"metadata": {str(number): "x" for number in range(6)}}, "4100"),
        ({"metadata": {"x" * 101: "x"}}, "4110"),
        ({"metadata": {"x": "x" * 501}}, "4120"),
        ({"reference": "short"}, None),
        ({"paymentMethod": {}}, None),
        ({"surprise": 1}, None),
    ],
    ids=str,
)
def test_what_cannot_be_created(world: World, changes: dict[str, Any], code: str | None) -> None:
    told = create(world, "bergen-created", changes)
    assert isinstance(told, VippsError)
    assert (told.status, told.code) == (400, code)
    assert world.simulator.ledger.find(BERGEN, "bergen-created") is None


def test_a_cancel_before_the_customer_paid_terminates(world: World, bergen: Epayment) -> None:
    create(world, "bergen-created")
    told = bergen.cancel("bergen-created", idempotency_key="k")
    assert (told.state, told.aggregate.authorized, told.aggregate.cancelled) == ("TERMINATED", 0, 500)
    assert refused(lambda: bergen.cancel("bergen-created", idempotency_key="k-2")) == "6190"


def test_an_unpaid_payment_expires_after_ten_minutes(world: World, bergen: Epayment) -> None:
    create(world, "bergen-created")
    world.simulator.move_clock(timedelta(minutes=10))
    assert bergen.get_payment("bergen-created").state == "EXPIRED"
    assert refused(lambda: bergen.capture("bergen-created", nok(1), idempotency_key="k")) == "6200"


def test_cancel_only_if_unauthorized(world: World) -> None:
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    told = raw(world, f"{PATH}/{RESERVED}/cancel", {"cancelTransactionOnly": True})
    assert isinstance(told, Refused)
    assert told.code == "6060"
