"""The simulator itself: who is in it, what is in it, what goes wrong, and an answer to each call."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from stores.vipps.simulator.apis import Apis
from stores.vipps.simulator.books import Books, SeededPayment
from stores.vipps.simulator.call_log import LogEntry
from stores.vipps.simulator.clock import VirtualClock, moment
from stores.vipps.simulator.faults import Fault, FaultBook
from stores.vipps.simulator.ledger import Ledger, StoredPayment
from stores.vipps.simulator.limits import WindowView
from stores.vipps.simulator.merchants import Accountant, Keys, Merchants, Partner, SalesUnit
from stores.vipps.simulator.portal import Portal
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.webhooks.notices import Notice
from stores.vipps.simulator.webhooks.registrations import Registration
from stores.vipps.simulator.webhooks.sending import send as send_over_http
from stores.vipps.simulator.webhooks.telling import Send
from stores.vipps.simulator.wire import Call, Reply
from stores.vipps.simulator.wsgi import WsgiApp

# A payment seeded without a date was paid yesterday, so that no lag hides it.
_YESTERDAY = 86_400.0


class Simulator:
    """Vipps MobilePay in one object. Safe to call from several threads; the same seed gives the same keys and chances.

    `base` is the clock beneath the virtual one (Unix time); `state` a file that carries everything over a restart.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        switches: Switches | None = None,
        state: Path | None = None,
        base: Callable[[], float] = time.time,
    ) -> None:
        self._lock = threading.RLock()
        self._clock = VirtualClock(base=base)
        self._merchants = Merchants(seed=seed)
        self._books = Books(merchants=self._merchants, clock=self._clock, state=state)
        self._switches = replace(switches) if switches else Switches()
        self.faults = FaultBook(seed=seed)
        self.calls: Counter[str] = Counter()
        self._portal = Portal(self._books, self._clock)
        self._apis = Apis(
            books=self._books,
            merchants=self._merchants,
            faults=self.faults,
            clock=self._clock,
            switches=self._switches,
            calls=self.calls,
            lock=self._lock,
            seed=seed,
        )
        self._books.restores("switches", lambda record: self._switches.change(record))
        self._books.restore()
        self.wsgi = WsgiApp(self.answer)

    # Who and what is in it

    def add_sales_unit(
        self,
        msn: str,
        currency: str = "NOK",
        *,
        name: str | None = None,
        keys: Keys | None = None,
        **options: Any,
    ) -> Keys:
        """A sales unit with keys of its own (made if not given). Adding it again replaces it and its keys.

        `options` are the other fields of `SalesUnit`, such as allows_refunds, captures_directly and is_active.
        """
        with self._lock:
            keys = keys or self._merchants.make_keys(f"unit-{msn}")
            self._books.put_unit(SalesUnit(msn=msn, currency=currency, name=name or f"Unit {msn}", keys=keys, **options))
            return keys

    def add_partner(self, name: str, msns: Iterable[str], *, keys: Keys | None = None) -> Keys:
        """A partner whose keys act for `msns`, which are taken from any other partner."""
        with self._lock:
            keys = keys or self._merchants.make_keys(f"partner-{name}")
            self._books.put_partner(Partner(name=name, keys=keys, msns=frozenset(msns)))
            return keys

    def add_accountant(self, name: str, msns: Iterable[str], *, keys: Keys | None = None) -> Keys:
        """Accounting keys that may read the reports of `msns`."""
        with self._lock:
            keys = keys or self._merchants.make_keys(f"accountant-{name}")
            self._books.put_accountant(Accountant(name=name, keys=keys, msns=frozenset(msns)))
            return keys

    def rotate_keys(self, msn: str) -> Keys:
        """New keys for a sales unit; the old ones, and their tokens, stop at once."""
        with self._lock:
            keys = self._merchants.make_keys(f"unit-{msn}")
            self._books.put_unit(replace(self._merchants.units[msn], keys=keys))
            return keys

    def deactivate(self, msn: str) -> None:
        """The sales unit is closed: no refund any more. Raises KeyError."""
        with self._lock:
            self._books.put_unit(replace(self._merchants.units[msn], is_active=False))

    def add_payment(
        self,
        msn: str,
        reference: str,
        *,
        amount_minor: int,
        captured_minor: int | None = None,
        refunded_minor: int = 0,
        currency: str | None = None,
        paid_at: datetime | None = None,
        metadata: Mapping[str, str] | None = None,
        api: Literal["epayment", "ecom"] = "epayment",
        is_direct: bool = False,
    ) -> None:
        """A payment already paid; captured in full unless told. Raises KeyError for an unknown MSN.

        `api` is the one it was made through; `is_direct`: captured as it was paid (eCom's SALE).
        """
        with self._lock:
            unit = self._merchants.units[msn]
            at = paid_at.timestamp() if paid_at else self._clock.now() - _YESTERDAY
            seeded = SeededPayment(
                msn=msn,
                reference=reference,
                amount_minor=amount_minor,
                captured_minor=amount_minor if captured_minor is None else captured_minor,
                refunded_minor=refunded_minor,
                currency=currency or unit.currency,
                paid_at=at,
                metadata=metadata or {},
                api=api,
                is_direct=is_direct,
            )
            self._books.add_payments([seeded])

    def add_payments(self, payments: Iterable[SeededPayment]) -> int:
        """Many at once; how many of them were new."""
        with self._lock:
            return self._books.add_payments(payments)

    # What happens to it from outside the API

    def portal_refund(self, msn: str, reference: str, amount_minor: int) -> None:
        """A refund made in the business portal, behind every integration's back. Raises KeyError or ValueError."""
        with self._lock:
            self._portal.refund(msn, reference, amount_minor)

    def portal_capture(self, msn: str, reference: str, amount_minor: int) -> None:
        """A late capture in the business portal. Raises KeyError or ValueError."""
        with self._lock:
            self._portal.capture(msn, reference, amount_minor)

    def portal_cancel(self, msn: str, reference: str) -> None:
        """A reservation let go in the business portal. Raises KeyError or ValueError."""
        with self._lock:
            self._portal.cancel(msn, reference)

    def dispute(self, msn: str, reference: str, amount_minor: int, *, is_won: bool = False) -> None:
        """A capture that the customer's bank takes back, or gives back: only the report tells. Raises KeyError, ValueError."""
        with self._lock:
            self._portal.dispute(msn, reference, amount_minor, is_won=is_won)

    def customer(self, msn: str, reference: str, does: Literal["approve", "abort"]) -> None:
        """The customer answers in the app. Raises KeyError or ValueError."""
        with self._lock:
            self._portal.customer(msn, reference, does)

    def pay_out(self, msn: str) -> int:
        """Settles a sales unit; what was paid out, in minor units. Raises KeyError."""
        with self._lock:
            return self._portal.pay_out(msn, self._merchants.units[msn].currency)

    def deliver_due(self, send: Send = send_over_http) -> int:
        """Sends the webhooks whose time has come; how many attempts were made."""
        return self._apis.teller.deliver_due(send)

    def change_switches(self, **changes: Any) -> None:
        """Some of `Switches`, from now on. Raises ValueError; then none has changed."""
        with self._lock:
            self._switches.change(changes)
            self._books.keep("switches", **changes)

    def arm(self, fault: Fault) -> str:
        """The rule's id, for `disarm`."""
        with self._lock:
            return self.faults.arm(fault)

    def disarm(self, fault_id: str | None = None) -> None:
        """One rule, or all. Raises KeyError."""
        with self._lock:
            self.faults.disarm(fault_id)

    def move_clock(self, by: timedelta) -> datetime:
        """The simulator's time afterwards."""
        with self._lock:
            return moment(self._books.move_clock(by.total_seconds()))

    # What is to be seen

    @property
    def now(self) -> datetime:
        return moment(self._clock.now())

    @property
    def switches(self) -> Switches:
        """As they stand; `change_switches` changes them."""
        return replace(self._switches)

    @property
    def registrations(self) -> list[Registration]:
        return list(self._apis.registrations.by_id.values())

    def notices(self) -> list[Notice]:
        """The webhooks that are done (the last 2,000) and those that wait, oldest first."""
        with self._lock:
            found = [*self._apis.teller.notices.done, *self._apis.teller.notices.waiting()]
        return sorted(found, key=lambda notice: notice.id)

    def rate_windows(self) -> list[WindowView]:
        with self._lock:
            return self._apis.limits.windows(self._clock.now())

    @property
    def merchants(self) -> Merchants:
        return self._merchants

    @property
    def ledger(self) -> Ledger:
        return self._books.ledger

    def payment(self, msn: str, reference: str) -> StoredPayment:
        """Raises KeyError."""
        with self._lock:
            payment = self._books.find(msn, reference)
        if payment is None:
            raise KeyError(reference)
        return payment

    def log(
        self,
        *,
        reference: str | None = None,
        msn: str | None = None,
        operation: str | None = None,
        applied: bool | None = None,
    ) -> list[LogEntry]:
        """Every modification received, oldest first: the judge of what really happened."""
        with self._lock:
            return self._books.log.select(reference=reference, msn=msn, operation=operation, applied=applied)

    # Answering

    def answer(self, call: Call) -> Reply:
        """The reply to one call of Vipps' APIs."""
        with self._lock:
            return self._later(self._apis.answer(call))

    def close(self) -> None:
        with self._lock:
            self._books.close()

    def _later(self, reply: Reply) -> Reply:
        """What a held-up call does when its time comes happens under the lock as well."""
        held_up = reply.then
        if held_up is None:
            return reply

        def apply() -> Reply:
            with self._lock:
                return held_up()

        return Reply(delay=reply.delay, then=apply)
