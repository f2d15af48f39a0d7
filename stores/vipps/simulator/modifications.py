"""Create, approve, capture, cancel and refund: decide first, then carry out and remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stores.vipps.simulator.bodies import read_cancel, read_create, read_modification
from stores.vipps.simulator.books import Books, Movement
from stores.vipps.simulator.call_log import LogEntry
from stores.vipps.simulator.faults import Fault, FaultKind
from stores.vipps.simulator.forms import BadForm, read_body
from stores.vipps.simulator.guards import fails_by_amount, refuse_cancel, refuse_capture, refuse_refund
from stores.vipps.simulator.idempotency import CONFLICT_CODES, Remembered, digest_of, recall, scope_of
from stores.vipps.simulator.ledger import StoredPayment
from stores.vipps.simulator.merchants import SalesUnit
from stores.vipps.simulator.problems import status_of
from stores.vipps.simulator.switches import Switches

_NEEDS_KEY = frozenset({"create", "capture", "refund"})
_EVENT_NAMES = {"capture": "CAPTURED", "refund": "REFUNDED", "approve": "AUTHORIZED"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a modification comes to. `events` is how many of the payment's events its answer counts."""

    status: int
    reference: str
    code: str | None = None
    bad_field: tuple[str, str] | None = None
    value: int | None = None
    currency: str | None = None
    movement: Movement | None = None
    creates: Mapping[str, Any] | None = None
    receipt: dict[str, Any] | None = None
    scope: tuple[str, ...] | None = None
    digest: str = ""
    is_replay: bool = False
    events: int | None = None

    @property
    def applies(self) -> bool:
        return self.creates is not None or (self.movement is not None and self.movement.success)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    value: int | None = None
    currency: str | None = None
    only_unauthorized: bool = False


class Modifications:
    def __init__(self, *, books: Books, switches: Switches) -> None:
        self._books = books
        self._switches = switches

    def decide(
        self,
        operation: str,
        unit: SalesUnit,
        reference: str,
        *,
        key: str | None,
        body: bytes,
        now: float,
        fault: Fault | None,
    ) -> Decision:
        """Changes nothing."""
        try:
            _check_key(operation, key)
            members = read_body(body)
            asked = _read_asked(operation, members, unit)
        except BadForm as error:
            field = None if error.code else (error.name, error.reason)
            return Decision(status=self._status(error.code), reference=reference, code=error.code, bad_field=field)
        if operation == "create":
            reference = members["reference"]
        scope, digest = self._memory(operation, unit, reference, key, members)
        payment = self._books.find(unit.msn, reference)
        remembered = recall(self._books.remembered, scope, now=now, switches=self._switches)
        if remembered is not None:
            return self._repeat(operation, reference, remembered, digest, asked)
        if operation == "create":
            if fault is not None and fault.kind is FaultKind.REFUSE:
                return Decision(status=self._status(fault.code, fault), reference=reference, code=fault.code)
            return _decide_create(payment, unit, reference, asked, members, scope=scope, digest=digest, switches=self._switches)
        if payment is None:
            return Decision(
                status=self._status("5090"), reference=reference, code="5090", value=asked.value, currency=asked.currency
            )
        code, status = self._refusal(operation, payment, unit, asked, now, fault)
        if status is not None:
            sticky = scope if self._switches.sticky_refusals else None
            return Decision(
                status=status,
                reference=reference,
                code=code,
                value=asked.value,
                currency=asked.currency,
                scope=sticky,
                digest=digest,
            )
        movement = self._movement(operation, payment, asked, now, fault)
        return Decision(
            status=200,
            reference=reference,
            value=movement.value,
            currency=payment.currency,
            movement=movement,
            scope=scope,
            digest=digest,
        )

    def carry_out(self, decision: Decision, entry: LogEntry) -> None:
        """Books the decision: the payment's new event, the memory of its key, the log entry."""
        if decision.creates is not None:
            self._books.create(**decision.creates)
        remembered = Remembered(digest=decision.digest, status=decision.status, code=decision.code)
        self._books.enter(entry, movement=decision.movement, scope=decision.scope, remembered=remembered)

    def _memory(
        self, operation: str, unit: SalesUnit, reference: str, key: str | None, members: Mapping[str, Any]
    ) -> tuple[tuple[str, ...] | None, str]:
        if key is None:
            return None, ""
        # A create's key is known to reach beyond its reference, so that reference is only part of what is compared.
        reach = "" if operation == "create" else reference
        scope = scope_of(self._switches.key_scope, msn=unit.msn, operation=operation, reference=reach, key=key)
        return scope, digest_of(operation, reference, members)

    def _repeat(self, operation: str, reference: str, remembered: Remembered, digest: str, asked: _Asked) -> Decision:
        if remembered.digest != digest:
            return Decision(
                status=self._status(CONFLICT_CODES.get(operation, "4020")),
                reference=reference,
                code=CONFLICT_CODES.get(operation, "4020"),
                value=asked.value,
                currency=asked.currency,
            )
        return Decision(
            status=remembered.status,
            reference=reference,
            code=remembered.code,
            value=asked.value,
            currency=asked.currency,
            is_replay=True,
            events=remembered.events if self._switches.replay == "stored" else None,
        )

    def _refusal(
        self,
        operation: str,
        payment: StoredPayment,
        unit: SalesUnit,
        asked: _Asked,
        now: float,
        fault: Fault | None,
    ) -> tuple[str | None, int | None]:
        """ErrorCode and HTTP status; the status is None when nothing speaks against it."""
        if fault is not None and fault.kind is FaultKind.REFUSE:
            return fault.code, self._status(fault.code, fault)
        if operation == "approve":
            code = None if payment.state == "CREATED" else "6230"
        elif operation == "cancel":
            code = refuse_cancel(payment, only_unauthorized=asked.only_unauthorized, now=now)
        elif operation == "capture":
            code = refuse_capture(payment, unit, value=asked.value or 0, currency=asked.currency or "", now=now)
        else:
            code = refuse_refund(
                payment,
                unit,
                value=asked.value or 0,
                currency=asked.currency or "",
                now=now,
                balance=self._books.ledger.funds.balance(payment.msn),
                switches=self._switches,
            )
        return code, self._status(code) if code else None

    def _status(self, code: str | None, fault: Fault | None = None) -> int:
        return (fault.status if fault else None) or status_of(code or "", self._switches.statuses)

    def _movement(self, operation: str, payment: StoredPayment, asked: _Asked, now: float, fault: Fault | None) -> Movement:
        success = not _is(fault, FaultKind.FAILED_EVENT)
        if operation == "cancel":
            return _release(payment, success=success)
        value = payment.value if asked.value is None else asked.value
        fails_at = None
        if operation == "refund":
            success = success and fails_by_amount(value, self._switches) != "event"
            if success and self._switches.accepted_refunds == "fail_later":
                fails_at = now + self._switches.failure_delay
        return Movement(name=_EVENT_NAMES[operation], value=value, success=success, fails_at=fails_at)


