"""Rate limits in the simulator: how many calls of which kind pass in a minute, and each thing Vipps leaves open."""

from datetime import timedelta
from typing import Any

import pytest

from tests.stores.vipps.calling import ECOM, EPAYMENT, Caller, caller, sign_in
from tests.stores.vipps.world import BERGEN, NOON, ORDER, OSLO, TRONDHEIM, World


@pytest.fixture
def shop(world: World) -> Caller:
    return caller(world)


def _call(shop: Caller, kind: str, number: int) -> int:
    """One call of a kind, each with a key of its own."""
    key, cancel = f"k-{number}", {"cancelTransactionOnly": True}
    create: dict[str, Any] = {
        "amount": {"currency": "NOK", "value": 500},
        "paymentMethod": {"type": "WALLET"},
        "reference": ORDER,
        "userFlow": "QR",
    }
    answer = {
        "create": lambda: shop.call("POST", EPAYMENT, create, idempotency_key=key),
        "capture": lambda: shop.call(
            "POST", f"{EPAYMENT}/{ORDER}/capture", {"modificationAmount": create["amount"]}, idempotency_key=key
        ),
        "refund": lambda: shop.refund(ORDER, 1, key=key),
        "cancel": lambda: shop.call("POST", f"{EPAYMENT}/{ORDER}/cancel", cancel, idempotency_key=key),
        "get": lambda: shop.call("GET", f"{EPAYMENT}/{ORDER}"),
        "events": lambda: shop.call("GET", f"{EPAYMENT}/{ORDER}/events"),
        "ecom_initiate": lambda: shop.initiate("order-1"),
        "ecom_capture": lambda: shop.ecom("capture", "order-1", amount=100, key=key),
        "ecom_refund": lambda: shop.ecom("refund", "order-1", amount=100, key=key),
        "ecom_cancel": lambda: shop.ecom("cancel", "order-1", key=key),
        "ecom_details": lambda: shop.call("GET", f"{ECOM}/order-1/details"),
        "ecom_status": lambda: shop.call("GET", f"{ECOM}/order-1/status"),
    }[kind]()
    return answer.status


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        ("create", 5),
        ("capture", 5),
        ("refund", 5),
        ("cancel", 5),
        ("get", 120),
        ("events", 120),
        ("ecom_initiate", 2),
        ("ecom_capture", 5),
        ("ecom_refund", 5),
        ("ecom_cancel", 5),
        ("ecom_details", 120),
        ("ecom_status", 120),
    ],
)
def test_so_many_a_minute_and_then_429(world: World, shop: Caller, kind: str, limit: int) -> None:
    if kind != "ecom_initiate":
        world.simulator.add_payment(BERGEN, "order-1", amount_minor=9_000, captured_minor=5_000, api="ecom")
    statuses = [_call(shop, kind, number) for number in range(limit + 1)]
    assert 429 not in statuses[:limit]
    assert statuses[limit] == 429
    world.simulator.move_clock(timedelta(seconds=60))
    assert _call(shop, kind, 999) != 429


def test_changes_are_counted_by_sales_unit_and_reads_by_subscription_key(world: World) -> None:
    world.simulator.add_payment(TRONDHEIM, ORDER, amount_minor=1_000)
    own, partner = caller(world, TRONDHEIM), caller(world, TRONDHEIM, keys=world.keys["chain"])
    for number in range(5):
        assert own.refund(ORDER, 1, key=f"k-{number}").status == 200
    assert partner.refund(ORDER, 1, key="k-9").status == 429
    for _ in range(120):
        own.call("GET", f"{EPAYMENT}/{ORDER}")
    assert own.call("GET", f"{EPAYMENT}/{ORDER}").status == 429
    assert partner.call("GET", f"{EPAYMENT}/{ORDER}").status == 200


def test_the_same_reference_in_another_unit_does_not_compete(world: World, shop: Caller) -> None:
    world.simulator.add_payment(OSLO, ORDER, amount_minor=1_000)
    for number in range(5):
        shop.refund(ORDER, 1, key=f"k-{number}")
    assert caller(world, OSLO).refund(ORDER, 1, key="k").status == 200


@pytest.mark.parametrize(("window", "passes"), [("fixed", True), ("sliding", False)])
def test_the_minute_slides_or_starts_afresh(world: World, shop: Caller, window: str, passes: bool) -> None:
    world.simulator.change_switches(limit_window=window)
    world.simulator.move_clock(timedelta(seconds=55 - NOON % 60))
    for number in range(5):
        shop.refund(ORDER, 1, key=f"k-{number}")
    world.simulator.move_clock(timedelta(seconds=10))
    assert (shop.refund(ORDER, 1, key="k-5").status == 200) is passes


@pytest.mark.parametrize(("counts", "status"), [(False, 200), (True, 429)])
def test_refused_calls_count_or_do_not(world: World, shop: Caller, counts: bool, status: int) -> None:
    world.simulator.change_switches(limit_counts_refused=counts)
    for number in range(5):
        shop.refund(ORDER, 1, key=f"k-{number}")
    world.simulator.move_clock(timedelta(seconds=30))
    for _ in range(5):
        assert shop.refund(ORDER, 1, key="k-5").status == 429
    world.simulator.move_clock(timedelta(seconds=31))
    assert shop.refund(ORDER, 1, key="k-5").status == status
    assert world.refunded() == (6 if status == 200 else 5)


@pytest.mark.parametrize(("told", "headers"), [(False, ()), (True, (("Retry-After", "41"),))])
def test_retry_after_is_told_or_not(world: World, shop: Caller, told: bool, headers: object) -> None:
    world.simulator.change_switches(retry_after=told)
    for number in range(5):
        shop.refund(ORDER, 1, key=f"k-{number}")
    world.simulator.move_clock(timedelta(seconds=20))
    assert shop.refund(ORDER, 1, key="k-5").reply.headers == headers


def test_tokens_may_be_limited_too(world: World) -> None:
    world.simulator.change_switches(tokens_per_minute=2)
    statuses = [sign_in(world.simulator, world.keys[BERGEN]).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert sign_in(world.simulator, world.keys[OSLO]).status == 200


def test_the_windows_can_be_looked_at_and_show_no_keys(world: World, shop: Caller) -> None:
    shop.refund(ORDER, 1, key="k")
    shop.call("GET", f"{EPAYMENT}/{ORDER}")
    views = {view.subject: (view.used, view.limit) for view in world.simulator.rate_windows()}
    assert views == {("refund", ORDER, BERGEN): (1, 5), ("read", ORDER): (1, 120)}
