"""What the demo's stores have sold: the n-th sale of a store is always the same, so that a set-up can go on where it was."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hq.demo.cast import Place

DAYS = 90
_WARES = (
    ("Merino base layer", "MB-210", 69_900),
    ("Shell jacket", "SJ-880", 249_900),
    ("Wool socks", "WS-031", 14_900),
    ("Head torch", "HT-400", 49_900),
    ("Steel bottle 0.7 l", "SB-070", 29_900),
    ("Day pack 24 l", "DP-024", 89_900),
    ("Trail shoes", "TS-512", 159_900),
    ("Gas stove", "GS-105", 54_900),
    ("Sleeping mat", "SM-066", 119_900),
    ("Mittens", "MI-019", 34_900),
    ("Ski wax", "SW-007", 12_900),
    ("Map 1:50 000", "MP-150", 22_900),
)
_WITH_LINES = 3  # every third sale comes with its lines


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One captured payment. `amount_minor` in minor units of the unit's currency."""

    reference: str
    amount_minor: int
    currency: str
    paid_at: datetime
    receipt_number: str
    lines: tuple[dict[str, Any], ...]

    def as_payment(self, msn: str) -> dict[str, Any]:
        """As the simulator takes it."""
        return {
            "msn": msn,
            "reference": self.reference,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "paid_at": self.paid_at.isoformat(),
        }

    def as_row(self) -> dict[str, Any]:
        """As a till sends it to the hub."""
        row = {
            "reference": self.reference,
            "amount": {"amount_minor": self.amount_minor, "currency": self.currency},
            "paid_at": self.paid_at.isoformat(),
            "receipt_number": self.receipt_number,
        }
        return {**row, "lines": list(self.lines)} if self.lines else row


def sales_of(place: Place, *, currency: str, numbers: range, now: datetime) -> Iterator[Sale]:
    """The sales with these numbers; all is fixed by store and number, but for the day, which counts from now."""
    for number in numbers:
        chance = random.Random(f"{place.code}/{number}")  # noqa: S311 - play data, nothing secret
        basket = [(*ware, chance.choice((1, 1, 1, 2, 3))) for ware in chance.sample(_WARES, chance.randint(1, 3))]
        lines = tuple(_line(name, sku, quantity, _price(price, currency)) for name, sku, price, quantity in basket)
        yield Sale(
            reference=_reference(place, number, chance),
            amount_minor=sum(line["amount_minor"] for line in lines),
            currency=currency,
            paid_at=now - timedelta(minutes=5) - timedelta(seconds=chance.randrange(DAYS * 86_400 - 600)),
            receipt_number=f"{place.number:02d}{number:06d}",
            lines=lines if number % _WITH_LINES == 0 else (),
        )


def _reference(place: Place, number: int, chance: random.Random) -> str:
    """Tills number their receipts in as many ways as there are tills; these are three."""
    style = chance.randrange(3)
    if style == 0:
        return f"{place.code}-{100_000 + number}"
    if style == 1:
        return place.prefix + hashlib.sha256(f"{place.code}/{number}".encode()).hexdigest()[:12].upper()
    return f"{place.prefix}K{1 + number % 4}-{number:08d}"


def _line(name: str, sku: str, quantity: int, price_minor: int) -> dict[str, Any]:
    return {"name": name, "sku": sku, "quantity": quantity, "amount_minor": quantity * price_minor}


def _price(price_minor: int, currency: str) -> int:
    return price_minor // 10 if currency == "EUR" else price_minor
