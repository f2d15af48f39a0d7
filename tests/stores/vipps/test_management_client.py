"""The Management API: units in lists and in detail, and orders for new ones."""

from collections.abc import Callable

import pytest

from stores.vipps.errors import KeyConflict, Misconfigured, OurDefect, Unsure, VippsError
from stores.vipps.management import Management
from stores.vipps.management_types import BusinessId, PricePackage, ProductOrder, ProductOrderStatus, SalesUnitName
from tests.stores.vipps.canned import told
from tests.stores.vipps.recorded import partner, unit
from tests.stores.vipps.world import World, answer

CHAIN = BusinessId(scheme="business:NO:ORG", id="987654321")
ORDER = "81b83246-5c19-7b94-875b-ea6d1114f099"


def test_units_are_listed_whether_their_msn_is_a_number_or_a_text(world: World) -> None:
    session, recorder = partner(world, told([{"msn": 100001, "name": "Bergen"}, {"msn": "0100", "name": "Oslo"}]))
    assert Management(session).sales_units() == (
        SalesUnitName(msn="100001", name="Bergen"),
        SalesUnitName(msn="0100", name="Oslo"),
    )
    assert (recorder.call.method, recorder.call.path) == ("GET", "/management/v1/sales-units")
    assert "Merchant-Serial-Number" not in recorder.call.headers


def test_a_merchant_and_its_units_are_asked_for_by_number(world: World) -> None:
    session, recorder = partner(world, told([]), told({"name": "The chain"}))
    assert Management(session).sales_units_of(CHAIN) == ()
    assert recorder.call.path == "/management/v1/merchants/business:NO:ORG/987654321/sales-units"
    assert Management(session).merchant(CHAIN)["name"] == "The chain"
    assert recorder.call.path == "/management/v1/merchants/business:NO:ORG/987654321"


def test_a_units_configuration_is_kept_as_vipps_names_it(world: World) -> None:
    detail = {"msn": "100001", "name": "Bergen", "configuration": {"captureType": "DirectCapture", "paymentAllowed": True}}
    session, recorder = unit(world, told(detail), told({"msn": "100001", "name": "Bergen"}))
    found = Management(session).sales_unit("100001")
    assert (found.msn, found.configuration) == ("100001", {"captureType": "DirectCapture", "paymentAllowed": True})
    assert recorder.call.path == "/management/v1/sales-units/100001"
    assert Management(session).sales_unit("100001").configuration == {}


def test_a_new_unit_is_ordered_under_a_key(world: World) -> None:
    session, recorder = partner(world, told({"prefilledOrderId": ORDER, "prefillUrl": "https://portal.vipps.no/x"}, 201))
    order = ProductOrder(business=CHAIN, sales_unit_name="Hamar", use_case="Unknown", purpose="Till, skips landing page")
    placed = Management(session).place_order(order, idempotency_key="k-1")
    assert (placed.order_id, placed.url) == (ORDER, "https://portal.vipps.no/x")
    assert (recorder.call.method, recorder.call.path) == ("POST", "/management/v1/product-orders")
    assert recorder.call.headers["Idempotency-Key"] == "k-1"
    assert recorder.body == {
        "businessIdentifier": {"scheme": "business:NO:ORG", "id": "987654321"},
        "productType": "PAYMENT_INTEGRATION",
        "salesUnitName": "Hamar",
        "productUseCase": "Unknown",
        "intendedPurpose": "Till, skips landing page",
    }


def test_orders_are_followed_and_withdrawn(world: World) -> None:
    done = {"prefilledOrderId": ORDER, "status": "COMPLETED", "salesUnit": {"msn": "100004", "name": "Hamar"}}
    session, recorder = partner(world, told([done]), told({**done, "salesUnit": None}), answer(200))
    assert Management(session).orders() == (ProductOrderStatus(order_id=ORDER, status="COMPLETED", msn="100004"),)
    assert recorder.call.path == "/management/v2/product-orders"
    assert Management(session).order(ORDER).msn is None
    assert recorder.call.path == f"/management/v2/product-orders/{ORDER}/details"
    Management(session).delete_order(ORDER)
    assert (recorder.call.method, recorder.call.path) == ("DELETE", f"/management/v1/product-orders/{ORDER}")


def test_price_packages_are_listed(world: World) -> None:
    session, recorder = partner(world, told([{"pricePackageId": "p-1", "name": "Standard"}]))
    assert Management(session).price_packages() == (PricePackage(package_id="p-1", name="Standard"),)
    assert recorder.call.path == "/management/v1/partners/price-packages"


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.sales_unit("../x"),
        lambda client: client.sales_unit("123"),
        lambda client: client.sales_units_of(BusinessId(scheme="business:NO:ORG", id="x/y")),
        lambda client: client.order("a/b"),
        lambda client: client.delete_order(""),
        lambda client: client.place_order(ProductOrder(business=CHAIN), idempotency_key="a b"),
    ],
)
def test_what_is_no_name_never_becomes_a_path(world: World, call: Callable[[Management], object]) -> None:
    session, recorder = partner(world)
    with pytest.raises(OurDefect):
        call(Management(session))
    assert recorder.requests == []


@pytest.mark.parametrize("body", [{}, [{}], [{"msn": True, "name": "x"}], [{"msn": "1", "name": "x"}], "no"])
def test_a_list_that_cannot_be_read_is_unsure_and_not_empty(world: World, body: object) -> None:
    session, _ = partner(world, told(body))
    with pytest.raises(Unsure):
        Management(session).sales_units()


@pytest.mark.parametrize(
    ("status", "error"), [(404, Misconfigured), (403, Misconfigured), (409, KeyConflict), (500, Unsure)]
)
def test_refusals_are_typed(world: World, status: int, error: type[VippsError]) -> None:
    session, _ = partner(world, told({"title": "Not found", "instance": "/x"}, status))
    with pytest.raises(error) as caught:
        Management(session).sales_unit("100001")
    assert (caught.value.detail, caught.value.trace_id) == ("Not found", None)
