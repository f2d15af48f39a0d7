"""Every call that the client can make, and where Vipps' OpenAPI files describe it; where the two differ, and why."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from stores.vipps.ecom import Ecom
from stores.vipps.ecom_types import NewEcomPayment
from stores.vipps.epayment import Epayment
from stores.vipps.management import Management
from stores.vipps.management_types import BusinessId, ProductOrder
from stores.vipps.new_payment import Customer, Flow, NewPayment, QrFormat
from stores.vipps.order_management import Category, OrderManagement
from stores.vipps.qr import Picture, Qr
from stores.vipps.report import Report, Topic
from stores.vipps.session import VippsSession
from stores.vipps.webhooks import Webhooks
from tests.stores.vipps.test_order_management_client import RECEIPT
from tests.stores.vipps.world import BERGEN, ORDER, nok

UUID = "880f5088-7708-4a5a-87d9-31e83aacc035"
KARI = Customer(phone_number="4791234567")
NEW = NewPayment(reference=ORDER, amount=nok(10_000), flow=Flow.QR, is_present=True)
FULL = replace(
    NEW,
    description="Socks",
    metadata={"till": "4"},
    receipt=RECEIPT,
    expires_at=datetime(2026, 9, 20, 12, tzinfo=UTC),
    qr_format=QrFormat.PNG,
    qr_size=500,
    scope="name",
)
OLD = NewEcomPayment(
    order_id="B-77",
    amount=10_000,
    text="Socks",
    callback_prefix="https://bergen.example.com/callbacks",
    fall_back="https://bergen.example.com/done",
    mobile_number="91234567",
)
CHAIN = BusinessId(scheme="business:NO:ORG", id="987654321")
LINK = Category(kind="RECEIPT", url="https://bergen.example.com/7741")
CODE_ADDRESS = "https://api.vipps.no/dwo?token=x"
KEY = "rh1-" + "0" * 36


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the client, and the file and path that describe it. `difference`: what the file says otherwise."""

    name: str
    file: str
    path: str
    make: Callable[[VippsSession], object]
    difference: str = ""
    reason: str = ""
    as_partner: bool = False


def _epayment(name: str, path: str, make: Callable[[Epayment], object], **more: str) -> Call:
    return Call(name=name, file="epayment-v1", path=path, make=lambda session: make(Epayment(session)), **more)  # type: ignore[arg-type]  # texts only


def _ecom(name: str, path: str, make: Callable[[Ecom], object]) -> Call:
    return Call(name=name, file="ecom-v2", path=path, make=lambda session: make(Ecom(session)))


def _orders(name: str, path: str, make: Callable[[OrderManagement], object]) -> Call:
    return Call(name=name, file="order-management-v2", path=path, make=lambda session: make(OrderManagement(session)))


def _management(name: str, path: str, make: Callable[[Management], object], difference: str = "", reason: str = "") -> Call:
    return Call(
        name=name,
        file="management-v1",
        path=path,
        make=lambda session: make(Management(session)),
        difference=difference,
        reason=reason,
        as_partner=True,
    )


ONE_OF = "is valid under each of"
ONE_OF_REASON = "the file's three ways to name a customer require nothing, so that every one of them fits all three"

