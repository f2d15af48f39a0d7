"""Receipts, links and images shown with a payment, and reading them back."""

from collections.abc import Callable
from typing import Any

import pytest

from stores.vipps.errors import KeyConflict, Misconfigured, OurDefect, Unsure, VippsError
from stores.vipps.order_management import Category, Kind, OrderManagement
from stores.vipps.receipts import OrderLine, Receipt, Unit, read_receipt, receipt_body
from tests.stores.vipps.canned import TRACE, told
from tests.stores.vipps.recorded import unit
from tests.stores.vipps.world import BERGEN, ORDER, World, answer

CATEGORY_ID = "880f5088-7708-4a5a-87d9-31e83aacc035"
SOCKS = OrderLine(
    name="Socks",
    id="1",
    total=10_000,
    total_without_tax=8_000,
    tax=2_000,
    tax_rate=2_500,
    unit=Unit(price=5_000, quantity="2"),
)
RECEIPT = Receipt(lines=(SOCKS,), currency="NOK", receipt_number="7741", pos_id="till-4")
BODY: dict[str, Any] = {
    "orderLines": [
        {
            "name": "Socks",
            "id": "1",
            "totalAmount": 10_000,
            "totalAmountExcludingTax": 8_000,
            "totalTaxAmount": 2_000,
            "taxRate": 2_500,
            "unitInfo": {"unitPrice": 5_000, "quantity": "2", "quantityUnit": "PCS"},
        }
    ],
    "bottomLine": {"currency": "NOK", "receiptNumber": "7741", "posId": "till-4"},
}
LINK = Category(kind=Kind.RECEIPT, url="https://bergen.example.com/7741", image_id="socks")


def test_a_receipt_is_posted_with_what_is_known_and_nothing_else(world: World) -> None:
    session, recorder = unit(world, told(ORDER, 201))
    OrderManagement(session).post_receipt(ORDER, RECEIPT)
    assert (recorder.call.method, recorder.call.path) == ("POST", f"/order-management/v2/ECOM/receipts/{ORDER}")
    assert recorder.body == BODY
    assert recorder.call.headers["Merchant-Serial-Number"] == BERGEN


def test_a_second_receipt_is_a_conflict(world: World) -> None:
    body = {"title": "Conflict", "detail": "Receipt exists", "instance": TRACE}
    session, _ = unit(world, told(body, 409))
    with pytest.raises(KeyConflict) as caught:
        OrderManagement(session).post_receipt(ORDER, RECEIPT)
    assert (caught.value.detail, caught.value.trace_id) == ("Receipt exists", TRACE)


def test_a_link_is_put(world: World) -> None:
    session, recorder = unit(world, told(ORDER))
    OrderManagement(session).put_category(ORDER, LINK)
    assert (recorder.call.method, recorder.call.path) == ("PUT", f"/order-management/v2/ECOM/categories/{ORDER}")
    assert recorder.body == {"category": "RECEIPT", "orderDetailsUrl": LINK.url, "imageId": "socks"}


def test_what_was_bought_is_read_back(world: World) -> None:
    link = {"category": "RECEIPT", "orderDetailsUrl": LINK.url, "imageId": "socks"}
    session, recorder = unit(world, told({"receipt": BODY, "category": link}), told({}))
    found = OrderManagement(session).get_order(ORDER)
    assert (found.receipt, found.category) == (RECEIPT, LINK)
    assert recorder.call.path == f"/order-management/v2/ECOM/{ORDER}"
    empty = OrderManagement(session).get_order(ORDER)
    assert (empty.receipt, empty.category) == (None, None)


