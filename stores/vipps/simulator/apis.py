"""All of Vipps' APIs behind one address: each is asked whether the call is its own."""

from __future__ import annotations

import threading
from collections import Counter

from stores.vipps.simulator.access import Access
from stores.vipps.simulator.books import Books
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.ecom.api import EcomApi
from stores.vipps.simulator.epayment import EpaymentApi
from stores.vipps.simulator.faults import FaultBook
from stores.vipps.simulator.limits import RateLimits
from stores.vipps.simulator.management import ManagementApi
from stores.vipps.simulator.merchants import Merchants
from stores.vipps.simulator.order_links import OrderLinksApi
from stores.vipps.simulator.order_management import OrderManagementApi
from stores.vipps.simulator.orders import OrderBook
from stores.vipps.simulator.problems import gateway, reshape_gateway
from stores.vipps.simulator.product_orders import ProductOrders
from stores.vipps.simulator.qr import QrApi
from stores.vipps.simulator.report import ReportApi
from stores.vipps.simulator.side_door import SideDoor
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.token_api import TokenApi
from stores.vipps.simulator.tokens import Tokens
from stores.vipps.simulator.webhooks.api import WebhooksApi
from stores.vipps.simulator.webhooks.registrations import Registrations
from stores.vipps.simulator.webhooks.telling import Teller
from stores.vipps.simulator.wire import Call, Reply


class Apis:
    """`registrations`, `teller` and `limits` are also what the control page shows."""

    def __init__(
        self,
        *,
        books: Books,
        merchants: Merchants,
        faults: FaultBook,
        clock: VirtualClock,
        switches: Switches,
        calls: Counter[str],
        lock: threading.RLock,
        seed: int,
    ) -> None:
        tokens = Tokens(merchants, seed=seed)
        access = Access(merchants, tokens, switches)
        door = SideDoor(faults=faults, calls=calls)
        orders = OrderBook(books)
        self.limits = RateLimits(switches)
        self.registrations = Registrations(books, merchants, seed=seed)
        self.teller = Teller(
            books=books, registrations=self.registrations, faults=faults, clock=clock, switches=switches, lock=lock
        )
        self._switches = switches
        self._token = TokenApi(
            access=access, tokens=tokens, faults=faults, limits=self.limits, clock=clock, switches=switches, calls=calls
        )
        self._epayment = EpaymentApi(
            books=books,
            orders=orders,
            access=access,
            faults=faults,
            limits=self.limits,
            clock=clock,
            switches=switches,
            calls=calls,
        )
        ecom = EcomApi(
            books=books, access=access, faults=faults, limits=self.limits, clock=clock, switches=switches, calls=calls
        )
        webhooks = WebhooksApi(
            registrations=self.registrations,
            notices=self.teller.notices,
            access=access,
            door=door,
            clock=clock,
            switches=switches,
        )
        order_management = OrderManagementApi(orders=orders, access=access, door=door, clock=clock, switches=switches)
        links = OrderLinksApi(books=books, access=access, door=door, clock=clock)
        report = ReportApi(books=books, merchants=merchants, access=access, door=door, clock=clock, switches=switches)
        qr = QrApi(books=books, access=access, door=door, clock=clock)
        management = ManagementApi(
            merchants=merchants, orders=ProductOrders(books), access=access, door=door, clock=clock, switches=switches
        )
        self._others = (ecom, webhooks, order_management, links, report, qr, management)

    def answer(self, call: Call) -> Reply:
        return reshape_gateway(self._route(call), self._switches.gateway_shape)

    def _route(self, call: Call) -> Reply:
        if call.method == "POST" and call.path == "/accesstoken/get":
            return self._token.answer(call, "token")
        if call.method == "POST" and call.path == "/miami/v1/token":
            return self._token.answer(call, "special_token")
        reply = self._epayment.answer(call)
        if reply is not None:
            return reply
        for api in self._others:
            reply = api.answer(call)
            if reply is not None:
                return reply
        return gateway(404, "Resource not found")
