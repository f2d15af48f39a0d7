"""The simulator's own books: each payment is its list of events, and every sum is counted from them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stores.vipps.simulator.clock import iso
from stores.vipps.simulator.funds import FundsBook

AUTHORIZATION_SECONDS = 600
_STATES = frozenset({"AUTHORIZED", "ABORTED", "EXPIRED", "TERMINATED"})


class EventEntry(NamedTuple):
    """`psp` is a running number; Vipps gives every event a reference of its own.

    `text` is eCom's transactionText. `reverses` is the psp of an accepted refund that failed after all.
    """

    name: str
    value: int
    at: float
    key: str | None
    success: bool
    psp: int
    text: str = ""
    reverses: int = 0


class Sums(NamedTuple):
    authorized: int
    cancelled: int
    captured: int
    refunded: int


class StoredPayment:
    """One payment of one sales unit. The same reference may exist under another MSN.

    `api` is the one it was made through, "epayment" or "ecom"; `is_direct`: captured as soon as it is paid (eCom's SALE).
    """

    __slots__ = ("api", "currency", "events", "is_direct", "metadata", "msn", "reference", "state", "value")

    def __init__(
        self,
        *,
        msn: str,
        reference: str,
        currency: str,
        value: int,
        metadata: Mapping[str, str],
        api: str = "epayment",
        is_direct: bool = False,
    ) -> None:
        self.msn = msn
        self.reference = reference
        self.currency = currency
        self.value = value
        self.metadata = dict(metadata)
        self.api = api
        self.is_direct = is_direct
        self.state = "CREATED"
        self.events: list[EventEntry] = []

    @property
    def psp_reference(self) -> str:
        """That of the CREATED event, in every answer of the API, whatever the operation."""
        return str(uuid.UUID(bytes=hashlib.sha256(str(self.events[0].psp).encode()).digest()[:16], version=4))

    def at_of(self, name: str) -> float | None:
        """When the first event of that name happened, as Unix time."""
        return next((event.at for event in self.events if event.name == name and event.success), None)

    def last_at_of(self, name: str) -> float | None:
        return next((event.at for event in reversed(self.events) if event.name == name and event.success), None)

    def sums(self, events: Iterable[EventEntry] | None = None) -> Sums:
        authorized = cancelled = captured = refunded = 0
        for event in self.events if events is None else events:
            if not event.success:
                refunded -= event.value if event.reverses else 0
            elif event.name == "AUTHORIZED":
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
        self.funds = FundsBook()
        self._psp = 1_000_000_000

    def find(self, msn: str, reference: str) -> StoredPayment | None:
        return self.payments.get((msn, reference))

    def create(
        self,
        *,
        msn: str,
        reference: str,
        currency: str,
        value: int,
        metadata: Mapping[str, str],
        at: float,
        api: str = "epayment",
        is_direct: bool = False,
        text: str = "",
    ) -> StoredPayment:
        """Raises KeyError if this sales unit has the reference already."""
        if (msn, reference) in self.payments:
            raise KeyError(reference)
        payment = StoredPayment(
            msn=msn, reference=reference, currency=currency, value=value, metadata=metadata, api=api, is_direct=is_direct
        )
        self.record(payment, "CREATED", value, at=at, text=text)
        self.payments[(msn, reference)] = payment
        return payment

    def record(
        self,
        payment: StoredPayment,
        name: str,
        value: int,
        *,
        at: float,
        key: str | None = None,
        success: bool = True,
        text: str = "",
        reverses: int = 0,
    ) -> EventEntry:
        event = EventEntry(name, value, at, key, success, self.next_psp(), text, reverses)
        payment.events.append(event)
        if success and name in _STATES:
            payment.state = name
        self.funds.note(
            payment.msn,
            name,
            value if success else -value if reverses else 0,
            psp=event.psp,
            at=at,
            reference=payment.reference,
            currency=payment.currency,
        )
        return event

    def next_psp(self) -> int:
        self._psp += 1
        return self._psp


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
    return [event_view(payment, event) for event in events]


def event_view(payment: StoredPayment, event: EventEntry) -> dict[str, Any]:
    return {
        "reference": payment.reference,
        "pspReference": payment.psp_reference if event.name == "CREATED" else str(event.psp),
        "name": event.name,
        "amount": amount(payment, event.value),
        # Both lengths of fraction occur in Vipps' own samples.
        "timestamp": iso(event.at, digits=3 if event.name == "CREATED" else 7),
        "idempotencyKey": event.key,
        "success": event.success,
    }
