"""The walk through Vipps' files: every operation that the simulator has, with every status that they document."""

from tests.stores.vipps.answered import (
    APPROVAL,
    CREATED,
    DAY,
    FEED,
    LINK,
    NEW,
    NO_LEDGER,
    OLD_LINK,
    PICTURE,
    PRODUCT_ORDER,
    RESERVED,
    SIGN_IN,
    SIGN_IN_SPECIALLY,
    SOLD,
    UUID,
    Described,
    after,
    broken,
    call,
    deleted,
    described,
    dropped_order,
    ecom,
    fallen,
    initiated,
    linked,
    modified,
    not_ready,
    unsigned,
)
from tests.stores.vipps.calling import ECOM, EPAYMENT, EVENTS, RECEIPT, WEBHOOKS, sign_in, sign_in_specially
from tests.stores.vipps.world import BERGEN, ORDER

CREATE = call("POST", EPAYMENT, NEW, idempotency_key="k")
REGISTER = {"url": "https://refunds.example/hooks", "events": EVENTS}
JSON_MEANT = (
    "Content for the following mimetype not found: application/json",
    "the file types the answer as problem+json; a switch gives that too",
)
GATEWAY = (
    "Content for the following mimetype not found: application/json",
    "the gateway answers by itself, as the guide shows it: {statusCode, message}; a switch gives the file's shape",
)
OM = "/order-management"

