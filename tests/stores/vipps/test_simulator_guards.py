"""What the simulator refuses: each guard of refund, capture and cancel, and each wrong form."""

import json
from datetime import timedelta
from typing import Any

import pytest

from stores.vipps.epayment import Epayment
from stores.vipps.errors import KeyConflict, Refused, VippsError
from stores.vipps.exchange import Response
from stores.vipps.types import Amount
from tests.stores.vipps.asking import PATH, RESERVED, create, raw, refused
from tests.stores.vipps.world import BERGEN, ORDER, World, nok


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
