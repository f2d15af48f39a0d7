"""Reading what an eCom caller sent: form only. Unknown members are refused.

Source: Vipps eCom API v2, OpenAPI description.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from stores.vipps.simulator.forms import BadForm, read_flag, read_object, read_text, refuse_unknown

SMALLEST = 100
_ORDER_ID = re.compile(r"[a-zA-Z0-9-]{1,50}", re.ASCII)
_MSN = re.compile(r"[0-9]{4,10}", re.ASCII)
_MERCHANT = frozenset({"merchantSerialNumber"})
_MERCHANT_AT_START = _MERCHANT | {
    "authToken",
    "callbackPrefix",
    "consentRemovalPrefix",
    "fallBack",
    "isApp",
    "paymentType",
    "shippingDetailsPrefix",
    "staticShippingDetails",
}
_TRANSACTION_AT_START = frozenset(
    {
        "orderId",
        "amount",
        "transactionText",
        "skipLandingPage",
        "scope",
        "additionalData",
        "useExplicitCheckoutFlow",
        # Not in the OpenAPI description, but in the guide's samples.
        "timeStamp",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class EcomAsked:
    """What a call asks for. `value` None: no amount was named. `msn` is the one in the body."""

    msn: str
    value: int | None = None
    text: str = ""
    order_id: str = ""
    skips_landing_page: bool = False
    releases_rest: bool = False


def read_initiate(members: dict[str, Any]) -> EcomAsked:
    refuse_unknown(members, frozenset({"customerInfo", "merchantInfo", "transaction"}))
    customer = read_object(members, "customerInfo", frozenset({"mobileNumber"}))
    number = customer.get("mobileNumber")
    if number is not None and (not isinstance(number, str) or not re.fullmatch(r"[0-9]{8}", number)):
        raise BadForm("customerInfo.mobileNumber", "The value must be 8 digits.")
    merchant = read_object(members, "merchantInfo", _MERCHANT_AT_START)
    for name in ("callbackPrefix", "fallBack"):
        read_text(merchant, name, prefix="merchantInfo.")
    told = read_object(members, "transaction", _TRANSACTION_AT_START)
    order_id = told.get("orderId")
    if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
        raise BadForm("transaction.orderId", "The value does not match ^[a-zA-Z0-9-]{1,50}$.")
    skips = read_flag(told, "skipLandingPage", prefix="transaction.")
    if skips and number is None:
        raise BadForm("customerInfo.mobileNumber", "The number is needed to skip the landing page.")
    value = _read_amount(told)
    if value is None or value < SMALLEST:
        raise BadForm("transaction.amount", f"The amount must be at least {SMALLEST}.")
    return EcomAsked(
        msn=_read_msn(merchant),
        value=value,
        text=read_text(told, "transactionText", prefix="transaction.", longest=100),
        order_id=order_id,
        skips_landing_page=skips,
    )


def read_modification(members: dict[str, Any]) -> EcomAsked:
    """A capture or refund; an amount of null or 0 is none."""
    refuse_unknown(members, frozenset({"merchantInfo", "transaction"}))
    merchant = read_object(members, "merchantInfo", _MERCHANT)
    told = read_object(members, "transaction", frozenset({"amount", "transactionText"}))
    text = read_text(told, "transactionText", prefix="transaction.", longest=100)
    return EcomAsked(msn=_read_msn(merchant), value=_read_amount(told) or None, text=text)


def read_cancel(members: dict[str, Any]) -> EcomAsked:
    refuse_unknown(members, frozenset({"merchantInfo", "transaction", "shouldReleaseRemainingFunds"}))
    merchant = read_object(members, "merchantInfo", _MERCHANT)
    told = read_object(members, "transaction", frozenset({"transactionText"}))
    return EcomAsked(
        msn=_read_msn(merchant),
        text=read_text(told, "transactionText", prefix="transaction.", longest=100),
        releases_rest=read_flag(members, "shouldReleaseRemainingFunds"),
    )


def read_approval(members: dict[str, Any]) -> EcomAsked:
    refuse_unknown(members, frozenset({"customerPhoneNumber", "token"}))
    number = members.get("customerPhoneNumber")
    if not isinstance(number, str) or not re.fullmatch(r"[0-9]{8}", number):
        raise BadForm("customerPhoneNumber", "The value must be 8 digits.")
    return EcomAsked(msn="")


def _read_amount(told: dict[str, Any]) -> int | None:
    value = told.get("amount")
    if value is None:
        return None
    if type(value) is not int or value < 0:
        raise BadForm("transaction.amount", "The amount must be an integer in minor units.")
    return value


def _read_msn(merchant: dict[str, Any]) -> str:
    msn = merchant.get("merchantSerialNumber")
    if not isinstance(msn, str) or not _MSN.fullmatch(msn):
        raise BadForm("merchantInfo.merchantSerialNumber", "The value must be a text of digits.")
    return msn
