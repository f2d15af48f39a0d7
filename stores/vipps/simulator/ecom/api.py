"""eCom v2 as the simulator answers it: sign-in, faults, limits, then reading or changing a payment.

Operations: initiate, details, status, capture, cancel, refund, approve. Source: Vipps eCom API v2.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from stores.vipps.simulator.access import Access, Caller, Denied
from stores.vipps.simulator.books import Books, Movement
from stores.vipps.simulator.call_log import LogEntry
from stores.vipps.simulator.clock import VirtualClock
from stores.vipps.simulator.ecom.decisions import EcomDecision, EcomDecisions
from stores.vipps.simulator.ecom.errors import full_code, refusal, status_of
from stores.vipps.simulator.ecom.spoiling import spoil_view
from stores.vipps.simulator.ecom.views import details_view, initiated_view, modification_view, status_view
from stores.vipps.simulator.faults import KEEPS_FROM_APPLYING, Fault, FaultBook, FaultKind
from stores.vipps.simulator.forms import BadForm, read_body
from stores.vipps.simulator.idempotency import Remembered
from stores.vipps.simulator.ledger import EventEntry, StoredPayment
from stores.vipps.simulator.limits import INITIATIONS, MODIFICATIONS, READS, RateLimits
from stores.vipps.simulator.problems import trace_id
from stores.vipps.simulator.spoiling import hinder, shown_status, spoil_reply
from stores.vipps.simulator.switches import Switches
from stores.vipps.simulator.wire import UTF8_JSON, Call, Reply, json_reply

# WooCommerce's plugin writes "Ecomm" and works, so the case of that word does not matter.
_PAYMENT = re.compile(r"/(?i:ecomm)/v2/payments/([a-zA-Z0-9-]{1,50})/(details|status|capture|cancel|refund)", re.ASCII)
_APPROVE = re.compile(r"/(?i:ecomm)/v2/integration-test/payments/([a-zA-Z0-9-]{1,50})/approve", re.ASCII)
_INITIATE = re.compile(r"/(?i:ecomm)/v2/payments")
_METHODS = {"details": "GET", "status": "GET", "capture": "POST", "refund": "POST", "cancel": "PUT"}
_READS = frozenset({"details", "status"})
_STALE_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    operation: str
    order_id: str
    path: str
    key: str | None
    number: int
    now: float


class EcomApi:
    def __init__(
        self,
        *,
        books: Books,
        access: Access,
        faults: FaultBook,
        limits: RateLimits,
        clock: VirtualClock,
        switches: Switches,
        calls: Counter[str],
    ) -> None:
        self._books = books
        self._access = access
        self._faults = faults
        self._limits = limits
        self._clock = clock
        self._switches = switches
        self._calls = calls
        self._decisions = EcomDecisions(books=books, switches=switches)
        self._number = 0

    def answer(self, call: Call) -> Reply | None:
        """None if the call is none of ours."""
        found = _PAYMENT.fullmatch(call.path)
        approved = _APPROVE.fullmatch(call.path)
        if self._switches.ecom_is_shut:
            return None
        if found and _METHODS[found[2]] == call.method:
            return self._answer(call, found[2], found[1])
        if approved and call.method == "POST":
            return self._answer(call, "approve", approved[1])
        if _INITIATE.fullmatch(call.path) and call.method == "POST":
            return self._answer(call, "initiate", _told_order(call))
        return None

    def _answer(self, call: Call, operation: str, order_id: str, *, is_late: bool = False) -> Reply:
        self._calls[f"ecom_{operation}"] += 1
        self._number += 1
        visit = Visit(
            operation=operation,
            order_id=order_id,
            path=call.path,
            key=call.headers.get("x-request-id"),
            number=self._number,
            now=self._clock.now(),
        )
        checked = self._access.check(call.headers, now=visit.now, needs_msn=False, takes_inactive=True)
        msn = call.headers.get("merchant-serial-number", "") if isinstance(checked, Denied) else checked.unit.msn
        if isinstance(checked, Denied):
            self._note(visit, msn, keys=checked.keys, reply=checked.reply)
            return checked.reply
        fault = None if is_late else self._faults.take(operation, api="ecom", msn=msn, reference=order_id)
        if fault is not None and fault.kind is FaultKind.DELAY_BEFORE:
            seconds = 30.0 if fault.seconds is None else fault.seconds
            return Reply(delay=seconds, then=lambda: self._answer(call, operation, order_id, is_late=True))
        if fault is not None and fault.kind in KEEPS_FROM_APPLYING:
            is_lock = fault.kind is FaultKind.LOCK
            reply = self._locked(visit, fault) if is_lock else hinder(fault, path=visit.path, number=visit.number)
            self._note(visit, msn, keys=checked.keys, reply=reply, fault=fault)
            return reply
        throttled = self._throttle(visit, checked)
        if throttled is not None:
            self._note(visit, msn, keys=checked.keys, reply=throttled)
            return throttled
        reply = self._read(visit, checked, fault) if operation in _READS else self._modify(visit, checked, call, fault)
        return spoil_reply(reply, fault, path=visit.path, number=visit.number)

    def _throttle(self, visit: Visit, caller: Caller) -> Reply | None:
        if visit.operation in _READS:
            subject = ("read", visit.order_id, caller.subscription_key)
            return self._limits.throttle(subject, limit=READS, now=visit.now)
        limit = INITIATIONS if visit.operation == "initiate" else MODIFICATIONS
        return self._limits.throttle((visit.operation, visit.order_id, caller.unit.msn), limit=limit, now=visit.now)

    def _locked(self, visit: Visit, fault: Fault) -> Reply:
        return self._refusal(visit, EcomDecision(code="VippsError/94", status=fault.status))

    def _refusal(self, visit: Visit, decision: EcomDecision) -> Reply:
        code = decision.code or "VippsError/99"
        status = decision.status or status_of(code, self._switches.statuses)
        return refusal(code, status=status, context=trace_id(visit.number), message=decision.message)

    def _read(self, visit: Visit, caller: Caller, fault: Fault | None) -> Reply:
        payment = self._decisions.find(caller.unit.msn, visit.order_id)
        if payment is None:
            return self._refusal(visit, EcomDecision(code="Merchant/35"))
        if not caller.unit.is_active:
            return self._refusal(visit, EcomDecision(code="Merchant/37"))
        if fault is not None and fault.kind is FaultKind.REFUSE:
            return self._refusal(visit, EcomDecision(code=full_code(fault.code or "99"), status=fault.status))
        view: Any
        if visit.operation == "status":
            view = status_view(payment)
        else:
            events = self._visible(payment, visit.now, fault, FaultKind.STALE_EVENTS, 0.0)
            lag = self._switches.aggregate_lag
            summed = self._visible(payment, visit.now, fault, FaultKind.LAGGING_AGGREGATE, lag)
            view = details_view(payment, events, summed=summed)
        return _json(spoil_view(view, fault))

    def _modify(self, visit: Visit, caller: Caller, call: Call, fault: Fault | None) -> Reply:
        unit = caller.unit
        if unit.is_active:
            decision = self._decisions.decide(
                visit.operation, unit, visit.order_id, key=visit.key, body=call.body, now=visit.now, fault=fault
            )
        else:
            decision = EcomDecision(code="Merchant/37")
        refused = self._refusal(visit, decision) if decision.code else None
        self._carry_out(visit, caller, decision, fault, status=refused.status if refused else 200)
        if refused is not None:
            return refused
        if visit.operation == "approve":
            return Reply(content_type=UTF8_JSON)
        payment = self._books.ledger.payments[(unit.msn, visit.order_id)]
        if visit.operation == "initiate":
            return _json(initiated_view(payment))
        events = payment.events[: decision.events]
        event = next(each for each in reversed(events) if visit.key in (None, each.key) and not each.reverses)
        lag = self._switches.aggregate_lag
        summed = [each for each in self._visible(payment, visit.now, fault, FaultKind.LAGGING_AGGREGATE, lag) if each in events]
        return _json(spoil_view(modification_view(payment, visit.operation, event, summed), fault))

    def _carry_out(self, visit: Visit, caller: Caller, decision: EcomDecision, fault: Fault | None, *, status: int) -> None:
        unit = caller.unit
        if visit.operation == "initiate" and decision.code is None and decision.asked is not None:
            self._books.create(
                msn=unit.msn,
                reference=decision.asked.order_id,
                currency=unit.currency,
                value=decision.value,
                metadata={},
                api="ecom",
                is_direct=unit.captures_directly,
                text=decision.asked.text,
            )
        entry = self._entry(visit, unit.msn, caller.keys, decision, fault, status=shown_status(status, fault))
        remembered = Remembered(digest=decision.digest, status=status, code=decision.code)
        self._books.enter(entry, movement=decision.movement, scope=decision.scope, remembered=remembered)
        payment = self._books.ledger.find(unit.msn, visit.order_id)
        if visit.operation == "approve" and decision.movement is not None and payment is not None and payment.is_direct:
            self._books.add_event(payment, Movement(name="CAPTURED", value=payment.value), at=visit.now)

    def _visible(
        self, payment: StoredPayment, now: float, fault: Fault | None, kind: FaultKind, lag: float
    ) -> list[EventEntry]:
        if fault is not None and fault.kind is kind:
            lag = _STALE_SECONDS if fault.seconds is None else fault.seconds
        return [event for event in payment.events if event.at <= now - lag] if lag else payment.events

    def _note(self, visit: Visit, msn: str, *, keys: str | None, reply: Reply, fault: Fault | None = None) -> None:
        """Enters a modification that came to nothing; reads are only counted."""
        if visit.operation not in _READS:
            status = None if reply.is_dropped else reply.status
            code = "VippsError/94" if fault is not None and fault.kind is FaultKind.LOCK else None
            self._books.enter(self._entry(visit, msn, keys, EcomDecision(code=code), fault, status=status))

    def _entry(
        self, visit: Visit, msn: str, keys: str | None, decision: EcomDecision, fault: Fault | None, *, status: int | None
    ) -> LogEntry:
        made = visit.operation == "initiate" and decision.code is None and decision.asked is not None
        return LogEntry(
            time=visit.now,
            msn=msn,
            keys=keys,
            operation=visit.operation,
            reference=visit.order_id,
            amount_minor=decision.value,
            currency="NOK" if decision.value is not None else None,
            idempotency_key=visit.key,
            applied=made or (decision.movement is not None and decision.movement.success),
            replayed=decision.is_replay,
            status=status,
            code=decision.code,
            fault=fault.kind if fault else None,
            api="ecom",
        )


def _json(view: Any) -> Reply:
    reply = json_reply(view)
    return Reply(body=reply.body, content_type=UTF8_JSON)


def _told_order(call: Call) -> str:
    """The id that an initiation names, for limits and faults; empty if it names none."""
    try:
        told = read_body(call.body).get("transaction")
    except BadForm:
        return ""
    order_id = told.get("orderId") if isinstance(told, dict) else None
    return order_id if isinstance(order_id, str) else ""
