"""The Order Management API: receipts and links that the customer sees with a payment, and the way to read them back.

Source: Vipps Order Management API v2 and v3, OpenAPI description and guide. It never checks that the payment exists:
a mistyped id succeeds silently. A receipt is posted once and never changed; a second one is a KeyConflict (409).
"""

from __future__ import annotations

import base64
import re
import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from stores.vipps.errors import OurDefect
from stores.vipps.reading import LONGEST_ADDRESS, Unreadable, read_object, read_text
from stores.vipps.receipts import Receipt, read_receipt, receipt_body
from stores.vipps.session import VippsSession
from stores.vipps.understanding import answer_of, unreadable

_API = "/order-management"
_NAME = re.compile(r"[0-9A-Za-z_.-]+", re.ASCII)
_LONGEST_ID = 128
_LARGEST_IMAGE = 2 * 1024 * 1024


class Kind(StrEnum):
    """What a category's link is about; a customer sees one per payment."""

    GENERAL = "GENERAL"
    RECEIPT = "RECEIPT"
    ORDER_CONFIRMATION = "ORDER_CONFIRMATION"
    DELIVERY = "DELIVERY"
    TICKET = "TICKET"
    BOOKING = "BOOKING"


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """A link shown with a payment. `category_id` only where the v3 API made it."""

    kind: str
    url: str
    image_id: str | None = None
    category_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderDetails:
    """What was posted for a payment; both are None where nobody has."""

    category: Category | None
    receipt: Receipt | None
    trace_id: str | None = None


class OrderManagement:
    """For payments of ePayment and eCom alike (Vipps calls both ECOM). Every method raises VippsError."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def post_receipt(self, order_id: str, receipt: Receipt) -> None:
        operation = "orders_receipt"
        path = f"{_API}/v2/ECOM/receipts/{_name(operation, order_id)}"
        self._session.call(operation, "POST", path, body=receipt_body(receipt))

    def put_category(self, order_id: str, category: Category) -> None:
        """Replaces whatever link was shown before."""
        operation = "orders_category"
        path = f"{_API}/v2/ECOM/categories/{_name(operation, order_id)}"
        body = {"category": category.kind, "orderDetailsUrl": category.url, **_image(operation, category)}
        self._session.call(operation, "PUT", path, body=body)

    def get_order(self, order_id: str) -> OrderDetails:
        """The only way to read order lines, those given at create included."""
        operation = "orders_get"
        response = self._session.call(operation, "GET", f"{_API}/v2/ECOM/{_name(operation, order_id)}")
        members, trace_id = answer_of(operation, response)
        try:
            category, receipt = members.get("category"), members.get("receipt")
            return OrderDetails(
                category=None if category is None else _read_category(category),
                receipt=None if receipt is None else read_receipt(receipt),
                trace_id=trace_id,
            )
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def post_image(self, image_id: str, content: bytes) -> str:
        """Keeps a PNG or JPEG of at most 2 MB under an id that cannot be used again; returns the id."""
        operation = "orders_image"
        if len(content) > _LARGEST_IMAGE:
            raise OurDefect(operation, detail="an image has at most 2 MB")
        body = {
            "imageId": _name(operation, image_id),
            "src": base64.b64encode(content).decode(),
            "type": "base64",
        }
        response = self._session.call(operation, "POST", f"{_API}/v1/images", body=body)
        members, _ = answer_of(operation, response)
        try:
            return read_text(members, "imageId")
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def add_category(self, order_id: str, category: Category) -> str:
        """Adds a link through v3; returns its id."""
        operation = "orders_category_add"
        body = {
            "orderId": _name(operation, order_id),
            "paymentType": "ECOM",
            "type": category.kind,
            "url": category.url,
            **_image(operation, category),
        }
        response = self._session.call(operation, "POST", f"{_API}/v3/categories", body=body)
        members, _ = answer_of(operation, response)
        try:
            return read_text(members, "categoryId")
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def categories(self, order_id: str) -> tuple[Category, ...]:
        operation = "orders_categories"
        path = f"{_API}/v3/categories?orderId={_name(operation, order_id)}"
        response = self._session.call(operation, "GET", path)
        members, _ = answer_of(operation, response)
        try:
            entries = members.get("categories")
            if not isinstance(entries, list):
                raise Unreadable("categories is not a list")
            return tuple(_read_category(entry) for entry in entries)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def delete_category(self, category_id: str) -> None:
        operation = "orders_category_delete"
        try:
            name = str(uuid.UUID(category_id))
        except ValueError:
            raise OurDefect(operation, detail="a category's id is a UUID") from None
        self._session.call(operation, "DELETE", f"{_API}/v3/categories/{name}")


def _name(operation: str, text: str) -> str:
    if not _NAME.fullmatch(text) or len(text) > _LONGEST_ID or not text.strip("."):
        raise OurDefect(operation, detail="an id is letters, digits, hyphens, underscores and dots")
    return text


def _image(operation: str, category: Category) -> dict[str, str]:
    return {} if category.image_id is None else {"imageId": _name(operation, category.image_id)}


def _read_category(value: object) -> Category:
    members: dict[str, Any] = read_object(value)
    is_newer = "type" in members
    image_id = members.get("imageId")
    return Category(
        kind=read_text(members, "type" if is_newer else "category"),
        url=read_text(members, "url" if is_newer else "orderDetailsUrl", longest=LONGEST_ADDRESS),
        image_id=image_id if isinstance(image_id, str) else None,
        category_id=read_text(members, "categoryId") if is_newer else None,
    )
