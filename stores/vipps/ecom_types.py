"""What eCom tells us about payments, in its own words. Amounts are øre: eCom exists in Norway only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

CURRENCY = "NOK"


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """The sums of a payment; `bank_identification_number` (the card's first digits) only comes with details."""

    captured: int
    refunded: int
    remaining_to_capture: int
    remaining_to_refund: int
    bank_identification_number: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """One operation, done or only tried: look at `success`. `request_id` is the X-Request-Id it was asked with.

    `operation` is INITIATE, RESERVE, SALE (direct capture), CAPTURE, REFUND, CANCEL, VOID, or one that is new.
    """

    operation: str
    amount: int
    success: bool
    request_id: str | None
    timestamp: datetime
    transaction_id: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Details:
    """The answer of "details". `log` is as Vipps gives it: newest first. `summary` is None until the customer acts."""

    order_id: str
    summary: Summary | None
    log: tuple[LogEntry, ...]
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The answer of capture, cancel and refund; `operation_status` is "Captured", "Cancelled" or "Refund"."""

    order_id: str
    transaction_id: str
    operation_status: str
    summary: Summary | None
    status: int = 200
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Initiated:
    """The answer of "initiate": where the customer goes; the address lives for 5 minutes and is never altered."""

    order_id: str
    url: str
    trace_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEcomPayment:
    """A payment to start. Legacy: new payments belong to ePayment.

    `mobile_number`: 8 digits, without country code. `skips_landing_page` needs the sales unit's approval.
    """

    order_id: str
    amount: int
    text: str
    callback_prefix: str
    fall_back: str
    mobile_number: str | None = None
    auth_token: str | None = None
    is_app: bool = False
    skips_landing_page: bool = False
    scope: str | None = None