def _decide_create(
    payment: StoredPayment | None,
    unit: SalesUnit,
    reference: str,
    asked: _Asked,
    members: Mapping[str, Any],
    *,
    scope: tuple[str, ...] | None,
    digest: str,
    switches: Switches,
) -> Decision:
    if payment is not None:
        status = status_of("4150", switches.statuses)
        return Decision(status=status, reference=reference, code="4150", value=asked.value, currency=asked.currency)
    return Decision(
        status=201,
        reference=reference,
        value=asked.value,
        currency=asked.currency,
        creates={
            "msn": unit.msn,
            "reference": reference,
            "currency": asked.currency,
            "value": asked.value,
            "metadata": members.get("metadata", {}),
        },
        receipt=members.get("receipt"),
        scope=scope,
        digest=digest,
    )


def _release(payment: StoredPayment, *, success: bool) -> Movement:
    if payment.state == "CREATED":
        return Movement(name="TERMINATED", value=payment.value, success=success)
    sums = payment.sums()
    left = sums.authorized - sums.captured - sums.cancelled
    return Movement(name="CANCELLED", value=left, success=success)


def _read_asked(operation: str, members: dict[str, Any], unit: SalesUnit) -> _Asked:
    if operation == "approve":
        return _Asked()
    if operation == "cancel":
        return _Asked(only_unauthorized=read_cancel(members))
    amount = read_create(members, currency=unit.currency) if operation == "create" else read_modification(members)
    return _Asked(value=amount.value, currency=amount.currency)


def _check_key(operation: str, key: str | None) -> None:
    if key is None and operation in _NEEDS_KEY:
        raise BadForm("Idempotency-Key", "The header is required.")
    if key is not None and not 1 <= len(key) <= 50:
        raise BadForm("Idempotency-Key", "The header must be 1 to 50 characters long.")


def _is(fault: Fault | None, kind: FaultKind) -> bool:
    return fault is not None and fault.kind is kind
