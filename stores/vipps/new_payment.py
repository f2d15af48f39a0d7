"""A payment to be made through ePayment: what the caller wishes, and the request that asks for it.

Source: Vipps ePayment API v1, create payment. What only Express (shipping), card processors (passthrough) and airlines
(industry data) send is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from stores.vipps.receipts import Receipt, receipt_body
from stores.vipps.types import Amount

_PHONE = re.compile(r"[0-9]{9,15}", re.ASCII)
_MOST_METADATA = 5


class Flow(StrEnum):
    """How the customer meets the payment."""

    WEB_REDIRECT = "WEB_REDIRECT"
    QR = "QR"
    PUSH_MESSAGE = "PUSH_MESSAGE"
    NATIVE_REDIRECT = "NATIVE_REDIRECT"


class QrFormat(StrEnum):
    """What a QR flow's address leads to."""

    TEXT = "TEXT/TARGETURL"
    SVG = "IMAGE/SVG+XML"
    PNG = "IMAGE/PNG"


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Exactly one of: a number in full (4791234567), the whole content of a personal QR code, a check-in's token."""

    phone_number: str | None = field(default=None, repr=False)
    personal_qr: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if [self.phone_number, self.personal_qr, self.token].count(None) != 2:
            raise ValueError("a customer is named in exactly one way")
        if self.phone_number is not None and not _PHONE.fullmatch(self.phone_number):
            raise ValueError("a phone number is 9 to 15 digits with its country code")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPayment:
    """Raises ValueError for what Vipps cannot take.

    `is_present`: the customer stands in the store, which must be told. `return_url` is needed for WEB_REDIRECT,
    `customer` for PUSH_MESSAGE, `receipt` for `expires_at`. `metadata`: at most 5 pairs, no personal data.
    """

    reference: str
    amount: Amount
    flow: Flow
    is_present: bool
    description: str | None = None
    return_url: str | None = None
    customer: Customer | None = None
    method: str = "WALLET"
    blocked_sources: tuple[str, ...] = ()
    expires_at: datetime | None = None
    minimum_age: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    receipt: Receipt | None = None
    receipt_url: str | None = None
    qr_format: QrFormat | None = None
    qr_size: int | None = None
    scope: str | None = None

    def __post_init__(self) -> None:
        if self.flow is Flow.WEB_REDIRECT and not self.return_url:
            raise ValueError("a web redirect needs an address to return to")
        if self.flow is Flow.PUSH_MESSAGE and self.customer is None:
            raise ValueError("a push message needs a customer")
        if self.expires_at is not None and (self.receipt is None or self.expires_at.tzinfo is None):
            raise ValueError("an expiry is an aware moment and needs a receipt")
        if self.description is not None and not 3 <= len(self.description) <= 100:
            raise ValueError("a description has 3 to 100 characters")
        if len(self.metadata) > _MOST_METADATA or any(
            len(key) > 100 or len(value) > 500 for key, value in self.metadata.items()
        ):
            raise ValueError("metadata is at most 5 pairs of at most 100 and 500 characters")


@dataclass(frozen=True, kw_only=True, slots=True)
class Created:
    """The answer of "create". `redirect_url` is to be used as it is; a push message has none."""

    reference: str
    redirect_url: str | None
    trace_id: str | None = None


def customer_body(customer: Customer) -> dict[str, str]:
    names = {"phoneNumber": customer.phone_number, "personalQr": customer.personal_qr, "customerToken": customer.token}
    return {name: value for name, value in names.items() if value is not None}


def payment_body(new: NewPayment) -> dict[str, Any]:
    """As Vipps takes it; what is not given is left out, since unknown or empty members are refused."""
    method: dict[str, Any] = {"type": new.method}
    if new.blocked_sources:
        method["blockedSources"] = list(new.blocked_sources)
    members = {
        "reference": new.reference,
        "amount": {"currency": new.amount.currency, "value": new.amount.value},
        "paymentMethod": method,
        "userFlow": new.flow.value,
        "customerInteraction": "CUSTOMER_PRESENT" if new.is_present else "CUSTOMER_NOT_PRESENT",
        "paymentDescription": new.description,
        "returnUrl": new.return_url,
        "customer": customer_body(new.customer) if new.customer else None,
        "expiresAt": new.expires_at.isoformat() if new.expires_at else None,
        "minimumUserAge": new.minimum_age,
        "metadata": dict(new.metadata) or None,
        "receipt": receipt_body(new.receipt) if new.receipt else None,
        "receiptUrl": new.receipt_url,
        "qrFormat": _qr_format(new),
        "profile": {"scope": new.scope} if new.scope else None,
    }
    return {name: value for name, value in members.items() if value is not None}


def _qr_format(new: NewPayment) -> dict[str, Any] | None:
    if new.qr_format is None:
        return None
    return {"format": new.qr_format.value} | ({} if new.qr_size is None else {"size": new.qr_size})
