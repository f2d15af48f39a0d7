"""The simulator's own books: each payment is its list of events, and every sum is counted from them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stores.vipps.simulator.clock import iso

AUTHORIZATION_SECONDS = 600


class EventEntry(NamedTuple):
    """`psp` is a running number; Vipps gives every event a reference of its own."""

    name: str
    value: int
    at: float
    key: str | None
    success: bool
    psp: int


class Sums(NamedTuple):
    authorized: int
    cancelled: int
    captured: int
    refunded: int


class StoredPayment:
    """One payment of one sales unit. The same reference may exist under another MSN."""

    __slots__ = ("currency", "events", "metadata", "msn", "reference", "state", "value")

    def __init__(self, *, msn: str, reference: str, currency: str, value: int, metadata: Mapping[str, str]) -> None:
        self.msn = msn
        self.reference = reference
        self.currency = currency
        self.value = value
        self.metadata = dict(metadata)
        self.state = "CREATED"
        self.events: list[EventEntry] = []

    @property
    def psp_reference(self) -> str:
        """That of the CREATED event, in every answer of the API, whatever the operation."""
        return str(uuid.UUID(bytes=hashlib.sha256(str(self.events[0].psp).encode()).digest()[:16], version=4))

    def at_of(self, name: str) -> float | None:
        """When the first event of that name happened, as Unix time."""
        return next((event.at for event in self.events if event.name == name and event.success), None)

    def sums(self, events: Iterable[EventEntry] | None = None) -> Sums:
        authorized = cancelled = captured = refunded = 0
        for event in self.events if events is None else events:
            if not event.success:
                continue
            if event.name == "AUTHORIZED":
                authorized += event.value
            elif event.name == "CAPTURED":
                captured += event.value
            elif event.name == "REFUNDED":
                refunded += event.value
            elif event.name in ("CANCELLED", "TERMINATED"):
                cancelled += event.value
        return Sums(authorized, cancelled, captured, refunded)


class Ledger:
    """All payments, by (MSN, reference)."""

    def __init__(self) -> None:
        self.payments: dict[tuple[str, str], StoredPayment] = {}
        self._psp = 1_000_000_000

    def find(self, msn: str, reference: str) -> StoredPayment | None:
        return self.payments.get((msn, reference))

    def create(
        self, *, msn: str, reference: str, currency: str, value: int, metadata: Mapping[str, str], at: float
    ) -> StoredPayment:
        """Raises KeyError if this sales unit has the reference already."""
        if (msn, reference) in self.payments:
            raise KeyError(reference)
        payment = StoredPayment(msn=msn, reference=reference, currency=currency, value=value, metadata=metadata)
        self.record(payment, "CREATED", value, at=at)
        self.payments[(msn, reference)] = payment
        return payment

    def record(
        self, payment: StoredPayment, name: str, value: int, *, at: float, key: str | None = None, success: bool = True
    ) -> EventEntry:
        self._psp += 1
        event = EventEntry(name, value, at, key, success, self._psp)
        payment.events.append(event)
        if success and name in ("AUTHORIZED", "ABORTED", "EXPIRED", "TERMINATED"):
            payment.state = name
        return event


def amount(payment: StoredPayment, value: int) -> dict[str, Any]:
    return {"currency": payment.currency, "value": value}


def aggregate_view(payment: StoredPayment, events: Iterable[EventEntry]) -> dict[str, Any]:
    sums = payment.sums(events)
    return {
        "authorizedAmount": amount(payment, sums.authorized),
        "cancelledAmount": amount(payment, sums.cancelled),
        "capturedAmount": amount(payment, sums.captured),
        "refundedAmount": amount(payment, sums.refunded),
    }


def payment_view(payment: StoredPayment, events: Iterable[EventEntry]) -> dict[str, Any]:
    """The answer of "get payment", its sums counted from `events`."""
    view: dict[str, Any] = {
        "aggregate": aggregate_view(payment, events),
        "amount": amount(payment, payment.value),
        "state": payment.state,
        "paymentMethod": {"type": "WALLET"},
        "profile": {},
        "pspReference": payment.psp_reference,
        "reference": payment.reference,
    }
    if payment.metadata:
        view["metadata"] = payment.metadata
    return view


def event_views(payment: StoredPayment, events: Iterable[EventEntry]) -> list[dict[str, Any]]:
    """The event log, oldest first."""
    return [
        {
            "reference": payment.reference,
            "pspReference": payment.psp_reference if event.name == "CREATED" else str(event.psp),
            "name": event.name,
            "amount": amount(payment, event.value),
            # Both lengths of fraction occur in Vipps' own samples.
            "timestamp": iso(event.at, digits=3 if event.name == "CREATED" else 7),
            "idempotencyKey": event.key,
            "success": event.success,
        }
        for event in events
    ]
