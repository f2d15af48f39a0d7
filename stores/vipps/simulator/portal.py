"""What happens to payments from outside the APIs: the business portal, the customer, and Vipps' own settlement."""

from __future__ import annotations

from typing import Any, Literal

from stores.vipps.simulator.books import Books, Movement
from stores.vipps.simulator.call_log import LogEntry
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.funds import FundsEntry, Topic
from stores.vipps.simulator.ledger import StoredPayment

_OPERATIONS = {"REFUNDED": "portal-refund", "CAPTURED": "portal-capture", "CANCELLED": "portal-cancel"}


class Portal:
    """Raises KeyError for an unknown payment and ValueError for what cannot be."""

    def __init__(self, books: Books, clock: VirtualClock) -> None:
        self._books = books
        self._clock = clock
        books.restores("funds", self._book)

    def refund(self, msn: str, reference: str, amount_minor: int) -> None:
        sums = self._payment(msn, reference).sums()
        self._move(msn, reference, "REFUNDED", amount_minor, left=sums.captured - sums.refunded)

    def capture(self, msn: str, reference: str, amount_minor: int) -> None:
        sums = self._payment(msn, reference).sums()
        self._move(msn, reference, "CAPTURED", amount_minor, left=sums.authorized - sums.captured - sums.cancelled)

    def cancel(self, msn: str, reference: str) -> None:
        """Lets go of all that is reserved and not captured."""
        sums = self._payment(msn, reference).sums()
        left = sums.authorized - sums.captured - sums.cancelled
        self._move(msn, reference, "CANCELLED", left, left=left)

    def customer(self, msn: str, reference: str, does: Literal["approve", "abort"]) -> None:
        """In the app: pays, or says no."""
        payment = self._payment(msn, reference)
        if payment.state != "CREATED":
            raise ValueError("the customer has nothing to answer any more")
        now = self._clock.now()
        name = "AUTHORIZED" if does == "approve" else "ABORTED"
        self._books.add_event(payment, Movement(name=name, value=payment.value), at=now)
        if payment.is_direct and does == "approve":
            self._books.add_event(payment, Movement(name="CAPTURED", value=payment.value), at=now)

    def dispute(self, msn: str, reference: str, amount_minor: int, *, is_won: bool = False) -> None:
        """The customer's bank takes a capture back, or gives it back. Only the report tells: Vipps has no event for it."""
        payment = self._payment(msn, reference)
        if not 1 <= amount_minor <= payment.sums().captured:
            raise ValueError("only what was captured can be disputed")
        kind = "returned-disputed-capture" if is_won else "retained-disputed-capture"
        signed = amount_minor if is_won else -amount_minor
        self._keep(topic="funds", msn=msn, kind=kind, reference=reference, currency=payment.currency, amount=signed)

    def pay_out(self, msn: str, currency: str) -> int:
        """Settles a sales unit, net of its fees; what was paid out, 0 if the balance is not positive."""
        funds = self._books.ledger.funds
        fees, balance = funds.balance(msn, "fees"), funds.balance(msn)
        if fees < 0:
            self._keep(topic="funds", msn=msn, kind="fees-retained", reference="", currency=currency, amount=fees)
            self._keep(topic="fees", msn=msn, kind="fees-retained", reference="", currency=currency, amount=-fees)
        paid = max(0, balance + fees)
        if paid:
            self._keep(topic="funds", msn=msn, kind="payout-scheduled", reference="", currency=currency, amount=-paid)
        return paid

    def _payment(self, msn: str, reference: str) -> StoredPayment:
        payment = self._books.find(msn, reference)
        if payment is None:
            raise KeyError(reference)
        return payment

    def _keep(self, *, topic: Topic, msn: str, kind: str, reference: str, currency: str, amount: int) -> None:
        told = {"kind": kind, "reference": reference, "currency": currency, "amount": amount}
        record = {"topic": topic, "msn": msn, "at": self._clock.now(), **told}
        self._book(record)
        self._books.keep("funds", **record)

    def _book(self, record: dict[str, Any]) -> None:
        ledger = self._books.ledger
        told = {name: value for name, value in record.items() if name != "topic"}
        ledger.funds.add(record["topic"], FundsEntry(psp=ledger.next_psp(), **told))

    def _move(self, msn: str, reference: str, name: str, amount_minor: int, *, left: int) -> None:
        if not 1 <= amount_minor <= left:
            raise ValueError(f"the portal can move 1 to {left} here")
        payment = self._payment(msn, reference)
        entry = LogEntry(
            time=self._clock.now(),
            msn=msn,
            keys="portal",
            operation=_OPERATIONS[name],
            reference=reference,
            amount_minor=amount_minor,
            currency=payment.currency,
            idempotency_key=None,
            applied=True,
            replayed=False,
            status=None,
            code=None,
            fault=None,
            api="portal",
        )
        self._books.enter(entry, movement=Movement(name=name, value=amount_minor))
