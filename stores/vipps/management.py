"""The Management API: which sales units there are, how they are set up, and orders for new ones.

Source: Vipps Management API 2.0.9, which has v1 and v2 paths. Production only. There is no way to fetch a unit's keys.
A 404 (Misconfigured) means inactive, or not linked to this partner, as well as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from stores.vipps.errors import OurDefect
from stores.vipps.exchange import Response
from stores.vipps.management_types import (
    BusinessId,
    PlacedOrder,
    PricePackage,
    ProductOrder,
    ProductOrderStatus,
    SalesUnit,
    SalesUnitName,
)
from stores.vipps.reading import LONGEST_ADDRESS, Unreadable, read_object, read_text
from stores.vipps.session import VippsSession
from stores.vipps.understanding import answer_of, list_of, unreadable

_V1 = "/management/v1"
_V2 = "/management/v2"
_MSN = re.compile(r"[0-9]{4,10}", re.ASCII)
_BUSINESS = re.compile(r"[\d-]{4,50}", re.ASCII)
_ORDER_ID = re.compile(r"[a-zA-Z0-9-]{1,50}", re.ASCII)
_KEY = re.compile(r"[a-zA-Z0-9-]{1,50}", re.ASCII)


class Management:
    """Every method raises VippsError."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def sales_units(self) -> tuple[SalesUnitName, ...]:
        """All that these keys may see; for a partner only those linked to it."""
        return self._units("management_units", f"{_V1}/sales-units")

    def sales_units_of(self, business: BusinessId) -> tuple[SalesUnitName, ...]:
        operation = "management_merchant_units"
        return self._units(operation, f"{_merchant(operation, business)}/sales-units")

    def merchant(self, business: BusinessId) -> Mapping[str, Any]:
        """What Vipps tells of a merchant, as it is: the newer description was not found in print."""
        operation = "management_merchant"
        members, _ = answer_of(operation, self._call(operation, "GET", _merchant(operation, business)))
        return members

    def sales_unit(self, msn: str) -> SalesUnit:
        operation = "management_unit"
        if not _MSN.fullmatch(msn):
            raise OurDefect(operation, detail="an MSN is 4 to 10 digits")
        response = self._call(operation, "GET", f"{_V1}/sales-units/{msn}")
        members, trace_id = answer_of(operation, response)
        try:
            configuration = members.get("configuration")
            return SalesUnit(
                msn=_read_msn(members),
                name=read_text(members, "name"),
                configuration={} if configuration is None else read_object(configuration),
                trace_id=trace_id,
            )
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def price_packages(self) -> tuple[PricePackage, ...]:
        operation = "management_packages"
        response = self._call(operation, "GET", f"{_V1}/partners/price-packages")
        try:
            entries = [read_object(entry) for entry in list_of(operation, response)]
            return tuple(
                PricePackage(package_id=read_text(entry, "pricePackageId"), name=read_text(entry, "name")) for entry in entries
            )
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def place_order(self, order: ProductOrder, *, idempotency_key: str) -> PlacedOrder:
        """Prefills an order for a new unit, which the merchant then signs at the answer's address within 14 days."""
        operation = "management_order"
        if not _KEY.fullmatch(idempotency_key):
            raise OurDefect(operation, detail="an idempotency key is 1 to 50 letters, digits and hyphens")
        body = {
            "businessIdentifier": {"scheme": order.business.scheme, "id": order.business.id},
            "productType": order.product_type,
            **({"salesUnitName": order.sales_unit_name} if order.sales_unit_name else {}),
            **({"productUseCase": order.use_case} if order.use_case else {}),
            **({"intendedPurpose": order.purpose} if order.purpose else {}),
            **({"pricePackageId": order.price_package_id} if order.price_package_id else {}),
        }
        response = self._call(operation, "POST", f"{_V1}/product-orders", body=body, idempotency_key=idempotency_key)
        members, trace_id = answer_of(operation, response)
        try:
            return PlacedOrder(
                order_id=read_text(members, "prefilledOrderId"),
                url=read_text(members, "prefillUrl", longest=LONGEST_ADDRESS),
                trace_id=trace_id,
            )
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def delete_order(self, order_id: str) -> None:
        operation = "management_order_delete"
        self._call(operation, "DELETE", f"{_V1}/product-orders/{_order(operation, order_id)}")

    def orders(self) -> tuple[ProductOrderStatus, ...]:
        operation = "management_orders"
        response = self._call(operation, "GET", f"{_V2}/product-orders")
        try:
            return tuple(_read_order(entry) for entry in list_of(operation, response))
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def order(self, order_id: str) -> ProductOrderStatus:
        operation = "management_order_details"
        path = f"{_V2}/product-orders/{_order(operation, order_id)}/details"
        response = self._call(operation, "GET", path)
        members, _ = answer_of(operation, response)
        try:
            return _read_order(members)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def _units(self, operation: str, path: str) -> tuple[SalesUnitName, ...]:
        response = self._call(operation, "GET", path)
        try:
            entries = [read_object(entry) for entry in list_of(operation, response)]
            return tuple(SalesUnitName(msn=_read_msn(entry), name=read_text(entry, "name")) for entry in entries)
        except Unreadable as error:
            raise unreadable(operation, response, error) from None

    def _call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Response:
        return self._session.call(
            operation, method, path, body=body, idempotency_key=idempotency_key, needs_unit=False
        )


def _merchant(operation: str, business: BusinessId) -> str:
    if not _BUSINESS.fullmatch(business.id):
        raise OurDefect(operation, detail="a business id is 4 to 50 digits and hyphens")
    return f"{_V1}/merchants/{quote(business.scheme, safe=':')}/{business.id}"


def _order(operation: str, order_id: str) -> str:
    if not _ORDER_ID.fullmatch(order_id):
        raise OurDefect(operation, detail="a product order's id is letters, digits and hyphens")
    return order_id


def _read_msn(members: dict[str, Any]) -> str:
    """Printed as a number in lists and as a text in details."""
    msn = members.get("msn")
    text = str(msn) if type(msn) is int else msn
    if not isinstance(text, str) or not _MSN.fullmatch(text):
        raise Unreadable("msn is not an MSN")
    return text


def _read_order(entry: object) -> ProductOrderStatus:
    members = read_object(entry)
    unit = members.get("salesUnit")
    return ProductOrderStatus(
        order_id=read_text(members, "prefilledOrderId"),
        status=read_text(members, "status" if "status" in members else "prefillStatus"),
        msn=None if unit is None else _read_msn(read_object(unit)),
    )
