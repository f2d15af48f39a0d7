"""Which error of eCom means what: a table of data by group and code, as "Payment 71" (Vipps: eCom API, error codes).

A code alone says too little: 98 is a deadline in one group and too much traffic in another.
"""

from __future__ import annotations

from stores.vipps.codes import STATUSES, CodeMeaning, rows
from stores.vipps.errors import (
    KeyConflict,
    Locked,
    Misconfigured,
    OurDefect,
    Refused,
    Throttled,
    Unauthorized,
    Unsure,
    VippsError,
)

ECOM_CODES: dict[str, CodeMeaning] = {
    **rows(
        Refused,
        {
            "Payment 41": "the customer has no usable card",
            "Payment 42": "refused by the card's issuer",
            "Payment 43": "refused by the card's issuer",
            "Payment 44": "refused by the card's issuer",
            "Payment 45": "the reservation failed",
            "Payment 51": "a captured payment cannot be cancelled; refund it instead",
            "Payment 53": "what is not reserved cannot be cancelled",
            "Payment 61": "capture exceeds what was reserved",
            "Payment 62": "nothing is reserved yet, so nothing can be captured",
            "Payment 71": "refund exceeds what was captured",
            "Payment 72": "the money is only reserved; cancel instead of refunding",
            "Payment 73": "a cancelled payment cannot be refunded",
            "Payment 74": "the merchant's account could not be debited for the refund",
            "Payment 95": "the refund period of 365 days is over, or direct capture is not allowed",
            "Payment 96": "the capture period of 180 days is over",
            "Payment 98": "the capture period of 180 days is over",
            "Payment 1082": "the test user is not verified with BankID",
            "Payment 1501": "the customer is too young",
            "VippsError 91": "the operation is not allowed for this payment",
            "User 81": "the customer is not an eligible user",
            "User 82": "the customer's app is too old",
            "Merchant 32": "the merchant's receiving limit is reached",
            "Merchant 33": "the limit of requests to this customer is reached",
        },
    ),
    # Each of these says that something went wrong, and none that nothing happened.
    **rows(
        Unsure,
        {
            "Payment 52": "cancel failed for an unknown reason",
            "Payment 63": "capture failed for an unknown reason",
            "VippsError 92": "already done, perhaps by an earlier send of the same",
            "VippsError 99": "internal error, often after a malformed request",
        },
    ),
    **rows(
        KeyConflict,
        {
            "Payment 93": "repeated under the same key with another amount",
            "VippsError 93": "repeated under the same key with other content",
            "Merchant 34": "the order id is taken",
        },
    ),
    **rows(Locked, {"VippsError 94": "the order is busy with another operation"}),
    **rows(Throttled, {"VippsError 98": "too many requests at the same time"}),
    **rows(
        Misconfigured,
        {
            "Merchant 31": "the merchant is blocked",
            "Merchant 35": "this sales unit has no order with this id",
            "Merchant 36": "the merchant's agreement is not signed",
            "Merchant 37": "the sales unit or the partner is inactive",
            "Merchant 38": "skipping the landing page is not allowed for the sales unit",
            "Merchant 39": "long-living payments are not allowed for the sales unit",
            "Merchant 97": "the merchant may not take payments",
        },
    ),
}

_GROUPS: dict[str, type[VippsError]] = {"InvalidRequest": OurDefect, "Authentication": Unauthorized}
"""Groups whose codes are names of fields, or follow no list."""

_CODE_DECIDES = (400, 402, 409)
"""402 is how eCom once answered errors of the payment."""


def ecom_error_class(status: int, codes: list[str]) -> type[VippsError]:
    """The error that an answer other than 2xx stands for; several codes that mean different things are `Unsure`."""
    if status not in _CODE_DECIDES:
        return STATUSES.get(status, Unsure)
    classes = {_class_of(code, status) for code in codes}
    return classes.pop() if len(classes) == 1 else Unsure


def ecom_meaning_of(code: str) -> str:
    """Our own short words for a code; empty for one that we do not know."""
    known = ECOM_CODES.get(code)
    return known.meaning if known else ""


def _class_of(code: str, status: int) -> type[VippsError]:
    known = ECOM_CODES.get(code)
    if known is not None:
        return known.error
    group = code.partition(" ")[0]
    if group in _GROUPS:
        return _GROUPS[group]
    return OurDefect if status == 400 else STATUSES.get(status, Unsure)
