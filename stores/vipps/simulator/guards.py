"""Why a capture, cancel or refund is not possible: the ErrorCode, or None.

Source: Vipps ePayment API, errors page and guides; Vipps knowledge base, refunds. Pure: they look and say.
"""

from __future__ import annotations

from typing import Literal

from stores.vipps.simulator.ledger import StoredPayment
from stores.vipps.simulator.merchants import SalesUnit

DAY = 86_400
REFUND_DAYS = 365
CAPTURE_DAYS = 180


def refuse_refund(
    payment: StoredPayment,
    unit: SalesUnit,
    *,
    value: int,
    currency: str,
    now: float,
    days_from: Literal["authorization", "capture"],
) -> str | None:
    sums = payment.sums()
    start = payment.at_of("AUTHORIZED" if days_from == "authorization" else "CAPTURED")
    if not unit.allows_refunds:
        return "5100"
    if currency != payment.currency:
        return "5040"
    if value < 1:
        return "6010"
    if payment.state == "CREATED":
        return "6020"
    if payment.state != "AUTHORIZED" or sums.captured == 0:
        return "6210"
    if start is not None and now - start > REFUND_DAYS * DAY:
        return "6220"
    if sums.refunded >= sums.captured:
        return "6180"
    return "6150" if value > sums.captured - sums.refunded else None


def refuse_capture(payment: StoredPayment, unit: SalesUnit, *, value: int, currency: str, now: float) -> str | None:
    sums = payment.sums()
    start = payment.at_of("AUTHORIZED")
    if currency != payment.currency:
        return "5040"
    if value < 1:
        return "6010"
    if payment.state == "CREATED":
        return "6080"
    if payment.state != "AUTHORIZED":
        return "6200"
    if sums.cancelled and sums.cancelled + sums.captured >= sums.authorized:
        return "6070"
    if start is not None and now - start > CAPTURE_DAYS * DAY:
        return "6100"
    if sums.captured >= sums.authorized:
        return "6170"
    left = sums.authorized - sums.captured - sums.cancelled
    if value > left:
        return "6090"
    return "6140" if value < left and not unit.allows_partial_capture else None


def refuse_cancel(payment: StoredPayment, *, only_unauthorized: bool, now: float) -> str | None:
    sums = payment.sums()
    start = payment.at_of("AUTHORIZED")
    if payment.state == "CREATED":
        return None
    if payment.state != "AUTHORIZED":
        return "6190"
    if only_unauthorized:
        return "6060"
    if sums.captured >= sums.authorized:
        return "6040"
    if sums.captured + sums.cancelled >= sums.authorized:
        return "6050"
    return "6030" if start is not None and now - start > CAPTURE_DAYS * DAY else None
