"""Every answer that Vipps' OpenAPI files describe, and how the simulator is made to give it; where they differ, why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stores.vipps.simulator import Fault, FaultKind
from tests.stores.vipps.calling import (
    EPAYMENT,
    WEBHOOKS,
    Answer,
    Caller,
    caller,
    sign_in,
    sign_in_specially,
)
from tests.stores.vipps.world import BERGEN, ORDER, World

RESERVED, CREATED, SOLD = "bergen-reserved", "bergen-created", "ecom-order-1"
UUID = "880f5088-7708-4a5a-87d9-31e83aacc035"
NEW = {
    "amount": {"currency": "NOK", "value": 500},
    "paymentMethod": {"type": "WALLET"},
    "reference": CREATED,
    "userFlow": "QR",
}
AMOUNT = {"modificationAmount": {"currency": "NOK", "value": 100}}
APPROVAL = {"customerPhoneNumber": "91234567", "token": "x"}
PRODUCT_ORDER = {"businessIdentifier": {"scheme": "business:NO:ORG", "id": "987654321"}, "productType": "VIPPS_I_KASSA"}
LINK = {"orderId": ORDER, "paymentType": "ECOM", "type": "RECEIPT", "url": "https://shop.example/1"}
PICTURE = {"imageId": "cap", "src": "iVBORw0KGgo=", "type": "base64"}
OLD_LINK = {"category": "RECEIPT", "orderDetailsUrl": "https://shop.example/1"}
FEED, DAY = f"/report/v2/ledgers/3{BERGEN}/funds/feed", f"/report/v2/ledgers/3{BERGEN}/funds/dates/2026-09-15"
NO_LEDGER = "/report/v2/ledgers/1/funds"
Make = Callable[[World, Caller], Answer]


@dataclass(frozen=True, kw_only=True)
class Described:
    """An operation as its file names it, and what gives each documented status. `differs`: by status, text and reason."""

    file: str
    operation: str
    makes: dict[str, Make]
    differs: dict[str, tuple[str, str]]


def described(file: str, operation: str, *, differs: dict[str, tuple[str, str]] | None = None, **makes: Make) -> Described:
    """`makes` by status, written _200."""
    return Described(
        file=file,
        operation=operation,
        makes={name.removeprefix("_"): make for name, make in makes.items()},
        differs=differs or {},
    )


def call(method: str, path: str, body: object = None, **headers: str) -> Make:
    return lambda world, shop: shop.call(method, path, body, **headers)


def broken(make: Make, status: int, *, api: str = "epayment", code: str | None = None) -> Make:
    """The same call, refused by a fault."""

    def refused(world: World, shop: Caller) -> Answer:
        world.simulator.arm(Fault(kind=FaultKind.REFUSE, api=api, status=status, code=code))
        return make(world, shop)

    return refused


def fallen(make: Make, *, api: str) -> Make:
    """The same call, met by a 500."""

    def failing(world: World, shop: Caller) -> Answer:
        world.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, api=api, status=500))
        return make(world, shop)

    return failing


def unsigned(method: str, path: str, body: object = None, **headers: str) -> Make:
    return call(method, path, body, authorization="bearer lower-case", **headers)


def after(first: Make, second: Make) -> Make:
    def both(world: World, shop: Caller) -> Answer:
        assert first(world, shop).status < 300
        return second(world, shop)

    return both


def modified(operation: str, reference: str) -> Make:
    return call("POST", f"{EPAYMENT}/{reference}/{operation}", AMOUNT if operation != "cancel" else {}, idempotency_key="k")


def ecom(operation: str, **more: Any) -> Make:
    def make(world: World, shop: Caller) -> Answer:
        shop.ecom_paid(SOLD, captured=500)
        return shop.ecom(operation, SOLD, **more)

    return make


def initiated(then: Callable[[World, Caller, str], Answer]) -> Make:
    return lambda world, shop: then(world, shop, shop.initiate("order-1").json["url"])


def deleted(world: World, shop: Caller) -> Answer:
    return shop.call("DELETE", f"{WEBHOOKS}/{shop.register().json['id']}")


def dropped_order(world: World, shop: Caller) -> Answer:
    made = shop.call("POST", "/management/v1/product-orders", PRODUCT_ORDER, idempotency_key="k").json
    return shop.call("DELETE", f"/management/v1/product-orders/{made['prefilledOrderId']}")


def linked(method: str) -> Make:
    def make(world: World, shop: Caller) -> Answer:
        made = shop.call("POST", "/order-management/v3/categories", LINK).json
        return shop.call(method, f"/order-management/v3/categories/{made['categoryId']}")

    return make


def not_ready(world: World, shop: Caller) -> Answer:
    world.simulator.change_switches(report_not_ready="not_found")
    return shop.call("GET", DAY.replace("2026-09-15", "2026-09-16"))


def shop_of(world: World) -> Caller:
    """Bergen, with one payment reserved and one waiting for its customer."""
    world.simulator.add_payment(BERGEN, RESERVED, amount_minor=500, captured_minor=0)
    return caller(world)


SIGN_IN: Make = lambda world, shop: sign_in(world.simulator, shop.keys)  # noqa: E731  # a value among values
SIGN_IN_SPECIALLY: Make = lambda world, shop: sign_in_specially(world.simulator, shop.keys)  # noqa: E731  # the same
