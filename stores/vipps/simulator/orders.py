"""What order management remembers: a receipt, once, and a category per payment; it never asks whether the payment exists."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from stores.vipps.simulator.books import Books


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderKey:
    msn: str
    payment_type: str
    id: str


class OrderBook:
    def __init__(self, books: Books) -> None:
        self._books = books
        self._receipts: dict[OrderKey, dict[str, Any]] = {}
        self._categories: dict[OrderKey, dict[str, Any]] = {}
        books.restores("receipt", lambda record: self._receipts.update({OrderKey(**record["key"]): record["receipt"]}))
        books.restores("category", lambda record: self._categories.update({OrderKey(**record["key"]): record["category"]}))

    def post_receipt(self, key: OrderKey, receipt: dict[str, Any]) -> bool:
        """False if this order has one already: a receipt is posted once."""
        if key in self._receipts:
            return False
        self._receipts[key] = receipt
        self._books.keep("receipt", key=asdict(key), receipt=receipt)
        return True

    def put_category(self, key: OrderKey, category: dict[str, Any]) -> None:
        self._categories[key] = category
        self._books.keep("category", key=asdict(key), category=category)

    def view(self, key: OrderKey) -> dict[str, Any] | None:
        """None if nothing has been told about this order."""
        view = {"category": self._categories.get(key), "receipt": self._receipts.get(key)}
        found = {name: value for name, value in view.items() if value is not None}
        return found or None
