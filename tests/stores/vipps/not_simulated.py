"""What Vipps' files describe and the simulator leaves out, by file and operation, each with its reason."""

_MANAGEMENT = "/management/v1"
NOT_BUILT = {
    "epayment-v1": {"POST /merchant-dynamic-shipping-callback": "Vipps calls it, and Express is not simulated"},
    "ecom-v2": {
        "POST /callbackPrefix/v2/payments/{orderId}": "Vipps calls it; the simulator makes no eCom callbacks",
        "DELETE /consentRemovalPrefix/v2/consents/{userId}": "Vipps calls it, and Express is not simulated",
        "POST /shippingDetailsPrefix/v2/payments/{orderId}/shippingDetails": "the same",
    },
    "order-management-v2": {
        f"{method} /v1/{what}/{{transactionId}}": "deprecated"
        for method, what in (("PUT", "orders"), ("GET", "orders"), ("GET", "receipts"), ("POST", "receipts"))
    },
    "report-v2": {"GET /report/v1/ledgertransactions": "the report of before v2"},
    "qr-v1": dict.fromkeys(
        (
            *(f"{method} /v1/merchant-redirect" for method in ("POST", "GET")),
            *(f"{method} /v1/merchant-redirect/{{id}}" for method in ("PUT", "DELETE", "GET")),
            "GET /v1/merchant-callback",
            *(f"{method} /v1/merchant-callback/{{merchantQrId}}" for method in ("GET", "PUT", "DELETE")),
            "PUT /v1/merchant-callback/mobilepay/{beaconId}",
            "POST /v1/exchange",
            "POST /v1/exchange/customer",
        ),
        "for stickers and check-in, which no refund needs",
    ),
    "management-v1": {
        **{
            f"{method} {_MANAGEMENT}/{what}": "an idea that was never built"
            for method, what in (
                ("GET", "partners/whoami"),
                ("GET", "merchants"),
                ("GET", "merchants/{scheme}/{id}/contracts"),
                ("PATCH", "sales-units/{msn}"),
                ("GET", "api-quality/sales-units/{msn}"),
            )
        },
        f"GET {_MANAGEMENT}/product-orders/{{product-order-id}}": "v2's details took its place",
    },
}
