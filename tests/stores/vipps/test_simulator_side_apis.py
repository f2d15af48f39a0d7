"""Order Management, QR and Management in the simulator: what they answer, and how they say no."""

from datetime import timedelta

import pytest

from stores.vipps.simulator import Fault, FaultKind
from tests.stores.vipps.calling import EPAYMENT, RECEIPT, Caller, caller
from tests.stores.vipps.world import BERGEN, HAMAR, ORDER, OSLO, TRONDHEIM, World

RECEIPTS = "/order-management/v2/ECOM/receipts"
CATEGORIES = "/order-management/v2/ECOM/categories"
LINK = {"category": "RECEIPT", "orderDetailsUrl": "https://shop.example/1"}
PRODUCT_ORDER = {"businessIdentifier": {"scheme": "business:NO:ORG", "id": "987654321"}, "productType": "CASHIER"}


@pytest.fixture
def shop(world: World) -> Caller:
    return caller(world)


def test_a_receipt_is_posted_once(shop: Caller) -> None:
    first = shop.call("POST", f"{RECEIPTS}/{ORDER}", RECEIPT)
    assert (first.status, first.json) == (201, ORDER)
    assert shop.call("POST", f"{RECEIPTS}/{ORDER}", RECEIPT).status == 409


def test_a_category_is_replaced_and_everything_is_read_back(shop: Caller) -> None:
    place = f"/order-management/v2/ecom/{ORDER}"
    assert shop.call("GET", place).status == 404
    shop.call("POST", f"{RECEIPTS}/{ORDER}", RECEIPT)
    for number in (1, 2):
        told = {**LINK, "orderDetailsUrl": f"https://shop.example/{number}"}
        assert shop.call("PUT", f"{CATEGORIES}/{ORDER}", told).json == ORDER
    assert shop.call("GET", place).json == {
        "category": {**LINK, "orderDetailsUrl": "https://shop.example/2"},
        "receipt": RECEIPT,
    }


def test_the_order_need_not_exist_and_each_unit_has_its_own(world: World, shop: Caller) -> None:
    assert shop.call("POST", f"{RECEIPTS}/no-such-order", RECEIPT).status == 201
    assert caller(world, OSLO).call("GET", "/order-management/v2/ECOM/no-such-order").status == 404


def test_a_receipt_given_with_the_payment_is_read_back(shop: Caller) -> None:
    body = {
        "amount": {"currency": "NOK", "value": 500},
        "paymentMethod": {"type": "WALLET"},
        "reference": "with-receipt-1",
        "userFlow": "QR",
        "receipt": RECEIPT,
    }
    assert shop.call("POST", EPAYMENT, body, idempotency_key="k").status == 201
    assert shop.call("GET", "/order-management/v2/ecom/with-receipt-1").json == {"receipt": RECEIPT}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"orderLines": []}, "orderLines"),
        ({"bottomLine": {"currency": "SEK"}}, "bottomLine.currency"),
        ({"orderLines": [{"name": "Cap", "id": "1"}]}, "orderLines[0].totalAmount"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=str,
)
def test_a_wrong_receipt_names_the_field(shop: Caller, changes: dict[str, object], field: str) -> None:
    told = shop.call("POST", f"{RECEIPTS}/{ORDER}", {**RECEIPT, **changes})
    assert (told.status, told.json["invalidParams"][0]["name"]) == (400, field)


@pytest.mark.parametrize(("is_there", "status"), [(True, 201), (False, 404)])
def test_order_management_in_the_test_environment_is_a_switch(world: World, shop: Caller, is_there: bool, status: int) -> None:
    world.simulator.change_switches(environment="test", order_management_in_test=is_there)
    assert shop.call("POST", f"{RECEIPTS}/{ORDER}", RECEIPT).status == status


@pytest.mark.parametrize("accept", ["image/*", "image/png", "image/svg+xml", "text/targetUrl"])
def test_a_one_time_qr(shop: Caller, accept: str) -> None:
    url = shop.initiate("order-1").json["url"]
    told = shop.call("POST", "/qr/v1", {"url": url}, accept=accept)
    assert (told.status, set(told.json), told.json["expiresIn"]) == (200, {"url", "expiresIn"}, 300)