def test_links_of_the_newer_kind_are_added_listed_and_deleted(world: World) -> None:
    one = {"categoryId": CATEGORY_ID, "type": "RECEIPT", "url": LINK.url, "imageId": "socks"}
    session, recorder = unit(world, told({"categoryId": CATEGORY_ID}, 201), told({"categories": [one]}), answer(200))
    client = OrderManagement(session)
    assert client.add_category(ORDER, LINK) == CATEGORY_ID
    assert recorder.body == {
        "orderId": ORDER,
        "paymentType": "ECOM",
        "type": "RECEIPT",
        "url": LINK.url,
        "imageId": "socks",
    }
    [found] = client.categories(ORDER)
    assert (found.category_id, found.kind, found.url) == (CATEGORY_ID, "RECEIPT", LINK.url)
    assert recorder.call.path == f"/order-management/v3/categories?orderId={ORDER}"
    client.delete_category(CATEGORY_ID)
    assert (recorder.call.method, recorder.call.path) == ("DELETE", f"/order-management/v3/categories/{CATEGORY_ID}")


def test_an_image_is_kept_under_its_id(world: World) -> None:
    session, recorder = unit(world, told({"imageId": "socks"}))
    assert OrderManagement(session).post_image("socks", b"\x89PNG") == "socks"
    assert recorder.body == {"imageId": "socks", "src": "iVBORw==", "type": "base64"}


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get_order("../x"),
        lambda client: client.get_order(".."),
        lambda client: client.get_order(""),
        lambda client: client.post_receipt("a b", RECEIPT),
        lambda client: client.categories("a&b=c"),
        lambda client: client.delete_category("x"),
        lambda client: client.put_category(ORDER, Category(kind="RECEIPT", url="https://x", image_id="a/b")),
        lambda client: client.post_image("socks", b"x" * (2 * 1024 * 1024 + 1)),
    ],
)
def test_what_is_no_id_never_becomes_a_path(world: World, call: Callable[[OrderManagement], object]) -> None:
    session, recorder = unit(world)
    with pytest.raises(OurDefect):
        call(OrderManagement(session))
    assert recorder.requests == []


@pytest.mark.parametrize(
    ("status", "error"), [(400, OurDefect), (404, Misconfigured), (500, Unsure)]
)
def test_the_older_shape_of_errors_is_read(world: World, status: int, error: type[VippsError]) -> None:
    body = {"title": "Bad", "detail": "BadRequest", "instance": TRACE, "invalidParams": [{"name": "id", "reason": "long"}]}
    session, _ = unit(world, told(body, status))
    with pytest.raises(error) as caught:
        OrderManagement(session).get_order(ORDER)
    assert (caught.value.detail, caught.value.trace_id) == ("BadRequest; id: long", TRACE)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"receipt": []},
        {"receipt": {}},
        {"receipt": {"orderLines": [], "bottomLine": {"currency": "NOK"}}},
        {"receipt": {**BODY, "bottomLine": {"currency": "SEK"}}},
        {"receipt": {**BODY, "orderLines": [{"name": "x"}]}},
        {"category": {"category": "RECEIPT"}},
    ],
)
def test_an_order_that_cannot_be_read_is_unsure(world: World, body: object) -> None:
    session, _ = unit(world, told(body))
    with pytest.raises(Unsure):
        OrderManagement(session).get_order(ORDER)


def test_a_receipt_says_what_was_returned_and_the_older_tax_counts_in_percent() -> None:
    line = {**BODY["orderLines"][0], "isReturn": True, "taxRate": None, "taxPercentage": 25}
    read = read_receipt({**BODY, "orderLines": [line]}).lines[0]
    assert (read.is_return, read.tax_rate) == (True, 2_500)
    back = OrderLine(name="Socks", id="1", total=-1, total_without_tax=-1, tax=0, is_return=True)
    assert receipt_body(Receipt(lines=(back,), currency="NOK"))["orderLines"][0]["isReturn"] is True


@pytest.mark.parametrize("quantity", ["", "1,5", "1.123456789", "12345678901", "-1"])
def test_what_is_no_receipt_is_refused(quantity: str) -> None:
    line = OrderLine(name="Socks", id="1", total=1, total_without_tax=1, tax=0, unit=Unit(price=1, quantity=quantity))
    with pytest.raises(ValueError, match="quantity"):
        Receipt(lines=(line,), currency="NOK")
    with pytest.raises(ValueError, match="line"):
        Receipt(lines=(), currency="NOK")
