"""Vipps over one payment, in memory: its rules for keys and sums, its answers as the gateway would read them."""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from refunds.gateway import Meaning, Outcome
from stores.vipps.types import Aggregate, Amount, Event, Payment
from tests.faults.schedules.memory.rows import CURRENCY, REFERENCE


@dataclass(frozen=True, kw_only=True)
class Known:
    """What was answered under a key; no refusal: it was refunded, and the sum was `refunded_minor` then."""

    amount_minor: int
    at: datetime
    refusal: str = ""
    refunded_minor: int = 0


@dataclass(kw_only=True)
class Vipps:
    """The judge: `events` is what really happened."""

    captured_minor: int
    dice: random.Random
    is_sticky: bool
    keeps_keys: timedelta | None
    events: list[Event] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)

    @property
    def refunded_minor(self) -> int:
        return sum(event.amount.value for event in self.events if event.success)

    def refund(self, key: str, amount_minor: int, expected_minor: int, now: datetime, *, refusal: str = "") -> Outcome:
        """One request that arrives; `refusal` is what Vipps is told to say no with."""
        known = self.known.get(key)
        if known is not None and self.keeps_keys is not None and now - known.at > self.keeps_keys:
            known = None
        if known is not None:
            if known.amount_minor != amount_minor:
                return Outcome(meaning=Meaning.CONFLICT, status=409, code="4150")
            return self._answer(known, expected_minor)
        if not refusal and amount_minor > self.captured_minor - self.refunded_minor:
            refusal = "6150"
        if not refusal:
            self._enter(amount_minor, key, now, success=True)
        answer = Known(amount_minor=amount_minor, at=now, refusal=refusal, refunded_minor=self.refunded_minor)
        if not refusal or self.is_sticky:
            self.known[key] = answer
        return self._answer(answer, expected_minor)

    def fail(self, key: str, amount_minor: int, expected_minor: int, now: datetime) -> Outcome:
        """Accepted, and then the event says that it failed. Not beside a portal refund: a sum that lagged before the call
        and holds the portal's money after it says that ours moved, and only the nightly comparison can tell."""
        if key in self.known or any(event.idempotency_key is None for event in self.events):
            return self.refund(key, amount_minor, expected_minor, now)
        self._enter(amount_minor, key, now, success=False)
        self.known[key] = Known(amount_minor=amount_minor, at=now, refunded_minor=self.refunded_minor)
        return self._answer(self.known[key], expected_minor)

    def portal(self, amount_minor: int, now: datetime) -> None:
        has_failed = any(not event.success for event in self.events)
        if not has_failed and amount_minor <= self.captured_minor - self.refunded_minor:
            self._enter(amount_minor, None, now, success=True)

    def payment(self, *, until: datetime | None = None) -> Payment:
        """`until`: sums that know nothing of what came later."""
        refunded = sum(e.amount.value for e in self.events if e.success and (until is None or e.timestamp <= until))
        amount = Amount(currency=CURRENCY, value=self.captured_minor)
        sums = Aggregate(
            authorized=amount.value, cancelled=0, captured=amount.value, refunded=refunded, currency=CURRENCY
        )
        return Payment(
            reference=REFERENCE, psp_reference="1", state="AUTHORIZED", amount=amount, aggregate=sums, metadata={}
        )

    def log(self, *, until: datetime | None = None, with_keys: bool = True) -> tuple[Event, ...]:
        seen = [event for event in self.events if until is None or event.timestamp <= until]
        return tuple(event if with_keys else replace(event, idempotency_key=None) for event in seen)

    def _answer(self, known: Known, expected_minor: int) -> Outcome:
        if known.refusal:
            return Outcome(meaning=Meaning.REFUSED, status=400, code=known.refusal)
        if known.refunded_minor == expected_minor:
            return Outcome(meaning=Meaning.SUCCESS, status=200)
        return Outcome(meaning=Meaning.AHEAD if known.refunded_minor > expected_minor else Meaning.LAGGING, status=200)

    def _enter(self, amount_minor: int, key: str | None, now: datetime, *, success: bool) -> None:
        self.events.append(
            Event(
                reference=REFERENCE,
                psp_reference=str(len(self.events) + 2),
                name="REFUNDED",
                amount=Amount(currency=CURRENCY, value=amount_minor),
                timestamp=now,
                idempotency_key=key,
                success=success,
            )
        )
