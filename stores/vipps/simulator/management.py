"""Management v1 (and v2's reading of product orders): merchants, sales units, price packages, product orders.

Operations: merchant, merchant_units, sales_units, sales_unit, price_packages, make_product_order, drop_product_order,
product_orders, product_order. Source: Vipps Management API. 404 means inactive or not linked, not only unknown.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stores.vipps.simulator.access import Access, Denied
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.forms import BadForm, read_body
from stores.vipps.simulator.merchants import Holder, HolderKind, Merchants, SalesUnit
from stores.vipps.simulator.problems import gateway
from stores.vipps.simulator.product_orders import ProductOrders, check_product_order
from stores.vipps.simulator.side_door import SideDoor, refusal
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.wire import UTF8_JSON, Call, Reply, json_reply

_ROOT = "/management"
_ID = r"([0-9a-zA-Z:.-]{1,60})"
_PLACES = {
    "price_packages": ("GET", rf"{_ROOT}/v1/partners/price-packages"),
    "merchant_units": ("GET", rf"{_ROOT}/v1/merchants/{_ID}/{_ID}/sales-units"),
    "merchant": ("GET", rf"{_ROOT}/v1/merchants/{_ID}/{_ID}"),
    "sales_units": ("GET", rf"{_ROOT}/v1/sales-units"),
    "sales_unit": ("GET", rf"{_ROOT}/v1/sales-units/([0-9]+)"),
    "make_product_order": ("POST", rf"{_ROOT}/v1/product-orders"),
    "drop_product_order": ("DELETE", rf"{_ROOT}/v1/product-orders/{_ID}"),
    "product_orders": ("GET", rf"{_ROOT}/v2/product-orders"),
    "product_order": ("GET", rf"{_ROOT}/v2/product-orders/{_ID}/details"),
}
_MATCHERS = {name: (method, re.compile(pattern, re.ASCII)) for name, (method, pattern) in _PLACES.items()}
_KEY = re.compile(r"[a-zA-Z0-9-]{1,50}", re.ASCII)


class ManagementApi:
    def __init__(
        self,
        *,
        merchants: Merchants,
        orders: ProductOrders,
        access: Access,
        door: SideDoor,
        clock: VirtualClock,
        switches: Switches,
    ) -> None:
        self._merchants = merchants
        self._orders = orders
        self._access = access
        self._door = door
        self._clock = clock
        self._switches = switches
        self._doors: dict[str, Callable[[Call, Holder, tuple[str, ...]], Reply]] = {
            "price_packages": lambda call, holder, parts: json_reply(_PRICE_PACKAGES),
            "merchant_units": self._merchant_units,
            "merchant": self._merchant,
            "sales_units": lambda call, holder, parts: json_reply(self._listed(self._units(holder))),
            "sales_unit": self._sales_unit,
            "make_product_order": self._make_order,
            "drop_product_order": self._drop_order,
            "product_orders": self._list_orders,
            "product_order": self._show_order,
        }

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        matched = _match(call)
        if matched is None or self._switches.environment == "test":
            return None
        operation, parts = matched
        return self._door.answer(call, lambda: self._do(call, operation, parts), api="management", operation=operation)

    def _do(self, call: Call, operation: str, parts: tuple[str, ...]) -> Reply:
        takes_special = self._switches.special_tokens_for_management
        holder = self._access.identify(call.headers, now=self._clock.now(), takes_special=takes_special)
        if isinstance(holder, Denied):
            return holder.reply
        if holder.kind is HolderKind.ACCOUNTANT:
            return gateway(403, "Accounting keys cannot be used with this API.")
        try:
            reply = self._doors[operation](call, holder, parts)
            return replace(reply, content_type=UTF8_JSON) if reply.status == 200 else reply
        except BadForm as error:
            return refusal(400, error.reason, path=call.path, fields=((error.name, error.reason),))

    def _units(self, holder: Holder) -> list[SalesUnit]:
        return self._merchants.active_units(holder.msns)

    def _listed(self, units: list[SalesUnit]) -> list[dict[str, Any]]:
        as_number = self._switches.msn_in_lists == "number"
        return [{"msn": int(unit.msn) if as_number else unit.msn, "name": unit.name} for unit in units]

    def _sales_unit(self, call: Call, holder: Holder, parts: tuple[str, ...]) -> Reply:
        unit = next((unit for unit in self._units(holder) if unit.msn == parts[0]), None)
        if unit is None:
            return refusal(404, "The sales unit was not found.", path=call.path)
        return json_reply(_detail(unit))

    def _merchant(self, call: Call, holder: Holder, parts: tuple[str, ...]) -> Reply:
        found = self._of_business(holder, parts)
        if not found:
            return refusal(404, "The merchant was not found.", path=call.path)
        identifier = {"scheme": parts[0], "id": parts[1]}
        return json_reply({"businessIdentifier": identifier, "name": f"Business {parts[1]}", "status": "ACTIVE"})

    def _merchant_units(self, call: Call, holder: Holder, parts: tuple[str, ...]) -> Reply:
        found = self._of_business(holder, parts)
        if not found:
            return refusal(404, "The merchant was not found.", path=call.path)
        return json_reply(self._listed(found))

    def _of_business(self, holder: Holder, parts: tuple[str, ...]) -> list[SalesUnit]:
        is_norwegian = parts[0] == "business:NO:ORG"
        return [unit for unit in self._units(holder) if is_norwegian and unit.business == parts[1]]

    def _make_order(self, call: Call, holder: Holder, parts: tuple[str, ...]) -> Reply:
        key = call.headers.get("idempotency-key", "")
        if not _KEY.fullmatch(key):
            raise BadForm("Idempotency-Key", "The header is required: 1 to 50 letters, digits and hyphens.")
        members = read_body(call.body)
        product, business = check_product_order(members)
        digest = hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()
        now = self._clock.now()
        try:
            made = self._orders.add(owner=holder.name, key=key, digest=digest, product=product, business=business, at=now)
        except KeyError:
            return refusal(409, "The idempotency key was used for another request.", path=call.path)
        url = f"https://portal.invalid/prefill/{made.id}"
        return json_reply({"prefilledOrderId": made.id, "prefillUrl": url}, status=201)

    def _drop_order(self, call: Call, holder: Holder, parts: tuple[str, ...]) -> Reply:
        order = self._orders.find(holder.name, parts[0])
        if order is None:
            return refusal(404, "The product order was not found.", path=call.path)
        self._orders.remove(order)
        return Reply()

    def _list_orders(self, call: Call, holder: Holder, parts: tuple[str, ...]) -> Reply:
        now = self._clock.now()
        found = self._orders.of(holder.name)
        return json_reply([{"prefilledOrderId": order.id, "status": order.status(now)} for order in found])

    def _show_order(self, call: Call, holder: Holder, parts: tuple[str, ...]) -> Reply:
        order = self._orders.find(holder.name, parts[0])
        if order is None:
            return refusal(404, "The product order was not found.", path=call.path)
        view = {"prefilledOrderId": order.id, "status": order.status(self._clock.now()), "productType": order.product}
        return json_reply({**view, "businessIdentifier": order.business})


def _match(call: Call) -> tuple[str, tuple[str, ...]] | None:
    for operation, (method, pattern) in _MATCHERS.items():
        found = pattern.fullmatch(call.path) if method == call.method else None
        if found is not None:
            return operation, found.groups()
    return None


_PRICE_PACKAGES = [{"pricePackageId": "81b83246-5c19-4b94-875b-ea6d1114f099", "name": "Standard", "visibleInSignupForm": True}]


def _detail(unit: SalesUnit) -> dict[str, Any]:
    return {
        "msn": unit.msn,
        "name": unit.name,
        "businessIdentifier": {"scheme": "business:NO:ORG", "id": unit.business},
        "configuration": {
            "paymentAllowed": True,
            "captureType": "DirectCapture" if unit.captures_directly else "ReserveCapture",
            "skipLandingPageAllowed": unit.allows_skip_landing_page,
            "recurringAllowed": False,
            "partialCaptureAllowed": unit.allows_partial_capture,
        },
    }
