"""Order Management v2: receipts, categories, and reading them back. Operations: post_receipt, put_category, get_order.

Source: Vipps Order Management API. Lower-case payment types are taken as well, as the guide writes them.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from stores.vipps.simulator.access import Access, Caller, Denied
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.forms import BadForm, read_body, read_text, refuse_unknown
from stores.vipps.simulator.order_links import CATEGORIES
from stores.vipps.simulator.orders import OrderBook, OrderKey
from stores.vipps.simulator.problems import gateway
from stores.vipps.simulator.receipts import check_receipt
from stores.vipps.simulator.side_door import SideDoor, refusal
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.wire import Call, Reply, json_reply

_PATH = re.compile(
    r"/order-management/v2/(ECOM|RECURRING)/(?:(receipts|categories)/)?([0-9A-Za-z\-_.]+)", re.ASCII | re.IGNORECASE
)
_OPERATIONS = {("POST", "receipts"): "post_receipt", ("PUT", "categories"): "put_category", ("GET", None): "get_order"}


class OrderManagementApi:
    def __init__(self, *, orders: OrderBook, access: Access, door: SideDoor, clock: VirtualClock, switches: Switches) -> None:
        self._orders = orders
        self._access = access
        self._door = door
        self._clock = clock
        self._switches = switches

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        found = _PATH.fullmatch(call.path)
        operation = _OPERATIONS.get((call.method, found[2])) if found else None
        if found is None or operation is None:
            return None
        if self._switches.environment == "test" and not self._switches.order_management_in_test:
            return gateway(404, "Resource not found")
        payment_type, order_id = found[1].upper(), found[3]
        return self._door.answer(
            call,
            lambda: self._do(call, operation, payment_type, order_id),
            api="orders",
            operation=operation,
            reference=order_id,
        )

    def _do(self, call: Call, operation: str, payment_type: str, order_id: str) -> Reply:
        caller = self._access.check(call.headers, now=self._clock.now())
        if isinstance(caller, Denied):
            return caller.reply
        key = _key(caller, payment_type, order_id)
        try:
            if operation == "post_receipt":
                return self._post_receipt(call, key)
            return self._put_category(call, key) if operation == "put_category" else self._get(call, key)
        except BadForm as error:
            return refusal(400, error.reason, path=call.path, fields=((error.name, error.reason),), content_type=_JSON)

    def _post_receipt(self, call: Call, key: OrderKey) -> Reply:
        if not self._orders.post_receipt(key, check_receipt(read_body(call.body))):
            return refusal(409, "The order already has a receipt.", path=call.path, content_type=_JSON)
        return json_reply(key.id, status=201)

    def _put_category(self, call: Call, key: OrderKey) -> Reply:
        members = read_body(call.body)
        refuse_unknown(members, frozenset({"category", "orderDetailsUrl", "imageId"}))
        if members.get("category") not in CATEGORIES:
            raise BadForm("category", f"The value must be one of {', '.join(CATEGORIES)}.")
        if urlsplit(read_text(members, "orderDetailsUrl", longest=2500)).scheme not in ("http", "https"):
            raise BadForm("orderDetailsUrl", "The value is not a URL.")
        self._orders.put_category(key, members)
        return json_reply(key.id)

    def _get(self, call: Call, key: OrderKey) -> Reply:
        view = self._orders.view(key)
        if view is None:
            return refusal(404, "The order was not found.", path=call.path, content_type=_JSON)
        return json_reply(view)


_JSON = "application/json"


def _key(caller: Caller, payment_type: str, order_id: str) -> OrderKey:
    return OrderKey(msn=caller.unit.msn, payment_type=payment_type, id=order_id)
