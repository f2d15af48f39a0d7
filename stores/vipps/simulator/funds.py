"""The money of each sales unit as its settlement sees it: what came in, what went out, and what Vipps took for it.

Source: Vipps Report API, entry types. Refunds carry no fee; the size of a capture's fee is the simulator's own.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Topic = Literal["funds", "fees"]
FEE_BASIS_POINTS = 175
_KINDS = {"CAPTURED": "capture", "REFUNDED": "refund"}


class FundsEntry(NamedTuple):
    """`amount` is signed, in minor units: refunds, fees and payouts are negative. `psp` also gives the order."""

    psp: int
    msn: str
    at: float
    kind: str
    reference: str
    currency: str
    amount: int


class FundsBook:
    def __init__(self) -> None:
        self._entries: dict[Topic, dict[str, list[FundsEntry]]] = {"funds": {}, "fees": {}}
        self._balances: dict[tuple[Topic, str], int] = {}

    def note(self, msn: str, name: str, value: int, *, psp: int, at: float, reference: str, currency: str) -> None:
        """What a payment's event means for the money; a negative refund is one that failed after all."""
        kind = _KINDS.get(name)
        if kind is None or not value:
            return
        if kind == "refund" and value < 0:
            kind = "correction"
        amount = value if kind == "capture" else -value
        self.add("funds", FundsEntry(psp, msn, at, kind, reference, currency, amount))
        if kind == "capture":
            fee = -(value * FEE_BASIS_POINTS // 10_000)
            self.add("fees", FundsEntry(psp, msn, at, "capture-fee", reference, currency, fee))

    def add(self, topic: Topic, entry: FundsEntry) -> None:
        self._entries[topic].setdefault(entry.msn, []).append(entry)
        self._balances[(topic, entry.msn)] = self.balance(entry.msn, topic) + entry.amount

    def balance(self, msn: str, topic: Topic = "funds") -> int:
        """What a payout would be made of, in minor units."""
        return self._balances.get((topic, msn), 0)

    def entries(self, topic: Topic, msns: frozenset[str]) -> list[FundsEntry]:
        """Of these sales units, in the order in which they were booked."""
        found = [entry for msn in sorted(msns) for entry in self._entries[topic].get(msn, [])]
        return sorted(found) if len(msns) > 1 else found
