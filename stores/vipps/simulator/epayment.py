"""ePayment v1 as the simulator answers it: sign-in, faults, limits, then reading or changing a payment.

Source: Vipps ePayment API v1, OpenAPI description and guides.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from stores.vipps.simulator.access import Access, Caller, Denied
from stores.vipps.simulator.books import Books
from stores.vipps.simulator.call_log import LogEntry
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.faults import KEEPS_FROM_APPLYING, Fault, FaultBook, FaultKind
from stores.vipps.simulator.forms import BadForm, read_body
from stores.vipps.simulator.ledger import EventEntry, StoredPayment, event_views, payment_view
from stores.vipps.simulator.limits import MODIFICATIONS, READS, RateLimits
from stores.vipps.simulator.modifications import Decision, Modifications
from stores.vipps.simulator.orders import OrderBook, OrderKey
from stores.vipps.simulator.problems import problem, status_of
from stores.vipps.simulator.spoiling import hinder, shown_status, spoil_reply, spoil_view
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.wire import Call, Reply, json_reply

_READS = frozenset({"get", "events"})
_STALE_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """One call on its way through; `number` makes its trace id."""

    operation: str
    reference: str
    path: str
    msn: str
    key: str | None
    number: int
    now: float


_PAYMENT = re.compile(r"/epayment/v1/payments/([a-zA-Z0-9-]{1,64})(?:/(events|capture|cancel|refund))?", re.ASCII)
_APPROVE = re.compile(r"/epayment/v1/test/payments/([a-zA-Z0-9-]{1,64})/approve", re.ASCII)


class EpaymentApi:
    def __init__(
        self,
        *,
        books: Books,
        orders: OrderBook,
        access: Access,
        faults: FaultBook,
        limits: RateLimits,
        clock: VirtualClock,
        switches: Switches,
        calls: Counter[str],
    ) -> None:
        self._books = books
        self._orders = orders
        self._access = access
        self._faults = faults
        self._clock = clock
        self._switches = switches
        self._calls = calls
        self._limits = limits
        self._modifications = Modifications(books=books, switches=switches)
        self._number = 0

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        found = _PAYMENT.fullmatch(call.path)
        if found and (call.method == "GET") is (found[2] in (None, "events")) and call.method in ("GET", "POST"):
            return self._answer(call, found[2] or "get", found[1])
        if call.path == "/epayment/v1/payments" and call.method == "POST":
            return self._answer(call, "create", _told_reference(call))
        approved = _APPROVE.fullmatch(call.path)
        if approved and call.method == "POST":
            return self._answer(call, "approve", approved[1])
        return None

    def _answer(self, call: Call, operation: str, reference: str, *, is_late: bool = False) -> Reply:
        """`is_late`: the same call once more, after a fault has held it up."""
        visit = self._visit(call, operation, reference)
        checked = self._access.check(call.headers, now=visit.now)
        if isinstance(checked, Denied):
            self._note(visit, keys=checked.keys, status=checked.reply.status, code=None, fault=None)
            return checked.reply
        fault = None if is_late else self._faults.take(operation, msn=visit.msn, reference=reference)
        if fault is not None and fault.kind is FaultKind.DELAY_BEFORE:
            return Reply(
                delay=30.0 if fault.seconds is None else fault.seconds,
                then=lambda: self._answer(call, operation, reference, is_late=True),
            )
        if fault is not None and fault.kind in KEEPS_FROM_APPLYING:
            reply = hinder(fault, path=visit.path, number=visit.number)
            told = None if reply.is_dropped else reply.status
            code = "6160" if fault.kind is FaultKind.LOCK else None
            self._note(visit, keys=checked.keys, status=told, code=code, fault=fault)
            return reply
        throttled = self._throttle(visit, checked)
        if throttled is not None:
            self._note(visit, keys=checked.keys, status=429, code=None, fault=None)
            return throttled
        hidden = self._hidden(visit)
        if hidden is not None:
            self._note(visit, keys=checked.keys, status=hidden.status, code=None, fault=None)
            return hidden
        reply = self._read(visit, fault) if operation in _READS else self._modify(visit, checked, call, fault)
        return spoil_reply(reply, fault, path=visit.path, number=visit.number)

    def _visit(self, call: Call, operation: str, reference: str) -> Visit:
        self._calls[operation] += 1
        self._number += 1
        return Visit(
            operation=operation,
            reference=reference,
            path=call.path,
            msn=call.headers.get("merchant-serial-number", ""),
            key=call.headers.get("idempotency-key"),
            number=self._number,
            now=self._clock.now(),
        )

    def _throttle(self, visit: Visit, caller: Caller) -> Reply | None:
        if visit.operation in _READS:
            subject = ("read", visit.reference, caller.subscription_key)
            return self._limits.throttle(subject, limit=READS, now=visit.now)
        subject = (visit.operation, visit.reference, visit.msn)
        return self._limits.throttle(subject, limit=MODIFICATIONS, now=visit.now)

    def _hidden(self, visit: Visit) -> Reply | None:
        """What is not known of ePayment's view of eCom payments: ids under 8 characters, and direct capture."""
        switches = self._switches
        is_short = len(visit.reference) < 8 and visit.operation != "create"
        if is_short and switches.short_ids_in_epayment == "refused":
            bad = ("Reference", "The value does not match ^[a-zA-Z0-9-]{8,64}$.")
            return problem(400, path=visit.path, number=visit.number, field=bad)
        payment = self._books.ledger.find(visit.msn, visit.reference)
        is_direct = payment is not None and payment.is_direct and switches.direct_capture_in_epayment == "not_found"
        if is_direct or (is_short and switches.short_ids_in_epayment == "not_found"):
            return self._not_found(visit)
        return None

    def _not_found(self, visit: Visit) -> Reply:
        return problem(status_of("5090", self._switches.statuses), path=visit.path, number=visit.number, code="5090")

    def _read(self, visit: Visit, fault: Fault | None) -> Reply:
        payment = self._books.find(visit.msn, visit.reference)
        if payment is None:
            return self._not_found(visit)
        if fault is not None and fault.kind is FaultKind.REFUSE:
            status = fault.status or status_of(fault.code or "", self._switches.statuses)
            return problem(status, path=visit.path, number=visit.number, code=fault.code)
        view: Any
        if visit.operation == "events":
            view = event_views(payment, self._visible(payment, visit.now, fault, FaultKind.STALE_EVENTS, 0.0))
        else:
            lag = self._switches.aggregate_lag
            view = payment_view(payment, self._visible(payment, visit.now, fault, FaultKind.LAGGING_AGGREGATE, lag))
        return json_reply(spoil_view(view, fault))

    def _modify(self, visit: Visit, caller: Caller, call: Call, fault: Fault | None) -> Reply:
        decision = self._modifications.decide(
            visit.operation, caller.unit, visit.reference, key=visit.key, body=call.body, now=visit.now, fault=fault
        )
        entry = self._entry(
            visit,
            keys=caller.keys,
            status=shown_status(decision.status, fault),
            code=decision.code,
            fault=fault,
            decision=decision,
        )
        self._modifications.carry_out(decision, entry)
        if decision.receipt is not None:
            self._orders.post_receipt(OrderKey(msn=visit.msn, payment_type="ECOM", id=decision.reference), decision.receipt)
        if decision.status >= 300:
            return problem(decision.status, path=visit.path, number=visit.number, code=decision.code, field=decision.bad_field)
        reply = json_reply(self._modification_view(visit, decision, fault), status=decision.status)
        if visit.operation in ("create", "approve"):
            return reply
        return replace(reply, content_type=self._switches.modification_content_type)

    def _modification_view(self, visit: Visit, decision: Decision, fault: Fault | None) -> Any:
        if visit.operation == "approve":
            return {}
        payment = self._books.ledger.payments[(visit.msn, decision.reference)]
        if visit.operation == "create":
            return {
                "reference": payment.reference,
                "redirectUrl": f"https://landing.invalid/?token={payment.psp_reference}",
            }
        lag = self._switches.aggregate_lag
        visible = self._visible(payment, visit.now, fault, FaultKind.LAGGING_AGGREGATE, lag, upto=decision.events)
        view = payment_view(payment, visible)
        if self._switches.answer_amount == "modification" and decision.value is not None:
            view["amount"] = {**view["amount"], "value": decision.value}
        kept = ("amount", "state", "aggregate", "pspReference", "reference")
        return spoil_view({name: view[name] for name in kept}, fault)

    def _visible(
        self,
        payment: StoredPayment,
        now: float,
        fault: Fault | None,
        kind: FaultKind,
        lag: float,
        upto: int | None = None,
    ) -> list[EventEntry]:
        events = payment.events[:upto]
        if fault is not None and fault.kind is kind:
            lag = _STALE_SECONDS if fault.seconds is None else fault.seconds
        return [event for event in events if event.at <= now - lag] if lag else events

    def _note(self, visit: Visit, *, keys: str | None, status: int | None, code: str | None, fault: Fault | None) -> None:
        """Enters a modification that came to nothing; reads are only counted."""
        if visit.operation not in _READS:
            self._books.enter(self._entry(visit, keys=keys, status=status, code=code, fault=fault, decision=None))

    def _entry(
        self,
        visit: Visit,
        *,
        keys: str | None,
        status: int | None,
        code: str | None,
        fault: Fault | None,
        decision: Decision | None,
    ) -> LogEntry:
        return LogEntry(
            time=visit.now,
            msn=visit.msn,
            keys=keys,
            operation=visit.operation,
            reference=decision.reference if decision else visit.reference,
            amount_minor=decision.value if decision else None,
            currency=decision.currency if decision else None,
            idempotency_key=visit.key,
            applied=decision is not None and decision.applies,
            replayed=decision is not None and decision.is_replay,
            status=status,
            code=code,
            fault=fault.kind if fault else None,
        )


def _told_reference(call: Call) -> str:
    """The reference that a create's body names, for limits and faults; empty if it names none."""
    try:
        told = read_body(call.body).get("reference")
    except BadForm:
        return ""
    return told if isinstance(told, str) else ""
