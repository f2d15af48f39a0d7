"""Answers of Vipps as its pages print them, for tests of the client that need no provider behind it."""

from __future__ import annotations

import json
from typing import Any

from stores.vipps.exchange import Response

SHORT = "B-77"
TRACE = "00-616e415f5af7584eb4d9369d0fe8d7cc-48b90041faff204c-00"


def told(body: object, status: int = 200, **headers: str) -> Response:
    return Response(status=status, headers=headers, body=json.dumps(body).encode())


def summary(*, captured: int = 10_000, refunded: int = 0, reserved: int = 0) -> dict[str, int]:
    return {
        "capturedAmount": captured,
        "refundedAmount": refunded,
        "remainingAmountToCapture": reserved,
        "remainingAmountToRefund": captured - refunded,
    }


def entry(operation: str, amount: int, number: int, *, success: bool = True, request_id: str = "") -> dict[str, Any]:
    """A log entry; `number` orders it in time and makes its transaction id."""
    return {
        "amount": amount,
        "operation": operation,
        "operationSuccess": success,
        "requestId": request_id,
        "timeStamp": f"2026-09-16T12:00:{number:02}.246Z",
        "transactionId": str(5_001_000_000 + number),
        "transactionText": "Socks",
    }


RESERVED = [entry("RESERVE", 10_000, 2), entry("INITIATE", 10_000, 1)]
CAPTURED = [entry("CAPTURE", 10_000, 3, request_id="till-1"), *RESERVED]
SOLD = [entry("SALE", 10_000, 2), entry("INITIATE", 10_000, 1)]


def details(
    log: list[dict[str, Any]] | None = None, sums: dict[str, int] | None = None, *, order_id: str = SHORT, **more: Any
) -> dict[str, Any]:
    body: dict[str, Any] = {"orderId": order_id, "transactionLogHistory": CAPTURED if log is None else log, **more}
    if sums is not None:
        body["transactionSummary"] = sums
    return body


def refunded(sums: dict[str, int] | None, *, order_id: str = SHORT, amount: int = 2_500) -> dict[str, Any]:
    """What eCom answers to a refund: `transaction`, not `transactionInfo`."""
    body: dict[str, Any] = {
        "orderId": order_id,
        "transaction": {
            "amount": amount,
            "timeStamp": "2026-09-16T12:00:04.000Z",
            "transactionText": "Refusjon",
            "status": "Refund",
            "transactionId": "5001000004",
        },
    }
    if sums is not None:
        body["transactionSummary"] = sums
    return body


def changed(status: str, sums: dict[str, int], *, order_id: str = SHORT) -> dict[str, Any]:
    body = refunded(sums, order_id=order_id)
    return {
        "orderId": order_id,
        "transactionInfo": {**body["transaction"], "status": status},
        "transactionSummary": sums,
        "paymentInstrument": "Card",
    }


def ecom_error(group: str, code: str, text: str = "No") -> list[dict[str, str]]:
    return [{"errorGroup": group, "errorCode": code, "errorMessage": text, "contextId": "ctx-1"}]
