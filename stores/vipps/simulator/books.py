"""All that the simulator knows and must not forget: one way in, which also writes the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stores.vipps.simulator.call_log import CallLog, LogEntry
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.idempotency import Remembered
from stores.vipps.simulator.journal import Journal
from stores.vipps.simulator.ledger import AUTHORIZATION_SECONDS, EventEntry, Ledger, StoredPayment
from stores.vipps.simulator.merchants import Accountant, Keys, Merchants, Partner, SalesUnit

Restore = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """An event that a call adds to its payment. At `fails_at` (Unix time) it turns out to have failed after all."""

    name: str
    value: int
    success: bool = True
    text: str = ""
    reverses: int = 0
    fails_at: float | None = None


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
    api: str = "epayment"
    is_direct: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Doubtful:
    """An accepted refund that is going to fail."""

    at: float
    payment: StoredPayment
    event: EventEntry


class Books:
    """With a `state` file, everything entered is there again after a restart, however the process ended.

    Who keeps records of their own says with `restores` how to read them back; `restore` then reads all.
    """

    def __init__(self, *, merchants: Merchants, clock: VirtualClock, state: Path | None) -> None:
        self.ledger = Ledger()
        self.log = CallLog()
        self.remembered: dict[tuple[str, ...], Remembered] = {}
        self.on_event: Callable[[StoredPayment, EventEntry], None] = lambda payment, event: None
        self._merchants = merchants
        self._clock = clock
        self._doubtful: list[_Doubtful] = []
        self._journal = Journal(state) if state is not None else None
        self._restores: dict[str, Restore] = {
            "call": self._restore_call,
            "payment": lambda record: self._seed(SeededPayment(**record)),
            "create": lambda record: self._create(record),
            "event": self._restore_event,
            "unit": lambda record: merchants.put_unit(SalesUnit(**{**record, "keys": _keys(record["keys"])})),
            "partner": lambda record: merchants.put_partner(Partner(**_keyed(record))),
            "accountant": lambda record: merchants.put_accountant(Accountant(**_keyed(record))),
            "clock": lambda record: setattr(clock, "offset", record["offset"]),
        }

    def restores(self, kind: str, restore: Restore) -> None:
        self._restores[kind] = restore

    def restore(self) -> None:
        """Raises ValueError for a record that nobody knows."""
        if self._journal is None:
            return
        tell, self.on_event = self.on_event, lambda payment, event: None
        for record in self._journal.records():
            kind = record.pop("t")
            if kind not in self._restores:
                raise ValueError(f"the state file holds an unknown record: {kind}")
            self._restores[kind](record)
        self.on_event = tell

    def keep(self, kind: str, /, **record: Any) -> None:
        """A record of somebody who said how it `restores`."""
        if self._journal is not None:
            self._journal.write({"t": kind, **record})

    def put_unit(self, unit: SalesUnit) -> None:
        self._merchants.put_unit(unit)
        self._write({"t": "unit", **asdict(unit)})

    def put_partner(self, partner: Partner) -> None:
        self._merchants.put_partner(partner)
        self._write({"t": "partner", **asdict(partner), "msns": sorted(partner.msns)})

    def put_accountant(self, accountant: Accountant) -> None:
        self._merchants.put_accountant(accountant)
        self._write({"t": "accountant", **asdict(accountant), "msns": sorted(accountant.msns)})

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

    def create(self, **told: Any) -> None:
        """A payment that a customer has yet to accept: msn, reference, currency, value, metadata, and what `Ledger` takes."""
        record = {**told, "metadata": dict(told["metadata"]), "at": self._clock.now()}
        self._create(record)
        self._write({"t": "create", **record})

    def find(self, msn: str, reference: str) -> StoredPayment | None:
        """The payment; one that the customer left waiting too long has expired by now."""
        if self._doubtful:
            self.settle_doubtful()
        payment = self.ledger.find(msn, reference)
        if payment is not None and payment.state == "CREATED":
            ends = payment.events[0].at + AUTHORIZATION_SECONDS
            if self._clock.now() >= ends:
                self.add_event(payment, Movement(name="EXPIRED", value=payment.value), at=ends)
        return payment

    def settle_doubtful(self) -> None:
        """Lets fail what was accepted and has to fail by now."""
        now = self._clock.now()
        for each in [each for each in self._doubtful if each.at <= now]:
            failed = Movement(name=each.event.name, value=each.event.value, success=False, reverses=each.event.psp)
            self.add_event(each.payment, failed, at=each.at, key=each.event.key)

    def add_event(self, payment: StoredPayment, movement: Movement, *, at: float, key: str | None = None) -> None:
        """An event that no call caused."""
        self._apply(payment, movement, at=at, key=key)
        self._write(
            {"t": "event", "msn": payment.msn, "reference": payment.reference, **asdict(movement), "at": at, "key": key}
        )

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
        if self._journal is None:
            return
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
        """What is entered from now on is not kept: a webhook may still be on its way."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

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
            self._apply(payment, movement, at=entry.time, key=entry.idempotency_key)
        if scope is not None and remembered is not None and payment is not None:
            self.remembered[scope] = replace(remembered, events=len(payment.events), at=entry.time)
        self.log.append(entry)

    def _apply(self, payment: StoredPayment, movement: Movement, *, at: float, key: str | None) -> None:
        event = self.ledger.record(
            payment,
            movement.name,
            movement.value,
            at=at,
            key=key,
            success=movement.success,
            text=movement.text,
            reverses=movement.reverses,
        )
        if movement.fails_at is not None:
            self._doubtful.append(_Doubtful(at=movement.fails_at, payment=payment, event=event))
        if movement.reverses:
            self._doubtful = [each for each in self._doubtful if each.event.psp != movement.reverses]
        self.on_event(payment, event)

    def _create(self, told: dict[str, Any]) -> None:
        payment = self.ledger.create(**told)
        self.on_event(payment, payment.events[0])

    def _seed(self, seeded: SeededPayment) -> None:
        payment = self.ledger.create(
            msn=seeded.msn,
            reference=seeded.reference,
            currency=seeded.currency,
            value=seeded.amount_minor,
            metadata=seeded.metadata,
            at=seeded.paid_at,
            api=seeded.api,
            is_direct=seeded.is_direct,
        )
        for name, value in (
            ("AUTHORIZED", seeded.amount_minor),
            ("CAPTURED", seeded.captured_minor),
            ("REFUNDED", seeded.refunded_minor),
        ):
            if value:
                self.ledger.record(payment, name, value, at=seeded.paid_at)

    def _restore_call(self, record: dict[str, Any]) -> None:
        movement = Movement(**record["movement"]) if record["movement"] else None
        scope = tuple(record["scope"]) if record["scope"] else None
        remembered = Remembered(**record["remembered"]) if record["remembered"] else None
        self._apply_call(LogEntry(**record["entry"]), movement, scope, remembered)

    def _restore_event(self, record: dict[str, Any]) -> None:
        payment = self.ledger.payments[(record.pop("msn"), record.pop("reference"))]
        at, key = record.pop("at"), record.pop("key")
        self._apply(payment, Movement(**record), at=at, key=key)


def _keyed(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "keys": _keys(record["keys"]), "msns": frozenset(record["msns"])}


def _keys(record: dict[str, Any]) -> Keys:
    return Keys(**{**record, "subscription_keys": tuple(record["subscription_keys"])})
