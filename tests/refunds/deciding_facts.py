"""Facts for the pure decisions: a refund of 250,00 kr that was sent once an hour ago, and Vipps' log as one likes it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from refunds.deciding import Books, Reading, Sent, Standing, Step
from refunds.states import Move
from stores.vipps.types import Aggregate, Amount, Event, Payment

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
KEY, NEXT_KEY = "rh1-0", "rh1-1"
Expected = tuple[Move, dict[str, Any]] | None


def sent(ago: timedelta = HOUR, *, generation: int = 0, is_clear: bool = False) -> Sent:
    key = (KEY, NEXT_KEY)[generation]
    return Sent(key=key, generation=generation, intended_at=NOW - ago, is_clear=is_clear)


def standing(**more: Any) -> Standing:
    facts: dict[str, Any] = {
        "amount_minor": 25_000,
        "currency": "NOK",
        "sends": 1,
        "generation": 0,
        "soft_refusals": 0,
        "verdict": "",
        "outcome": "unsure",
        "provider_code": "",
        "unresolved_since": NOW - HOUR,
        "fence": 1,
        "past": (sent(),),
        "keys": frozenset({KEY, NEXT_KEY}),
    }
    return Standing(**{**facts, **more})


NEW = standing(sends=0, past=(), unresolved_since=None, outcome="")


def event(amount: int = 25_000, **more: Any) -> Event:
    """A refund in Vipps' log, with our key, half an hour ago."""
    facts: dict[str, Any] = {
        "reference": "BGO-20261101-7741",
        "psp_reference": "psp-1",
        "name": "REFUNDED",
        "amount": Amount(currency=more.pop("currency", "NOK"), value=amount),
        "timestamp": NOW - HOUR / 2,
        "idempotency_key": KEY,
        "success": True,
    }
    return Event(**{**facts, **more})


def reading(*events: Event, refunded: int = 0, captured: int = 100_000, currency: str = "NOK") -> Reading:
    money = Amount(currency="NOK", value=100_000)
    sums = {"authorized": 100_000, "cancelled": 0, "captured": captured, "refunded": refunded}
    payment = Payment(
        reference="BGO-20261101-7741",
        psp_reference="psp-0",
        state="AUTHORIZED",
        amount=money,
        aggregate=Aggregate(currency=currency, **sums),
        metadata={},
    )
    return Reading(payment=payment, events=events)


def books(posted: int = 0, external: int = 0, reserved: int = 25_000, *, on_hold: bool = False) -> Books:
    return Books(posted_minor=posted, external_minor=external, reserved_minor=reserved, on_hold=on_hold)


def told(step: Step | None) -> Expected:
    """The move and its columns; every step says why."""
    if step is None:
        return None
    assert step.because
    return step.move, dict(step.changes)


def soon(seconds: float) -> dict[str, Any]:
    return {"next_action_at": NOW + timedelta(seconds=seconds)}
