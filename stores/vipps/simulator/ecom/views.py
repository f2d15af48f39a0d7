"""A payment as eCom shows it: its summary, its log with the newest entry first, and the answers to changes.

Source: Vipps eCom API v2, guide and OpenAPI description.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from stores.vipps.simulator.clock import iso
from stores.vipps.simulator.ledger import EventEntry, StoredPayment

URL_SECONDS = 300
# An eCom payment that nobody answered in time has no entry for that: EXPIRED is missing on purpose.
_OPERATIONS = {
    "CREATED": "INITIATE",
    "AUTHORIZED": "RESERVE",
    "CAPTURED": "CAPTURE",
    "REFUNDED": "REFUND",
    "CANCELLED": "VOID",
    "TERMINATED": "CANCEL",
    "ABORTED": "CANCEL",
}
_ANSWERS = {"capture": "Captured", "cancel": "Cancelled", "refund": "Refund"}


def initiated_view(payment: StoredPayment) -> dict[str, Any]:
    token = base64.urlsafe_b64encode(f"{payment.msn}/{payment.reference}".encode()).decode().rstrip("=")
    return {"orderId": payment.reference, "url": f"https://landing.invalid/dwo-api-application/v1/deeplink?token={token}"}


def summary_view(payment: StoredPayment, events: Sequence[EventEntry]) -> dict[str, Any]:
    sums = payment.sums(events)
    return {
        "capturedAmount": sums.captured,
        "refundedAmount": sums.refunded,
        "remainingAmountToCapture": sums.authorized - sums.captured - sums.cancelled,
        "remainingAmountToRefund": sums.captured - sums.refunded,
    }


def details_view(payment: StoredPayment, events: Sequence[EventEntry], *, summed: Sequence[EventEntry]) -> dict[str, Any]:
    """The log of `events`, the summary of `summed`; no summary before the customer has reacted."""
    view: dict[str, Any] = {"orderId": payment.reference}
    if payment.state != "CREATED":
        view["transactionSummary"] = summary_view(payment, summed)
    view["transactionLogHistory"] = [_log_view(payment, event) for event in reversed(events) if _is_shown(payment, event)]
    return view


def status_view(payment: StoredPayment) -> dict[str, Any]:
    """The deprecated status: the last thing that happened."""
    last = next(event for event in reversed(payment.events) if event.success and event.name in _OPERATIONS)
    return {
        "orderId": payment.reference,
        "transactionInfo": {
            "amount": last.value,
            "status": _operation(payment, last),
            "timeStamp": iso(last.at),
            "transactionId": _transaction_id(payment, last),
        },
    }


def modification_view(
    payment: StoredPayment, operation: str, event: EventEntry, events: Sequence[EventEntry]
) -> dict[str, Any]:
    """A refund's answer says `transaction` where the others say `transactionInfo`."""
    info = {
        "amount": event.value,
        "timeStamp": iso(event.at),
        "transactionText": event.text,
        "status": _ANSWERS[operation],
        "transactionId": _transaction_id(payment, event),
    }
    member = "transaction" if operation == "refund" else "transactionInfo"
    view: dict[str, Any] = {"orderId": payment.reference, member: info, "transactionSummary": summary_view(payment, events)}
    return view if operation == "refund" else {**view, "paymentInstrument": "Vipps"}


def _log_view(payment: StoredPayment, event: EventEntry) -> dict[str, Any]:
    return {
        "amount": event.value,
        "operation": _operation(payment, event),
        "operationSuccess": event.success,
        "requestId": event.key or "",
        "timeStamp": iso(event.at),
        "transactionId": _transaction_id(payment, event),
        "transactionText": event.text,
    }


def _operation(payment: StoredPayment, event: EventEntry) -> str:
    is_sale = payment.is_direct and event.name == "AUTHORIZED"
    return "SALE" if is_sale else _OPERATIONS[event.name]


def _is_shown(payment: StoredPayment, event: EventEntry) -> bool:
    """A direct capture is one entry, SALE."""
    return event.name in _OPERATIONS and not (payment.is_direct and event.name == "CAPTURED")


def _transaction_id(payment: StoredPayment, event: EventEntry) -> str:
    """Only captures and refunds get one of their own."""
    return str(event.psp if event.name in ("CAPTURED", "REFUNDED") else payment.events[0].psp)
