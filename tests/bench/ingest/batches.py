"""Batches of orders such as tills make, as the body of a request and as the lines of a COPY."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from stores.models import SalesUnit, Store, reference_key

COLUMNS = (
    *("public_id", "sales_unit_id", "store_id", "reference", "ref_key", "channel", "currency", "claimed_minor", "paid_at"),
    *("receipt_number", "indexed_at", "updated_at"),
)


@dataclass(frozen=True, kw_only=True)
class Sold:
    """One order."""

    reference: str
    amount_minor: int
    paid_at: datetime
    receipt_number: str


class Sales:
    """Ever new orders of one store, paid one after the other, the first so many days ago."""

    def __init__(self, store: Store, unit: SalesUnit, *, seed: int = 1, days: float = 300) -> None:
        self.store = store
        self.unit = unit
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)
        self._at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)

    def take(self, count: int) -> list[Sold]:
        return list(itertools.islice(self._sales(), count))

    def _sales(self) -> Iterator[Sold]:
        for number in self._numbers:
            self._at += timedelta(seconds=self._chance.randrange(20))
            yield Sold(
                reference=f"{self.store.code}-{self._at:%Y%m%d}-{number:07}",
                amount_minor=self._chance.randrange(1_000, 500_000),
                paid_at=self._at,
                receipt_number=f"R{number:08}",
            )


def body_of(sales: list[Sold], currency: str) -> bytes:
    """The JSON of a sync."""
    rows = [
        {
            "reference": sold.reference,
            "amount": {"amount_minor": sold.amount_minor, "currency": currency},
            "paid_at": sold.paid_at.isoformat(),
            "receipt_number": sold.receipt_number,
        }
        for sold in sales
    ]
    return json.dumps({"orders": rows}, separators=(",", ":")).encode()


def copy_lines(sales: list[Sold], store: Store, unit: SalesUnit) -> bytes:
    """The same rows as COPY takes them, every column that a sync fills."""
    now = datetime.now(UTC).isoformat()
    lines = (
        (
            *(uuid4(), unit.pk, store.pk, sold.reference, reference_key(sold.reference), "in_store", unit.currency),
            *(sold.amount_minor, sold.paid_at.isoformat(), sold.receipt_number, now, now),
        )
        for sold in sales
    )
    return "".join("\t".join(map(str, line)) + "\n" for line in lines).encode()