TOKENS = (
    described(
        "access-token",
        "POST /accesstoken/get",
        _200=SIGN_IN,
        _400=broken(SIGN_IN, 400, api="token"),
        _401=lambda world, shop: sign_in(world.simulator, shop.keys, client_secret="wrong"),
        _500=fallen(SIGN_IN, api="token"),
    ),
    described(
        "access-token",
        "POST /miami/v1/token",
        _200=SIGN_IN_SPECIALLY,
        _400=lambda world, shop: sign_in_specially(world.simulator, shop.keys, form=b""),
        _401=lambda world, shop: sign_in_specially(world.simulator, shop.keys, authorization="Basic bm86bm8="),
        _500=fallen(SIGN_IN_SPECIALLY, api="token"),
        differs={"200": ("900 is not of type 'string'", "the guide's example has a number")},
    ),
)
EPAYMENT_V1 = (
    described(
        "epayment-v1",
        "POST /v1/payments",
        _201=CREATE,
        _400=call("POST", EPAYMENT, {**NEW, "userFlow": "SMOKE"}, idempotency_key="k"),
        _403=broken(CREATE, 403, code="5070"),
        _409=after(CREATE, call("POST", EPAYMENT, NEW, idempotency_key="k-2")),
    ),
    described("epayment-v1", "GET /v1/payments/{Reference}", _200=call("GET", f"{EPAYMENT}/{ORDER}")),
    described("epayment-v1", "GET /v1/payments/{Reference}/events", _200=call("GET", f"{EPAYMENT}/{ORDER}/events")),
    *(
        described(
            "epayment-v1",
            f"POST /v1/payments/{{Reference}}/{operation}",
            _200=modified(operation, reference),
            _400=modified(operation, wrong),
            _404=modified(operation, "no-such-payment"),
            _409=broken(modified(operation, reference), 409, code="4020"),
            differs={"200": JSON_MEANT},
        )
        for operation, reference, wrong in (
            ("cancel", RESERVED, ORDER),
            ("capture", RESERVED, ORDER),
            ("refund", ORDER, RESERVED),
        )
    ),
    described(
        "epayment-v1",
        "POST /v1/test/payments/{Reference}/approve",
        _200=after(
            CREATE, call("POST", f"/epayment/v1/test/payments/{CREATED}/approve", {"customer": {"phoneNumber": "4791234567"}})
        ),
    ),
)
ECOM_V2 = (
    described(
        "ecom-v2",
        "POST /ecomm/v2/payments",
        _200=lambda world, shop: shop.initiate("order-1"),
        default=lambda world, shop: shop.initiate(ORDER),
    ),
    described(
        "ecom-v2", "POST /ecomm/v2/payments/{orderId}/capture", _200=ecom("capture"), default=ecom("capture", amount=9_999)
    ),
    described(
        "ecom-v2",
        "PUT /ecomm/v2/payments/{orderId}/cancel",
        _200=ecom("cancel", shouldReleaseRemainingFunds=True),
        default=ecom("cancel"),
    ),
    described(
        "ecom-v2",
        "POST /ecomm/v2/payments/{orderId}/refund",
        _200=ecom("refund", amount=100),
        default=ecom("refund", amount=9_999),
    ),
    described(
        "ecom-v2",
        "POST /ecomm/v2/integration-test/payments/{orderId}/approve",
        _200=initiated(
            lambda world, shop, url: shop.call("POST", "/ecomm/v2/integration-test/payments/order-1/approve", APPROVAL)
        ),
        default=call("POST", "/ecomm/v2/integration-test/payments/none/approve", APPROVAL),
    ),
    *(
        described(
            "ecom-v2",
            f"GET /ecomm/v2/payments/{{orderId}}/{operation}",
            _200=after(ecom("refund", amount=100), call("GET", f"{ECOM}/{SOLD}/{operation}")),
            default=unsigned("GET", f"{ECOM}/{SOLD}/{operation}"),
            differs={"default": GATEWAY},
        )
        for operation in ("details", "status")
    ),
)
WEBHOOKS_V1 = (
    described(
        "webhooks-v1",
        "GET /v1/webhooks",
        _200=after(call("POST", WEBHOOKS, REGISTER), call("GET", WEBHOOKS)),
        _400=broken(call("GET", WEBHOOKS), 400, api="webhooks"),
    ),
    described(
        "webhooks-v1",
        "POST /v1/webhooks",
        _201=call("POST", WEBHOOKS, REGISTER),
        _400=call("POST", WEBHOOKS, {**REGISTER, "url": "http://refunds.example"}),
    ),
    described("webhooks-v1", "DELETE /v1/webhooks/{id}", _204=deleted, _400=call("DELETE", f"{WEBHOOKS}/{UUID}")),
)
ORDER_MANAGEMENT = (
    described(
        "order-management-v2",
        "POST /v2/{paymentType}/receipts/{orderId}",
        _201=call("POST", f"{OM}/v2/ECOM/receipts/{ORDER}", RECEIPT),
        _400=call("POST", f"{OM}/v2/ECOM/receipts/{ORDER}", {}),
        _401=unsigned("POST", f"{OM}/v2/ECOM/receipts/{ORDER}", RECEIPT),
        _404=broken(call("POST", f"{OM}/v2/ECOM/receipts/{ORDER}", RECEIPT), 404, api="orders"),
        _409=after(*[call("POST", f"{OM}/v2/ECOM/receipts/{ORDER}", RECEIPT)] * 2),
    ),
    described(
        "order-management-v2",
        "PUT /v2/{paymentType}/categories/{orderId}",
        _200=call("PUT", f"{OM}/v2/ECOM/categories/{ORDER}", OLD_LINK),
        _400=call("PUT", f"{OM}/v2/ECOM/categories/{ORDER}", {}),
        _401=unsigned("PUT", f"{OM}/v2/ECOM/categories/{ORDER}", OLD_LINK),
        _404=broken(call("PUT", f"{OM}/v2/ECOM/categories/{ORDER}", OLD_LINK), 404, api="orders"),
        _409=broken(call("PUT", f"{OM}/v2/ECOM/categories/{ORDER}", OLD_LINK), 409, api="orders"),
    ),
    described(
        "order-management-v2",
        "GET /v2/{paymentType}/{orderId}",
        _200=after(call("POST", f"{OM}/v2/ECOM/receipts/{ORDER}", RECEIPT), call("GET", f"{OM}/v2/ECOM/{ORDER}")),
        _401=unsigned("GET", f"{OM}/v2/ECOM/{ORDER}"),
        _404=call("GET", f"{OM}/v2/ECOM/{ORDER}"),
    ),
    described("order-management-v2", "POST /v1/images", _200=call("POST", f"{OM}/v1/images", PICTURE)),
    described(
        "order-management-v2",
        "POST /v3/categories",
        _201=call("POST", f"{OM}/v3/categories", LINK),
        _400=call("POST", f"{OM}/v3/categories", {}),
        _401=unsigned("POST", f"{OM}/v3/categories", LINK),
    ),
    described(
        "order-management-v2",
        "GET /v3/categories",
        _200=after(call("POST", f"{OM}/v3/categories", LINK), call("GET", f"{OM}/v3/categories?orderId={ORDER}")),
        _400=broken(call("GET", f"{OM}/v3/categories"), 400, api="orders"),
        _401=unsigned("GET", f"{OM}/v3/categories"),
    ),
    described(
        "order-management-v2",
        "GET /v3/categories/{categoryId}",
        _200=linked("GET"),
        _400=broken(call("GET", f"{OM}/v3/categories/{UUID}"), 400, api="orders"),
        _401=unsigned("GET", f"{OM}/v3/categories/{UUID}"),
        _404=call("GET", f"{OM}/v3/categories/{UUID}"),
    ),
    described(
        "order-management-v2",
        "DELETE /v3/categories/{categoryId}",
        _200=linked("DELETE"),
        _401=unsigned("DELETE", f"{OM}/v3/categories/{UUID}"),
        _404=call("DELETE", f"{OM}/v3/categories/{UUID}"),
    ),
)
REPORT = (
    described(
        "report-v2",
        "GET /settlement/v1/ledgers",
        _200=call("GET", "/settlement/v1/ledgers"),
        _500=fallen(call("GET", "/settlement/v1/ledgers"), api="report"),
        default=call("GET", "/settlement/v1/ledgers?cursor=nonsense"),
    ),
    described(
        "report-v2",
        "GET /report/v2/ledgers/{ledgerId}/{topic}/dates/{ledgerDate}",
        _200=call("GET", DAY),
        _401=unsigned("GET", DAY),
        _404=not_ready,
        _500=fallen(call("GET", DAY), api="report"),
        default=call("GET", f"{DAY}?cursor=nonsense"),
    ),
    described(
        "report-v2",
        "GET /report/v2/ledgers/{ledgerId}/{topic}/feed",
        _200=call("GET", FEED),
        _401=unsigned("GET", FEED),
        _500=fallen(call("GET", FEED), api="report"),
        default=call("GET", f"{NO_LEDGER}/feed"),
    ),
)
QR_V1 = (
    described(
        "qr-v1",
        "POST /v1",
        _200=initiated(lambda world, shop, url: shop.call("POST", "/qr/v1", {"url": url}, accept="image/*")),
        _400=call("POST", "/qr/v1", {"url": "https://elsewhere.example"}, accept="image/*"),
        _401=unsigned("POST", "/qr/v1", {"url": "x"}, accept="image/*"),
        _415=call("POST", "/qr/v1", {"url": "x"}, accept="text/html"),
    ),
)
_MANAGEMENT = "/management/v1"
_MERCHANT = f"{_MANAGEMENT}/merchants/business:NO:ORG"
MANAGEMENT = (
    *(
        described("management-v1", f"GET {_MANAGEMENT}{named}", _200=call("GET", there), default=call("GET", nowhere))
        for named, there, nowhere in (
            ("/merchants/{scheme}/{id}", f"{_MERCHANT}/987654321", f"{_MERCHANT}/111111111"),
            (
                "/merchants/{scheme}/{id}/sales-units",
                f"{_MERCHANT}/987654321/sales-units",
                f"{_MERCHANT}/111111111/sales-units",
            ),
            ("/sales-units/{msn}", f"{_MANAGEMENT}/sales-units/{BERGEN}", f"{_MANAGEMENT}/sales-units/999999"),
        )
    ),
    *(
        described(
            "management-v1",
            f"GET {place}",
            _200=call("GET", place),
            default=broken(call("GET", place), 400, api="management"),
        )
        for place in (f"{_MANAGEMENT}/sales-units", f"{_MANAGEMENT}/partners/price-packages")
    ),
    described(
        "management-v1",
        f"POST {_MANAGEMENT}/product-orders",
        _201=call("POST", f"{_MANAGEMENT}/product-orders", PRODUCT_ORDER, idempotency_key="k"),
        default=call("POST", f"{_MANAGEMENT}/product-orders", PRODUCT_ORDER),
    ),
    described(
        "management-v1",
        f"DELETE {_MANAGEMENT}/product-orders/{{product-order-id}}",
        _200=dropped_order,
        default=call("DELETE", f"{_MANAGEMENT}/product-orders/{UUID}"),
    ),
)
DESCRIBED: tuple[Described, ...] = (
    *TOKENS,
    *EPAYMENT_V1,
    *ECOM_V2,
    *WEBHOOKS_V1,
    *ORDER_MANAGEMENT,
    *REPORT,
    *QR_V1,
    *MANAGEMENT,
)
