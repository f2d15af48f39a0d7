"""Prefilled product orders: what a partner has prepared for a merchant to sign.

Source: Vipps Management API, product orders. The link to sign ends after 14 days.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from stores.vipps.simulator.books import Books
from stores.vipps.simulator.forms import BadForm, read_object

# The names of today and those of the 2023 description.
PRODUCTS = (
    *("PAYMENT_INTEGRATION", "CASHIER", "CHECKOUT", "LOGIN", "DONATIONS"),
    *("VIPPS_PA_NETT", "VIPPS_LOGG_INN", "VIPPS_CHECKOUT", "VIPPS_I_KASSA"),
)
SCHEMES = {"business:NO:ORG", "business:DK:CVR", "business:FI:Y-tunnus"}
LIVES_SECONDS = 14 * 86_400.0
_BUSINESS_ID = re.compile(r"[0-9-]{4,50}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductOrder:
    id: str
    owner: str
    product: str
    business: dict[str, str]
    made_at: float

    def status(self, now: float) -> str:
        return "EXPIRED" if now >= self.made_at + LIVES_SECONDS else "RECEIVED"


def check_product_order(members: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The product and whose business it is for. Raises BadForm."""
    business = read_object(members, "businessIdentifier", frozenset({"scheme", "id"}))
    if business.get("scheme") not in SCHEMES:
        raise BadForm("businessIdentifier.scheme", f"The value must be one of {', '.join(sorted(SCHEMES))}.")
    if not isinstance(business.get("id"), str) or not _BUSINESS_ID.fullmatch(business["id"]):
        raise BadForm("businessIdentifier.id", "The value is not the number of a business.")
    product = members.get("productType")
    if product not in PRODUCTS:
        raise BadForm("productType", f"The value must be one of {', '.join(PRODUCTS)}.")
    return str(product), business


class ProductOrders:
    def __init__(self, books: Books) -> None:
        self._books = books
        self._orders: dict[str, ProductOrder] = {}
        self._by_key: dict[tuple[str, str], tuple[str, str]] = {}
        books.restores("product_order", self._restore)
        books.restores("product_order_gone", lambda record: self._orders.__delitem__(record["id"]))

    def add(self, *, owner: str, key: str, digest: str, product: str, business: dict[str, str], at: float) -> ProductOrder:
        """Raises KeyError if the key was used for something else; the same again is the same order."""
        known = self._by_key.get((owner, key))
        if known is not None:
            if known[1] != digest or known[0] not in self._orders:
                raise KeyError(key)
            return self._orders[known[0]]
        source = hashlib.sha256(f"product-order/{owner}/{key}".encode()).digest()
        order = ProductOrder(
            id=str(uuid.UUID(bytes=source[:16], version=4)), owner=owner, product=product, business=business, made_at=at
        )
        record = {**asdict(order), "key": key, "digest": digest}
        self._restore(dict(record))
        self._books.keep("product_order", **record)
        return order

    def find(self, owner: str, order_id: str) -> ProductOrder | None:
        order = self._orders.get(order_id)
        return order if order is not None and order.owner == owner else None

    def of(self, owner: str) -> list[ProductOrder]:
        return [order for order in self._orders.values() if order.owner == owner]

    def remove(self, order: ProductOrder) -> None:
        del self._orders[order.id]
        self._books.keep("product_order_gone", id=order.id)

    def _restore(self, record: dict[str, Any]) -> None:
        key, digest = record.pop("key"), record.pop("digest")
        order = ProductOrder(**record)
        self._orders[order.id] = order
        self._by_key[(order.owner, key)] = (order.id, digest)
