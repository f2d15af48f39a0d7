"""All that the simulator knows and must not forget: one way in, which also writes the journal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stores.vipps.simulator.call_log import CallLog, LogEntry
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.idempotency import Remembered
from stores.vipps.simulator.journal import Journal
from stores.vipps.simulator.ledger import AUTHORIZATION_SECONDS, Ledger, StoredPayment
from stores.vipps.simulator.merchants import Keys, Merchants, Partner, SalesUnit


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """An event that a call adds to its payment."""

    name: str
    value: int
    success: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class SeededPayment:
    """A payment that is there from the start: authorized and, up to `captured_minor`, captured at `paid_at`."""

    msn: str
    reference: str
    amount_minor: int
    captured_minor: int
    refunded_minor: int
    currency: str
    paid_at: float
    metadata: Mapping[str, str]


class Books:
    """With a `state` file, everything entered is there again after a restart, however the process ended."""

    def __init__(self, *, merchants: Merchants, clock: VirtualClock, state: Path | None) -> None:
        self.ledger = Ledger()
        self.log = CallLog()
        self.remembered: dict[tuple[str, ...], Remembered] = {}
        self._merchants = merchants
        self._clock = clock
        self._journal = Journal(state) if state is not None else None
        if self._journal is not None:
            for record in self._journal.records():
                self._restore(record)

    def put_unit(self, unit: SalesUnit) -> None:
        self._merchants.put_unit(unit)
        self._write({"t": "unit", **asdict(unit)})

    def put_partner(self, partner: Partner) -> None:
        self._merchants.put_partner(partner)
        self._write({"t": "partner", **asdict(partner), "msns": sorted(partner.msns)})

    def move_clock(self, seconds: float) -> float:
        now = self._clock.move(seconds)
        self._write({"t": "clock", "offset": self._clock.offset})
        return now

    def add_payments(self, payments: Iterable[SeededPayment]) -> int:
        """How many were new; a payment that is already there stays as it is."""
        fresh = []
        for payment in payments:
            if self.ledger.find(payment.msn, payment.reference) is None:
                self._seed(payment)
                fresh.append({"t": "payment", **asdict(payment)})
        self._write(*fresh)
        return len(fresh)

    def create(self, *, msn: str, reference: str, currency: str, value: int, metadata: Mapping[str, str]) -> None:
        at = self._clock.now()
        self.ledger.create(msn=msn, reference=reference, currency=currency, value=value, metadata=metadata, at=at)
        self._write(
            {
                "t": "create",
                "msn": msn,
                "reference": reference,
                "currency": currency,
                "value": value,
                "metadata": dict(metadata),
                "at": at,
            }
        )

    def find(self, msn: str, reference: str) -> StoredPayment | None:
        """The payment; one that the customer left waiting too long has expired by now."""
        payment = self.ledger.find(msn, reference)
        if payment is not None and payment.state == "CREATED":
            ends = payment.events[0].at + AUTHORIZATION_SECONDS
            if self._clock.now() >= ends:
                self.add_event(payment, Movement(name="EXPIRED", value=payment.value), at=ends)
        return payment

    def add_event(self, payment: StoredPayment, movement: Movement, *, at: float) -> None:
        """An event that no call caused."""
        self.ledger.record(payment, movement.name, movement.value, at=at, success=movement.success)
        self._write({"t": "event", "msn": payment.msn, "reference": payment.reference, **asdict(movement), "at": at})

    def enter(
        self,
        entry: LogEntry,
        *,
        movement: Movement | None = None,
        scope: tuple[str, ...] | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        """One received modification with all that it changes; with `scope` its outcome is kept under its key."""
        self._apply_call(entry, movement, scope, remembered)
        self._write(
            {
                "t": "call",
                "entry": asdict(entry),
                "movement": asdict(movement) if movement else None,
                "scope": scope,
                "remembered": asdict(remembered) if scope and remembered else None,
            }
        )

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def _write(self, *records: dict[str, Any]) -> None:
        if self._journal is not None and records:
            self._journal.write(*records)

    def _apply_call(
        self,
        entry: LogEntry,
        movement: Movement | None,
        scope: tuple[str, ...] | None,
        remembered: Remembered | None,
    ) -> None:
        payment = self.ledger.find(entry.msn, entry.reference)
        if movement is not None and payment is not None:
            self.ledger.record(
                payment,
                movement.name,
                movement.value,
                at=entry.time,
                key=entry.idempotency_key,
                success=movement.success,
            )
        if scope is not None and remembered is not None and payment is not None:
            self.remembered[scope] = replace(remembered, events=len(payment.events))
        self.log.append(entry)

    def _seed(self, seeded: SeededPayment) -> None:
        payment = self.ledger.create(
            msn=seeded.msn,
            reference=seeded.reference,
            currency=seeded.currency,
            value=seeded.amount_minor,
            metadata=seeded.metadata,
            at=seeded.paid_at,
        )
        for name, value in (
            ("AUTHORIZED", seeded.amount_minor),
            ("CAPTURED", seeded.captured_minor),
            ("REFUNDED", seeded.refunded_minor),
        ):
            if value:
                self.ledger.record(payment, name, value, at=seeded.paid_at)

    def _restore(self, record: dict[str, Any]) -> None:
        kind = record.pop("t")
        if kind == "call":
            movement = Movement(**record["movement"]) if record["movement"] else None
            scope = tuple(record["scope"]) if record["scope"] else None
            remembered = Remembered(**record["remembered"]) if record["remembered"] else None
            self._apply_call(LogEntry(**record["entry"]), movement, scope, remembered)
        elif kind == "payment":
            self._seed(SeededPayment(**record))
        elif kind == "create":
            self.ledger.create(**record)
        elif kind == "event":
            payment = self.ledger.payments[(record["msn"], record["reference"])]
            self.ledger.record(payment, record["name"], record["value"], at=record["at"], success=record["success"])
        elif kind == "unit":
            self._merchants.put_unit(SalesUnit(**{**record, "keys": _keys(record["keys"])}))
        elif kind == "partner":
            self._merchants.put_partner(
                Partner(name=record["name"], keys=_keys(record["keys"]), msns=frozenset(record["msns"]))
            )
        elif kind == "clock":
            self._clock.offset = record["offset"]
        else:
            raise ValueError(f"the state file holds an unknown record: {kind}")


def _keys(record: dict[str, Any]) -> Keys:
    return Keys(**{**record, "subscription_keys": tuple(record["subscription_keys"])})