CALLS = [
    _epayment("create", "/v1/payments", lambda client: client.create(NEW, idempotency_key=KEY)),
    _epayment("create in full", "/v1/payments", lambda client: client.create(FULL, idempotency_key=KEY)),
    _epayment(
        "create for a customer",
        "/v1/payments",
        lambda client: client.create(replace(NEW, customer=KARI), idempotency_key=KEY),
        difference=ONE_OF,
        reason=ONE_OF_REASON,
    ),
    _epayment("get", "/v1/payments/{Reference}", lambda client: client.get_payment(ORDER)),
    _epayment("events", "/v1/payments/{Reference}/events", lambda client: client.get_events(ORDER)),
    _epayment(
        "refund", "/v1/payments/{Reference}/refund", lambda client: client.refund(ORDER, nok(1), idempotency_key=KEY)
    ),
    _epayment(
        "capture", "/v1/payments/{Reference}/capture", lambda client: client.capture(ORDER, nok(1), idempotency_key=KEY)
    ),
    _epayment("cancel", "/v1/payments/{Reference}/cancel", lambda client: client.cancel(ORDER, idempotency_key=KEY)),
    _epayment(
        "cancel if unpaid",
        "/v1/payments/{Reference}/cancel",
        lambda client: client.cancel(ORDER, idempotency_key=KEY, only_if_unauthorized=True),
    ),
    _epayment(
        "approve by token", "/v1/test/payments/{Reference}/approve", lambda client: client.force_approve(ORDER, token="t")
    ),
    _epayment(
        "approve by number",
        "/v1/test/payments/{Reference}/approve",
        lambda client: client.force_approve(ORDER, customer=KARI),
        difference=ONE_OF,
        reason=ONE_OF_REASON,
    ),
    _ecom("initiate", "/ecomm/v2/payments", lambda client: client.initiate(OLD)),
    _ecom("details", "/ecomm/v2/payments/{orderId}/details", lambda client: client.get_details("B-77")),
    _ecom(
        "refund",
        "/ecomm/v2/payments/{orderId}/refund",
        lambda client: client.refund("B-77", 100, text="Refusjon", request_id=KEY),
    ),
    _ecom(
        "capture",
        "/ecomm/v2/payments/{orderId}/capture",
        lambda client: client.capture("B-77", 100, text="Socks", request_id=KEY),
    ),
    _ecom(
        "capture all",
        "/ecomm/v2/payments/{orderId}/capture",
        lambda client: client.capture("B-77", text="Socks", request_id=KEY),
    ),
    _ecom(
        "cancel",
        "/ecomm/v2/payments/{orderId}/cancel",
        lambda client: client.cancel("B-77", text="Socks", releases_rest=True),
    ),
    _ecom(
        "approve",
        "/ecomm/v2/integration-test/payments/{orderId}/approve",
        lambda client: client.force_approve("B-77", mobile_number="91234567", token="t"),
    ),
    Call(
        name="register",
        file="webhooks-v1",
        path="/v1/webhooks",
        make=lambda session: Webhooks(session).register("https://hub.example.com/1"),
    ),
    Call(
        name="register for all units",
        file="webhooks-v1",
        path="/v1/webhooks",
        make=lambda session: Webhooks(session).register("https://hub.example.com/1"),
        as_partner=True,
    ),
    Call(name="list", file="webhooks-v1", path="/v1/webhooks", make=lambda session: Webhooks(session).list()),
    Call(name="delete", file="webhooks-v1", path="/v1/webhooks/{id}", make=lambda session: Webhooks(session).delete(UUID)),
    Call(name="qr", file="qr-v1", path="/v1", make=lambda session: Qr(session).one_time(CODE_ADDRESS)),
    Call(
        name="qr png",
        file="qr-v1",
        path="/v1",
        make=lambda session: Qr(session).one_time(CODE_ADDRESS, picture=Picture.PNG, size=500),
    ),
    Call(
        name="ledgers",
        file="report-v2",
        path="/settlement/v1/ledgers",
        make=lambda session: Report(session).ledgers(handle=f"api:{BERGEN}", cursor="c="),
    ),
    Call(
        name="by date",
        file="report-v2",
        path="/report/v2/ledgers/{ledgerId}/{topic}/dates/{ledgerDate}",
        make=lambda session: Report(session).by_date("302321", date(2026, 9, 16), cursor="c"),
    ),
    Call(
        name="feed",
        file="report-v2",
        path="/report/v2/ledgers/{ledgerId}/{topic}/feed",
        make=lambda session: Report(session).feed("302321", topic=Topic.FEES),
    ),
    _orders("receipt", "/v2/{paymentType}/receipts/{orderId}", lambda client: client.post_receipt(ORDER, RECEIPT)),
    _orders("category", "/v2/{paymentType}/categories/{orderId}", lambda client: client.put_category(ORDER, LINK)),
    _orders("order", "/v2/{paymentType}/{orderId}", lambda client: client.get_order(ORDER)),
    _orders("image", "/v1/images", lambda client: client.post_image("socks", b"png")),
    _orders("add category", "/v3/categories", lambda client: client.add_category(ORDER, LINK)),
    _orders("categories", "/v3/categories", lambda client: client.categories(ORDER)),
    _orders("delete category", "/v3/categories/{categoryId}", lambda client: client.delete_category(UUID)),
    _management("units", "/management/v1/sales-units", lambda client: client.sales_units()),
    _management("unit", "/management/v1/sales-units/{msn}", lambda client: client.sales_unit(BERGEN)),
    _management("merchant", "/management/v1/merchants/{scheme}/{id}", lambda client: client.merchant(CHAIN)),
    _management(
        "merchant's units", "/management/v1/merchants/{scheme}/{id}/sales-units", lambda client: client.sales_units_of(CHAIN)
    ),
    _management("packages", "/management/v1/partners/price-packages", lambda client: client.price_packages()),
    _management(
        "order a unit",
        "/management/v1/product-orders",
        lambda client: client.place_order(ProductOrder(business=CHAIN), idempotency_key=KEY),
        difference="PAYMENT_INTEGRATION",
        reason="product types were renamed in 2.0.9, which is newer than the file (1.1.6)",
    ),
    _management(
        "withdraw an order",
        "/management/v1/product-orders/{product-order-id}",
        lambda client: client.delete_order(UUID),
        difference=UUID,
        reason="an order's id is a UUID in 2.0.9, as in this file's own answer; its path still says 3 to 10 digits",
    ),
    _management(
        "orders",
        "",
        lambda client: client.orders(),
        difference="Path not found",
        reason="v2 paths came with 2.0.9, which is newer than the file (1.1.6)",
    ),
    _management(
        "order's details",
        "",
        lambda client: client.order(UUID),
        difference="Path not found",
        reason="v2 paths came with 2.0.9, which is newer than the file (1.1.6)",
    ),
]

