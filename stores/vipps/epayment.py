"""The ePayment API v1: making a payment, reading it, and changing what is left of it.

Source: Vipps ePayment API v1, OpenAPI description. Modifications take an idempotency key that the caller must have
written down before: repeating a call with the same key has no second effect.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stores.vipps.errors import OurDefect
from stores.vipps.new_payment import Created, Customer, NewPayment, customer_body, payment_body
from stores.vipps.reading import LONGEST_ADDRESS, Unreadable, read_aggregate, read_amount, read_event, read_metadata, read_text
from stores.vipps.session import VippsSession
from stores.vipps.types import Amount, Event, Modification, Payment
from stores.vipps.understanding import answer_of, check_same, list_of, unreadable

_PAYMENTS = "/epayment/v1/payments"
_APPROVALS = "/epayment/v1/test/payments"
_REFERENCE = re.compile(r"[a-zA-Z0-9-]{8,64}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LARGEST_VALUE = 65_000_000


class Epayment:
    """Every method raises VippsError. A 2xx that cannot be read, or speaks of another payment, is `Unsure`."""

    def __init__(self, session: VippsSession) -> None:
        self._session = session

    def create(self, new: NewPayment, *, idempotency_key: str) -> Created:
        """Starts a payment; a reference that is taken is a KeyConflict."""
        _path("create", new.reference)
        _modification(new.amount, "create")
        response = self._session.call(
            "create", "POST", _PAYMENTS, body=payment_body(new), idempotency_key=idempotency_key
        )
        members, trace_id = answer_of("create", response)
        try:
            has_address = members.get("redirectUrl") is not None
            created = Created(
                reference=read_text(members, "reference"),
                redirect_url=read_text(members, "redirectUrl", longest=LONGEST_ADDRESS) if has_address else None,
                trace_id=trace_id,
            )
        except Unreadable as error:
            raise unreadable("create", response, error) from None
        check_same("create", new.reference, created.reference, response)
        return created

    def force_approve(self, reference: str, *, customer: Customer | None = None, token: str | None = None) -> None:
        """Pays as the test user would, named by number or by the token in `redirect_url`; test environment only."""
        if (customer is None) is (token is None):
            raise OurDefect("approve", detail="either a customer or a token is needed")
        body = {"customer": customer_body(customer)} if customer else {"token": token}
        path = _path("approve", reference, "/approve", start=_APPROVALS)
        self._session.call("approve", "POST", path, body=body)

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

    def cancel(
        self,
        reference: str,
        *,
        idempotency_key: str,
        only_if_unauthorized: bool = False,
        send_before: float | None = None,
    ) -> Modification:
        """Releases all that is reserved and not captured; `only_if_unauthorized`: refused once the customer has paid."""
        # An empty object, since an empty body has been answered with a type error.
        body = {"cancelTransactionOnly": True} if only_if_unauthorized else {}
        return self._modify("cancel", reference, body, idempotency_key, send_before)

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


def _path(operation: str, reference: str, rest: str = "", *, start: str = _PAYMENTS) -> str:
    """Only what Vipps calls a reference may become part of a path."""
    if not _REFERENCE.fullmatch(reference):
        raise OurDefect(operation, detail="a reference is 8 to 64 letters, digits and hyphens")
    return f"{start}/{reference}{rest}"


def _modification(amount: Amount, operation: str) -> dict[str, Any]:
    if type(amount.value) is not int or not 1 <= amount.value <= _LARGEST_VALUE:
        raise OurDefect(operation, detail="an amount is 1 to 65 000 000 minor units")
    if not _CURRENCY.fullmatch(amount.currency):
        raise OurDefect(operation, detail="a currency is three capital letters")
    return {"modificationAmount": {"currency": amount.currency, "value": amount.value}}
