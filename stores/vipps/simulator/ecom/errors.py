"""How eCom says no: an array of errors, each with a group and a code.

Source: Vipps eCom API, errors. Which HTTP status belongs to which code is not published; the statuses here are the
likeliest, and the switch `statuses` changes them ("Payment/71").
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from stores.vipps.simulator.wire import UTF8_JSON, Reply

MESSAGES = {
    "Payment/41": "The user has no card.",
    "Payment/42": "The reservation was refused by the issuer.",
    "Payment/43": "The reservation was refused by the issuer: not enough funds.",
    "Payment/44": "The reservation was refused by the issuer: the card is not valid.",
    "Payment/45": "The reservation failed.",
    "Payment/51": "Cannot cancel a captured order: refund it instead.",
    "Payment/52": "The cancellation failed.",
    "Payment/53": "Cannot cancel an order that is not reserved.",
    "Payment/61": "Captured amount exceeds the reserved amount.",
    "Payment/62": "The amount is not reserved.",
    "Payment/63": "The capture failed.",
    "Payment/71": "Cannot refund more than the captured amount.",
    "Payment/72": "Cannot refund a reserved order: cancel it instead.",
    "Payment/73": "Cannot refund a cancelled order.",
    "Payment/74": "The refund failed when debiting the merchant's account.",
    "Payment/93": "The amount must be the same when a request is repeated.",
    "Payment/95": "The payment can not be refunded later than 365 days after the reservation.",
    "Payment/96": "The payment can not be captured later than 180 days after the reservation.",
    "Payment/98": "The payment can not be captured later than 180 days after the reservation.",
    "Payment/1082": "The test user is not verified by BankID.",
    "Payment/1501": "The customer is too young.",
    "VippsError/91": "The operation is not allowed.",
    "VippsError/92": "The order is already processed.",
    "VippsError/93": "A repeated request must be identical.",
    "VippsError/94": "The order is locked and being processed. Try the same request again.",
    "VippsError/98": "Too many concurrent requests.",
    "VippsError/99": "Internal error.",
    "User/81": "The user is not registered with Vipps.",
    "User/82": "The user's app version is not supported.",
    "Merchant/31": "The merchant is blocked.",
    "Merchant/32": "The receiving limit of the merchant is exceeded.",
    "Merchant/33": "The number of payment requests is exceeded.",
    "Merchant/34": "The order id is already in use.",
    "Merchant/35": "The order was not found for this merchant.",
    "Merchant/36": "The merchant agreement is not signed.",
    "Merchant/37": "The merchant is not available, deactivated or blocked.",
    "Merchant/38": "The sales unit is not allowed to skip the landing page.",
    "Merchant/39": "Long-living payments are not allowed for this sales unit.",
    "Merchant/97": "The sales unit is not allowed to take payments.",
}
_STATUSES = {
    "Payment/93": 409,
    "VippsError/93": 409,
    "VippsError/94": 409,
    "VippsError/98": 429,
    "VippsError/99": 500,
    "Merchant/34": 409,
    "Merchant/35": 404,
}


def full_code(code: str) -> str:
    """ "71" is "Payment/71"; where a code stands in two groups, Payment's is meant unless the group is named."""
    if "/" in code:
        return code
    return next((known for known in MESSAGES if known.endswith(f"/{code}")), f"VippsError/{code}")


def status_of(code: str, chosen: Mapping[str, int]) -> int:
    return chosen.get(code) or _STATUSES.get(code, 400)


def refusal(code: str, *, status: int, context: str, message: str | None = None) -> Reply:
    """`code` is group and code; for InvalidRequest the code is the name of the wrong field."""
    group, _, name = code.partition("/")
    error = {
        "errorGroup": group,
        "errorCode": name,
        "errorMessage": message or MESSAGES.get(code, "The request could not be carried out."),
        "contextId": context,
    }
    return Reply(status=status, body=json.dumps([error]).encode(), content_type=UTF8_JSON)