NOT_BUILT = {
    ("epayment-v1", "/merchant-dynamic-shipping-callback"): "Vipps calls it; Express is no till's",
    ("ecom-v2", "/ecomm/v2/payments/{orderId}/status"): "deprecated; details says more",
    **{
        ("ecom-v2", path): "Vipps calls it; the hub takes no callbacks of eCom's"
        for path in (
            "/callbackPrefix/v2/payments/{orderId}",
            "/consentRemovalPrefix/v2/consents/{userId}",
            "/shippingDetailsPrefix/v2/payments/{orderId}/shippingDetails",
        )
    },
    ("report-v2", "/report/v1/ledgertransactions"): "the report of before v2",
    ("order-management-v2", "/v1/orders/{transactionId}"): "deprecated",
    ("order-management-v2", "/v1/receipts/{transactionId}"): "deprecated",
    ("management-v1", "/management/v1/partners/whoami"): "an idea that was never built",
    ("management-v1", "/management/v1/merchants"): "an idea that was never built",
    ("management-v1", "/management/v1/merchants/{scheme}/{id}/contracts"): "an idea that was never built",
    ("management-v1", "/management/v1/api-quality/sales-units/{msn}"): "an idea that was never built",
    **{
        ("qr-v1", path): "for stickers and check-in, which no refund needs"
        for path in (
            "/v1/merchant-redirect",
            "/v1/merchant-redirect/{id}",
            "/v1/merchant-callback",
            "/v1/merchant-callback/{merchantQrId}",
            "/v1/merchant-callback/mobilepay/{beaconId}",
            "/v1/exchange",
            "/v1/exchange/customer",
        )
    },
}
