"""The simulator itself: who is in it, what is in it, what goes wrong, and an answer to each call."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from stores.vipps.simulator.access import Access
from stores.vipps.simulator.bodies import BadForm, read_body
from stores.vipps.simulator.books import Books, Movement, SeededPayment
from stores.vipps.simulator.call_log import LogEntry
from stores.vipps.simulator.clock import VirtualClock, moment
from stores.vipps.simulator.epayment import EpaymentApi
from stores.vipps.simulator.faults import KEEPS_FROM_APPLYING, Fault, FaultBook
from stores.vipps.simulator.ledger import Ledger, StoredPayment
from stores.vipps.simulator.merchants import Keys, Merchants, Partner, SalesUnit
from stores.vipps.simulator.problems import gateway
from stores.vipps.simulator.spoiling import hinder, spoil_reply
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.tokens import Tokens
from stores.vipps.simulator.wire import Call, Reply
from stores.vipps.simulator.wsgi import WsgiApp

_PAYMENT = re.compile(r"/epayment/v1/payments/([a-zA-Z0-9-]{8,64})(?:/(events|capture|cancel|refund))?", re.ASCII)
_APPROVE = re.compile(r"/epayment/v1/test/payments/([a-zA-Z0-9-]{8,64})/approve", re.ASCII)
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
        self._switches = switches or Switches()
        self._tokens = Tokens(self._merchants, seed=seed)
        self._access = Access(self._merchants, self._tokens, self._switches)
        self.faults = FaultBook(seed=seed)
        self.calls: Counter[str] = Counter()
        self._epayment = EpaymentApi(
            books=self._books,
            access=self._access,
            faults=self.faults,
            clock=self._clock,
            switches=self._switches,
            calls=self.calls,
        )
        self.wsgi = WsgiApp(self.answer)

    # Who and what is in it

    def add_sales_unit(
        self,
        msn: str,
        currency: str = "NOK",
        *,
        name: str | None = None,
        keys: Keys | None = None,
        allows_refunds: bool = True,
        allows_partial_capture: bool = True,
    ) -> Keys:
        """A sales unit with keys of its own (made if not given). Adding it again replaces it and its keys."""
        with self._lock:
            keys = keys or self._merchants.make_keys(f"unit-{msn}")
            self._books.put_unit(
                SalesUnit(
                    msn=msn,
                    currency=currency,
                    name=name or f"Unit {msn}",
                    keys=keys,
                    allows_refunds=allows_refunds,
                    allows_partial_capture=allows_partial_capture,
                )
            )
            return keys

    def add_partner(self, name: str, msns: Iterable[str], *, keys: Keys | None = None) -> Keys:
        """A partner whose keys act for `msns`, which are taken from any other partner."""
        with self._lock:
            keys = keys or self._merchants.make_keys(f"partner-{name}")
            self._books.put_partner(Partner(name=name, keys=keys, msns=frozenset(msns)))
            return keys

    def rotate_keys(self, msn: str) -> Keys:
        """New keys for a sales unit; the old ones, and their tokens, stop at once."""
        with self._lock:
            unit = self._merchants.units[msn]
            return self.add_sales_unit(
                msn,
                unit.currency,
                name=unit.name,
                allows_refunds=unit.allows_refunds,
                allows_partial_capture=unit.allows_partial_capture,
            )

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
    ) -> None:
        """A payment already paid; captured in full unless told. Raises KeyError for an unknown MSN."""
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
            )
            self._books.add_payments([seeded])

    def add_payments(self, payments: Iterable[SeededPayment]) -> int:
        """Many at once; how many of them were new."""
        with self._lock:
            return self._books.add_payments(payments)

    # What happens to it from outside the API

    def portal_refund(self, msn: str, reference: str, amount_minor: int) -> None:
        """A refund made in the business portal, behind every integration's back. Raises KeyError or ValueError."""
        payment = self._books.ledger.payments[(msn, reference)]
        self._in_portal(payment, "REFUNDED", amount_minor, left=payment.sums().captured - payment.sums().refunded)

    def portal_capture(self, msn: str, reference: str, amount_minor: int) -> None:
        """A late capture in the business portal. Raises KeyError or ValueError."""
        payment = self._books.ledger.payments[(msn, reference)]
        sums = payment.sums()
        self._in_portal(payment, "CAPTURED", amount_minor, left=sums.authorized - sums.captured - sums.cancelled)

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
            return self._route(call)

    def close(self) -> None:
        with self._lock:
            self._books.close()

    def _route(self, call: Call) -> Reply:
        if call.path == "/accesstoken/get" and call.method == "POST":
            return self._token(call)
        found = _PAYMENT.fullmatch(call.path)
        if found and found[2] in (None, "events") and call.method == "GET":
            return self._later(self._epayment.answer(call, found[2] or "get", found[1]))
        if found and found[2] in ("capture", "cancel", "refund") and call.method == "POST":
            return self._later(self._epayment.answer(call, found[2], found[1]))
        if call.path == "/epayment/v1/payments" and call.method == "POST":
            return self._later(self._epayment.answer(call, "create", _told_reference(call)))
        approved = _APPROVE.fullmatch(call.path)
        if approved and call.method == "POST":
            return self._later(self._epayment.answer(call, "approve", approved[1]))
        return gateway(404, "Resource not found")

    def _later(self, reply: Reply) -> Reply:
        """What a held-up call does when its time comes happens under the lock as well."""
        held_up = reply.then
        if held_up is None:
            return reply

        def apply() -> Reply:
            with self._lock:
                return held_up()

        return Reply(delay=reply.delay, then=apply)

    def _token(self, call: Call) -> Reply:
        self.calls["token"] += 1
        number = self.calls["token"]
        fault = self.faults.take("token", msn=call.headers.get("merchant-serial-number"), reference=None)
        if fault is not None and fault.kind in KEEPS_FROM_APPLYING:
            return hinder(fault, path=call.path, number=number)
        holder = self._access.sign_in(call.headers)
        if isinstance(holder, Reply):
            return holder
        reply = self._tokens.issue(holder.keys, now=self._clock.now(), seconds=self._switches.token_seconds)
        return spoil_reply(reply, fault, path=call.path, number=number)

    def _in_portal(self, payment: StoredPayment, name: str, amount_minor: int, *, left: int) -> None:
        if not 1 <= amount_minor <= left:
            raise ValueError(f"the portal can move 1 to {left} here")
        operation = "portal-refund" if name == "REFUNDED" else "portal-capture"
        with self._lock:
            entry = LogEntry(
                time=self._clock.now(),
                msn=payment.msn,
                keys="portal",
                operation=operation,
                reference=payment.reference,
                amount_minor=amount_minor,
                currency=payment.currency,
                idempotency_key=None,
                applied=True,
                replayed=False,
                status=None,
                code=None,
                fault=None,
            )
            self._books.enter(entry, movement=Movement(name=name, value=amount_minor))


def _told_reference(call: Call) -> str:
    """The reference that a create's body names, for limits and faults; empty if it names none."""
    try:
        told = read_body(call.body).get("reference")
    except BadForm:
        return ""
    return told if isinstance(told, str) else ""
