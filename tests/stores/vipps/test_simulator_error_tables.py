"""The error tables of ePayment and eCom: each row as the simulator says it, and the status that goes with it."""

import pytest

from stores.vipps.simulator import Fault, FaultKind
from tests.stores.vipps.calling import Caller, caller
from tests.stores.vipps.world import BERGEN, ORDER, World

EPAYMENT_ROWS = (
    *("3010", "4010", "4020", "4040", "4050", "4060", "4070", "4080", "4090", "4100", "4110", "4120", "4130", "4140"),
    *("4150", "4160", "5010", "5020", "5030", "5040", "5050", "5060", "5070", "5080", "5090", "5100", "6010", "6020"),
    *("6030", "6040", "6050", "6060", "6070", "6080", "6090", "6100", "6110", "6120", "6130", "6140", "6150", "6160"),
    *("6170", "6180", "6190", "6200", "6210", "6220", "6230", "6250", "6260", "6280", "7010"),
    *("10010", "10020", "10030", "10040", "10050", "10060", "10070"),
)
EPAYMENT_STATUSES = {"4010": 409, "4020": 409, "4150": 409, "5090": 404, "6160": 423}
ECOM_ROWS = (
    *(f"Payment/{code}" for code in (41, 42, 43, 44, 45, 51, 52, 53, 61, 62, 63, 71, 72, 73, 74, 93, 95, 98, 1082, 1501)),
    *(f"VippsError/{code}" for code in (91, 92, 93, 94, 98, 99)),
    *(f"User/{code}" for code in (81, 82)),
    *(f"Merchant/{code}" for code in (31, 32, 33, 34, 35, 36, 37, 38, 39, 97)),
)
ECOM_STATUSES = {
    "Payment/93": 409,
    "VippsError/93": 409,
    "VippsError/94": 409,
    "VippsError/98": 429,
    "VippsError/99": 500,
    "Merchant/34": 409,
    "Merchant/35": 404,
}


@pytest.fixture
def shop(world: World) -> Caller:
    world.simulator.add_payment(BERGEN, "order-1", amount_minor=1_000, api="ecom")
    return caller(world)


@pytest.mark.parametrize("code", EPAYMENT_ROWS)
def test_an_error_of_epayment(world: World, shop: Caller, code: str) -> None:
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code=code))
    told = shop.refund(ORDER, 100, key="k")
    assert (told.status, told.code) == (EPAYMENT_STATUSES.get(code, 400), code)
    assert told.reply.content_type == "application/problem+json"
    assert told.json["detail"] != told.json["title"]
    assert shop.refund(ORDER, 100, key="k").code == code
    assert world.refunded() == 0


@pytest.mark.parametrize("code", ECOM_ROWS)
def test_an_error_of_ecom(world: World, shop: Caller, code: str) -> None:
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", api="ecom", code=code))
    told = shop.ecom("refund", "order-1", amount=100)
    assert (told.status, told.code) == (ECOM_STATUSES.get(code, 400), code)
    assert told.json[0]["errorMessage"] != "The request could not be carried out."
    assert told.json[0]["contextId"]
    assert shop.ecom("refund", "order-1", amount=100).code == code
    assert world.refunded(reference="order-1") == 0


def test_a_bare_code_of_ecom_is_payments_if_it_stands_in_two_groups(world: World, shop: Caller) -> None:
    for code, meant in (("71", "Payment/71"), ("93", "Payment/93"), ("35", "Merchant/35"), ("94", "VippsError/94")):
        world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code=code))
        assert shop.ecom("refund", "order-1", amount=100, key=f"k-{code}").code == meant


@pytest.mark.parametrize(
    ("statuses", "code", "status"),
    [({"6150": 403}, "6150", 403), ({"5xxx": 403}, "5100", 403), ({"5xxx": 403, "5100": 422}, "5100", 422)],
)
def test_the_status_of_an_epayment_code_is_a_switch(
    world: World, shop: Caller, statuses: dict[str, int], code: str, status: int
) -> None:
    world.simulator.change_switches(statuses=statuses)
    world.simulator.arm(Fault(kind=FaultKind.REFUSE, operation="refund", code=code))
    assert shop.refund(ORDER, 100, key="k").status == status
    assert shop.refund(ORDER, 100, key="k").status == status


def test_the_status_of_an_ecom_code_is_a_switch(world: World, shop: Caller) -> None:
    assert shop.ecom("refund", "order-1", amount=1_001, key="a").status == 400
    world.simulator.change_switches(statuses={"Payment/71": 402})
    assert (shop.ecom("refund", "order-1", amount=1_001, key="b")).status == 402


@pytest.mark.parametrize(
    ("amount", "captured", "asked", "code"),
    [(1_000, 0, 100, "Payment/72"), (1_000, 600, 601, "Payment/71"), (1_000, 1_000, 1_001, "Payment/71")],
)
def test_a_refund_that_ecom_refuses_by_the_state(
    world: World, shop: Caller, amount: int, captured: int, asked: int, code: str
) -> None:
    world.simulator.add_payment(BERGEN, "order-2", amount_minor=amount, captured_minor=captured, api="ecom")
    assert shop.ecom("refund", "order-2", amount=asked).code == code


@pytest.mark.parametrize(
    ("captured", "asked", "code"), [(1_000, 100, "VippsError/92"), (0, 1_001, "Payment/61"), (400, 601, "Payment/61")]
)
def test_a_capture_that_ecom_refuses_by_the_state(world: World, shop: Caller, captured: int, asked: int, code: str) -> None:
    world.simulator.add_payment(BERGEN, "order-2", amount_minor=1_000, captured_minor=captured, api="ecom")
    assert shop.ecom("capture", "order-2", amount=asked).code == code


def test_captures_of_what_is_not_reserved_or_cancelled(shop: Caller) -> None:
    shop.initiate("order-2")
    assert shop.ecom("capture", "order-2", key="a").code == "Payment/62"
    shop.ecom("cancel", "order-2")
    assert shop.ecom("capture", "order-2", key="b").code == "VippsError/91"
    assert shop.ecom("refund", "order-2", amount=100, key="c").code == "Payment/73"


def test_a_closed_unit_and_a_unit_without_the_landing_page_right(world: World) -> None:
    keys = world.simulator.add_sales_unit("200001", allows_skip_landing_page=False)
    shop = caller(world, "200001", keys=keys)
    assert shop.initiate("order-1", skipLandingPage=True).code == "Merchant/38"
    world.simulator.add_payment("200001", "order-2", amount_minor=1_000, api="ecom")
    world.simulator.deactivate("200001")
    assert shop.ecom("refund", "order-2", amount=100).code == "Merchant/37"
    assert shop.call("GET", "/ecomm/v2/payments/order-2/details").code == "Merchant/37"
