"""Why a capture, cancel or refund is not possible: the ErrorCode, or None.

Source: Vipps ePayment API, errors page and guides; Vipps knowledge base, refunds. Pure: they look and say.
"""

from __future__ import annotations

from typing import Literal

from stores.vipps.simulator.ledger import StoredPayment
from stores.vipps.simulator.merchants import SalesUnit
from stores.vipps.simulator.switches import Switches

DAY = 86_400
REFUND_DAYS = 365
CAPTURE_DAYS = 180
NO_RECEIVER, PERIOD_EXPIRED = 123, 124


def refuse_refund(
    payment: StoredPayment, unit: SalesUnit, *, value: int, currency: str, now: float, balance: int, switches: Switches
) -> str | None:
    """`balance` is the sales unit's, which only counts if the switch says so."""
    sums = payment.sums()
    if not unit.allows_refunds:
        return "5100"
    if currency != payment.currency:
        return "5040"
    if value < max(1, switches.minimum_refund):
        return "6010"
    if payment.state == "CREATED":
        return "6020"
    if payment.state != "AUTHORIZED" or sums.captured == 0:
        return "6210"
    if is_too_late_to_refund(payment, now=now, switches=switches):
        return "6220"
    if sums.refunded >= sums.captured:
        return "6180"
    if value > sums.captured - sums.refunded:
        return "6150"
    if is_just_captured(payment, now=now, switches=switches):
        return "6160"
    if switches.merchant_balance == "must_cover" and value > balance:
        return "5100"
    if fails_by_amount(value, switches) == "answer":
        return "6210" if value == NO_RECEIVER else "6220"
    return None


def is_too_late_to_refund(payment: StoredPayment, *, now: float, switches: Switches) -> bool:
    start = payment.at_of("AUTHORIZED" if switches.refund_days_from == "authorization" else "CAPTURED")
    return start is not None and now - start > REFUND_DAYS * DAY


def is_just_captured(payment: StoredPayment, *, now: float, switches: Switches) -> bool:
    captured = payment.last_at_of("CAPTURED") if switches.refund_wait else None
    return captured is not None and now - captured < switches.refund_wait


def fails_by_amount(value: int, switches: Switches) -> Literal["answer", "event"] | None:
    """Where the refund of a test amount fails (Vipps knowledge base, test environment)."""
    is_test_amount = value in (NO_RECEIVER, PERIOD_EXPIRED) and switches.environment == "test"
    return switches.refund_test_amounts if is_test_amount else None


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