def test_qr_refusals(world: World, shop: Caller) -> None:
    url = shop.initiate("order-1").json["url"]
    assert shop.call("POST", "/qr/v1", {"url": url}, accept="text/html").status == 415
    assert shop.call("POST", "/qr/v1", {"url": "https://elsewhere.example"}, accept="image/*").status == 400
    assert shop.call("POST", "/qr/v1", {"url": url}, accept="image/*", size="99").status == 400
    caller(world, OSLO).initiate("order-1")
    assert caller(world, OSLO).call("POST", "/qr/v1", {"url": url}, accept="image/*").status == 400
    world.simulator.move_clock(timedelta(minutes=5))
    told = shop.call("POST", "/qr/v1", {"url": url}, accept="image/*")
    assert (told.status, told.json["detail"]) == (400, "The order has timed out.")


def test_a_partner_lists_the_units_linked_to_it(world: World) -> None:
    partner = Caller(simulator=world.simulator, keys=world.keys["chain"], msn=None)
    listed = partner.call("GET", "/management/v1/sales-units").json
    assert listed == [{"msn": TRONDHEIM, "name": f"Unit {TRONDHEIM}"}, {"msn": HAMAR, "name": f"Unit {HAMAR}"}]
    world.simulator.change_switches(msn_in_lists="number")
    assert partner.call("GET", "/management/v1/sales-units").json[0]["msn"] == int(TRONDHEIM)
    detail = partner.call("GET", f"/management/v1/sales-units/{HAMAR}").json
    assert (detail["msn"], detail["configuration"]["captureType"]) == (HAMAR, "ReserveCapture")


def test_404_is_unknown_not_linked_or_inactive(world: World) -> None:
    partner = Caller(simulator=world.simulator, keys=world.keys["chain"], msn=None)
    for msn in ("999999", BERGEN):
        assert partner.call("GET", f"/management/v1/sales-units/{msn}").status == 404
    world.simulator.deactivate(HAMAR)
    assert partner.call("GET", f"/management/v1/sales-units/{HAMAR}").status == 404
    assert [unit["msn"] for unit in partner.call("GET", "/management/v1/sales-units").json] == [TRONDHEIM]


def test_merchants_and_their_units(shop: Caller) -> None:
    place = "/management/v1/merchants/business:NO:ORG"
    assert shop.call("GET", f"{place}/987654321").json["businessIdentifier"]["id"] == "987654321"
    assert [unit["msn"] for unit in shop.call("GET", f"{place}/987654321/sales-units").json] == [BERGEN]
    assert shop.call("GET", f"{place}/111111111").status == 404


def test_product_orders_are_made_listed_and_dropped(world: World, shop: Caller) -> None:
    place = "/management/v1/product-orders"
    made = shop.call("POST", place, PRODUCT_ORDER, idempotency_key="k")
    assert (made.status, set(made.json)) == (201, {"prefilledOrderId", "prefillUrl"})
    assert shop.call("POST", place, PRODUCT_ORDER, idempotency_key="k").json == made.json
    assert shop.call("POST", place, {**PRODUCT_ORDER, "productType": "LOGIN"}, idempotency_key="k").status == 409
    assert shop.call("POST", place, PRODUCT_ORDER).status == 400
    assert shop.call("POST", place, {**PRODUCT_ORDER, "productType": "CAKE"}, idempotency_key="k-2").status == 400
    order_id = made.json["prefilledOrderId"]
    assert shop.call("GET", "/management/v2/product-orders").json == [{"prefilledOrderId": order_id, "status": "RECEIVED"}]
    world.simulator.move_clock(timedelta(days=14))
    shop = caller(world)
    assert shop.call("GET", f"/management/v2/product-orders/{order_id}/details").json["status"] == "EXPIRED"
    assert shop.call("DELETE", f"{place}/{order_id}").status == 200
    assert shop.call("DELETE", f"{place}/{order_id}").status == 404


@pytest.mark.parametrize(("takes", "status"), [(True, 200), (False, 401)])
def test_special_tokens_open_management_or_do_not(world: World, takes: bool, status: int) -> None:
    world.simulator.change_switches(special_tokens_for_management=takes)
    shop = Caller(simulator=world.simulator, keys=world.keys[BERGEN], msn=None, is_special=True)
    assert shop.call("GET", "/management/v1/sales-units").status == status


def test_faults_reach_these_apis_only_when_they_are_named(world: World, shop: Caller) -> None:
    world.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, times=None))
    assert shop.call("GET", "/management/v1/sales-units").status == 200
    world.simulator.arm(Fault(kind=FaultKind.ERROR_BEFORE, api="management"))
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="post_receipt", status=404))
    world.simulator.disarm("fault-1")
    assert shop.call("GET", "/management/v1/sales-units").status == 503
    assert shop.call("POST", f"{RECEIPTS}/{ORDER}", RECEIPT).status == 404
    assert shop.call("POST", f"{RECEIPTS}/{ORDER}", RECEIPT).status == 201
