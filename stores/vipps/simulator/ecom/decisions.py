"""Initiate, approve, capture, cancel and refund in eCom: what each comes to. Nothing is changed here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from stores.vipps.simulator.books import Books, Movement
from stores.vipps.simulator.ecom.bodies import EcomAsked, read_approval, read_cancel, read_initiate, read_modification
from stores.vipps.simulator.ecom.errors import full_code
from stores.vipps.simulator.ecom.guards import refuse_cancel, refuse_capture, refuse_refund
from stores.vipps.simulator.faults import Fault, FaultKind
from stores.vipps.simulator.forms import BadForm, read_body
from stores.vipps.simulator.guards import fails_by_amount
from stores.vipps.simulator.idempotency import recall
from stores.vipps.simulator.ledger import StoredPayment
from stores.vipps.simulator.merchants import SalesUnit
from stores.vipps.simulator.switches import Switches

_READERS = {
    "initiate": read_initiate,
    "capture": read_modification,
    "refund": read_modification,
    "cancel": read_cancel,
    "approve": read_approval,
}
_NEEDS_KEY = frozenset({"capture", "refund"})
_LONGEST_KEY = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class EcomDecision:
    """`code` is why not. `events` is how many of the payment's events a repeated answer counts."""

    code: str | None = None
    message: str | None = None
    status: int | None = None
    asked: EcomAsked | None = None
    value: int | None = None
    movement: Movement | None = None
    scope: tuple[str, ...] | None = None
    digest: str = ""
    is_replay: bool = False
    events: int | None = None


class EcomDecisions:
    def __init__(self, *, books: Books, switches: Switches) -> None:
        self._books = books
        self._switches = switches

    def decide(
        self,
        operation: str,
        unit: SalesUnit,
        order_id: str,
        *,
        key: str | None,
        body: bytes,
        now: float,
        fault: Fault | None,
    ) -> EcomDecision:
        try:
            _check_key(operation, key)
            members = read_body(body)
            asked = _READERS[operation](members)
            if asked.msn not in ("", unit.msn):
                raise BadForm("merchantInfo.merchantSerialNumber", "The MSN is not the header's.")
        except BadForm as error:
            return EcomDecision(code=f"InvalidRequest/{error.name}", message=error.reason)
        if operation == "initiate":
            return self._initiate(unit, asked, fault)
        payment = self.find(unit.msn, order_id)
        if payment is None:
            return EcomDecision(code="Merchant/35", asked=asked, value=asked.value)
        scope = ("ecom", unit.msn, order_id, operation, key) if key else None
        digest = _digest_of(asked, members)
        remembered = recall(self._books.remembered, scope, now=now, switches=self._switches)
        if remembered is not None:
            conflict = _conflict(remembered.digest, digest)
            if conflict is not None:
                return EcomDecision(code=conflict, asked=asked, value=asked.value)
            events = remembered.events if self._switches.replay == "stored" else None
            return EcomDecision(
                code=remembered.code,
                status=remembered.status,
                asked=asked,
                value=asked.value,
                is_replay=True,
                events=events,
            )
        code = self._refusal(operation, payment, unit, asked, now=now, fault=fault)
        if code is not None:
            status = fault.status if fault is not None and fault.kind is FaultKind.REFUSE else None
            sticky = scope if self._switches.sticky_refusals else None
            return EcomDecision(code=code, status=status, asked=asked, value=asked.value, scope=sticky, digest=digest)
        movement = self._movement(operation, payment, asked, now=now, fault=fault)
        return EcomDecision(asked=asked, value=movement.value, movement=movement, scope=scope, digest=digest)

    def find(self, msn: str, order_id: str) -> StoredPayment | None:
        """A payment made through ePayment is not there for eCom."""
        payment = self._books.find(msn, order_id)
        return payment if payment is not None and payment.api == "ecom" else None

    def _initiate(self, unit: SalesUnit, asked: EcomAsked, fault: Fault | None) -> EcomDecision:
        if fault is not None and fault.kind is FaultKind.REFUSE:
            return EcomDecision(code=full_code(fault.code or "99"), status=fault.status, asked=asked, value=asked.value)
        code = None
        if self._books.ledger.find(unit.msn, asked.order_id) is not None:
            code = "Merchant/34"
        elif asked.skips_landing_page and not unit.allows_skip_landing_page:
            code = "Merchant/38"
        return EcomDecision(code=code, asked=asked, value=asked.value)

    def _refusal(
        self, operation: str, payment: StoredPayment, unit: SalesUnit, asked: EcomAsked, *, now: float, fault: Fault | None
    ) -> str | None:
        if fault is not None and fault.kind is FaultKind.REFUSE:
            return full_code(fault.code or "99")
        if operation == "approve":
            return None if payment.state == "CREATED" else "VippsError/92"
        if operation == "cancel":
            return refuse_cancel(payment, releases_rest=asked.releases_rest, now=now)
        value = self._meant(operation, payment, asked)
        if operation == "capture":
            return refuse_capture(payment, unit, value=value or 0, now=now)
        balance = self._books.ledger.funds.balance(payment.msn)
        return refuse_refund(payment, unit, value=value, now=now, balance=balance, switches=self._switches)

    def _meant(self, operation: str, payment: StoredPayment, asked: EcomAsked) -> int | None:
        """The amount; left out, a capture means all, a refund what the switch says."""
        if asked.value is not None:
            return asked.value
        sums = payment.sums()
        if operation == "capture":
            return sums.authorized - sums.captured - sums.cancelled
        return sums.captured - sums.refunded if self._switches.missing_refund_amount == "everything" else None

    def _movement(
        self, operation: str, payment: StoredPayment, asked: EcomAsked, *, now: float, fault: Fault | None
    ) -> Movement:
        success = fault is None or fault.kind is not FaultKind.FAILED_EVENT
        if operation == "approve":
            return Movement(name="AUTHORIZED", value=payment.value)
        if operation == "cancel":
            sums = payment.sums()
            name, left = "CANCELLED", sums.authorized - sums.captured - sums.cancelled
            if payment.state == "CREATED":
                name, left = "TERMINATED", payment.value
            return Movement(name=name, value=left, text=asked.text, success=success)
        value = self._meant(operation, payment, asked) or 0
        if operation == "capture":
            return Movement(name="CAPTURED", value=value, text=asked.text, success=success)
        success = success and fails_by_amount(value, self._switches) != "event"
        fails_late = success and self._switches.accepted_refunds == "fail_later"
        fails_at = now + self._switches.failure_delay if fails_late else None
        return Movement(name="REFUNDED", value=value, text=asked.text, success=success, fails_at=fails_at)


def _check_key(operation: str, key: str | None) -> None:
    if key is None and operation in _NEEDS_KEY:
        raise BadForm("X-Request-Id", "The header is required.")
    if key is not None and not 1 <= len(key) <= _LONGEST_KEY:
        raise BadForm("X-Request-Id", f"The header must be 1 to {_LONGEST_KEY} characters long.")


def _digest_of(asked: EcomAsked, members: dict[str, Any]) -> str:
    """The amount stays legible, because another amount has a code of its own."""
    content = json.dumps(members, sort_keys=True).encode()
    return f"{asked.value}:{hashlib.sha256(content).hexdigest()[:32]}"


def _conflict(before: str, now: str) -> str | None:
    if before == now:
        return None
    return "VippsError/93" if before.partition(":")[0] == now.partition(":")[0] else "Payment/93"
