"""Why an eCom capture, cancel or refund is not possible: group and code, or None.

Source: Vipps eCom API, errors. Pure: they look and say.
"""

from __future__ import annotations

from stores.vipps.simulator.ecom.bodies import SMALLEST
from stores.vipps.simulator.guards import (
    CAPTURE_DAYS,
    DAY,
    NO_RECEIVER,
    fails_by_amount,
    is_just_captured,
    is_too_late_to_refund,
)
from stores.vipps.simulator.ledger import StoredPayment
from stores.vipps.simulator.merchants import SalesUnit
from stores.vipps.simulator.switches import Switches

_ENDED = frozenset({"ABORTED", "EXPIRED", "TERMINATED"})


def refuse_refund(
    payment: StoredPayment, unit: SalesUnit, *, value: int | None, now: float, balance: int, switches: Switches
) -> str | None:
    """`value` None: no amount was named, and the switch says that this means nothing."""
    sums = payment.sums()
    if not unit.allows_refunds:
        return "VippsError/91"
    if value is None or value < SMALLEST:
        return "InvalidRequest/transaction.amount"
    if payment.state in _ENDED or (sums.cancelled and not sums.captured):
        return "Payment/73"
    if not sums.captured:
        return "Payment/72"
    if is_too_late_to_refund(payment, now=now, switches=switches):
        return "Payment/95"
    if value > sums.captured - sums.refunded:
        return "Payment/71"
    if is_just_captured(payment, now=now, switches=switches):
        return "VippsError/94"
    if switches.merchant_balance == "must_cover" and value > balance:
        return "Payment/74"
    if fails_by_amount(value, switches) == "answer":
        return "VippsError/91" if value == NO_RECEIVER else "Payment/95"
    return None


def refuse_capture(payment: StoredPayment, unit: SalesUnit, *, value: int, now: float) -> str | None:
    sums = payment.sums()
    left = sums.authorized - sums.captured - sums.cancelled
    if payment.state == "CREATED":
        return "Payment/62"
    if payment.state in _ENDED or (sums.cancelled and not left):
        return "VippsError/91"
    if _is_late(payment, now):
        return "Payment/98"
    if not left:
        return "VippsError/92"
    if value > left:
        return "Payment/61"
    if value < SMALLEST:
        return "InvalidRequest/transaction.amount"
    return "VippsError/91" if value < left and not unit.allows_partial_capture else None


def refuse_cancel(payment: StoredPayment, *, releases_rest: bool, now: float) -> str | None:
    sums = payment.sums()
    left = sums.authorized - sums.captured - sums.cancelled
    if payment.state == "CREATED":
        return None
    if payment.state in _ENDED or (sums.cancelled and not left):
        return "VippsError/92"
    if sums.captured and (not releases_rest or not left):
        return "Payment/51"
    return "Payment/52" if _is_late(payment, now) else None


def _is_late(payment: StoredPayment, now: float) -> bool:
    start = payment.at_of("AUTHORIZED")
    return start is not None and now - start > CAPTURE_DAYS * DAY
