"""The ePayment API v1: reading a payment and changing what is left of it.

Source: Vipps ePayment API v1, OpenAPI description. Modifications take an idempotency key that the caller must have
written down before: repeating a call with the same key has no second effect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stores.vipps.errors import OurDefect
from stores.vipps.reading import Unreadable, read_aggregate, read_amount, read_event, read_metadata, read_text
from stores.vipps.session import VippsSession
from stores.vipps.types import Amount, Event, Modification, Payment
from stores.vipps.understanding import answer_of, check_same, list_of, unreadable

_PAYMENTS = "/epayment/v1/payments"
_REFERENCE = re.compile(r"[a-zA-Z0-9-]{8,64}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LARGEST_VALUE = 65_000_000


class Epayment:
    """Every method raises VippsError. A 2xx that cannot be read, or speaks of another payment, is `Unsure`."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def get_payment(self, reference: str) -> Payment:
        response = self._session.call("get", "GET", _path("get", reference))
        members, trace_id = answer_of("get", response)
        try:
            payment = Payment(
                reference=read_text(members, "reference"),
                psp_reference=read_text(members, "pspReference"),
                state=read_text(members, "state"),
                amount=read_amount(members, "amount"),
                aggregate=read_aggregate(members),
                metadata=read_metadata(members),
                trace_id=trace_id,
            )
        except Unreadable as error:
            raise unreadable("get", response, error) from None
        check_same("get", reference, payment.reference, response)
        return payment

    def get_events(self, reference: str) -> list[Event]:
        """All that was tried with the payment, as Vipps lists it (oldest first, failed operations included)."""
        response = self._session.call("events", "GET", _path("events", reference, "/events"))
        entries = list_of("events", response)
        try:
            events = [read_event(entry) for entry in entries]
        except Unreadable as error:
            raise unreadable("events", response, error) from None
        for event in events:
            check_same("events", reference, event.reference, response)
        return events

    def refund(self, reference: str, amount: Amount, *, idempotency_key: str, send_before: float | None = None) -> Modification:
        """Pays `amount` back. `send_before`: a `time.monotonic()` value after which nothing is written (NotSent)."""
        return self._modify("refund", reference, _modification(amount, "refund"), idempotency_key, send_before)

    def capture(
        self, reference: str, amount: Amount, *, idempotency_key: str, send_before: float | None = None
    ) -> Modification:
        return self._modify("capture", reference, _modification(amount, "capture"), idempotency_key, send_before)

    def cancel(self, reference: str, *, idempotency_key: str, send_before: float | None = None) -> Modification:
        """Releases all that is reserved and not captured."""
        # An empty object, since an empty body has been answered with a type error.
        return self._modify("cancel", reference, {}, idempotency_key, send_before)

    def _modify(
        self,
        operation: str,
        reference: str,
        body: Mapping[str, Any],
        idempotency_key: str,
        send_before: float | None,
    ) -> Modification:
        response = self._session.call(
            operation,
            "POST",
            _path(operation, reference, f"/{operation}"),
            body=body,
            idempotency_key=idempotency_key,
            send_before=send_before,
        )
        members, trace_id = answer_of(operation, response)
        try:
            modification = Modification(
                reference=read_text(members, "reference"),
                psp_reference=read_text(members, "pspReference"),
                state=read_text(members, "state"),
                amount=read_amount(members, "amount"),
                aggregate=read_aggregate(members),
                status=response.status,
                trace_id=trace_id,
            )
        except Unreadable as error:
            raise unreadable(operation, response, error) from None
        check_same(operation, reference, modification.reference, response)
        return modification


def _path(operation: str, reference: str, rest: str = "") -> str:
    """Only what Vipps calls a reference may become part of a path."""
    if not _REFERENCE.fullmatch(reference):
        raise OurDefect(operation, detail="a reference is 8 to 64 letters, digits and hyphens")
    return f"{_PAYMENTS}/{reference}{rest}"


def _modification(amount: Amount, operation: str) -> dict[str, Any]:
    if type(amount.value) is not int or not 1 <= amount.value <= _LARGEST_VALUE:
        raise OurDefect(operation, detail="an amount is 1 to 65 000 000 minor units")
    if not _CURRENCY.fullmatch(amount.currency):
        raise OurDefect(operation, detail="a currency is three capital letters")
    return {"modificationAmount": {"currency": amount.currency, "value": amount.value}}
