"""One way to read, refund and release a payment of either API, in ePayment's words; the one place that chooses between the two.

ePayment reaches eCom's payments too, but its references have at least 8 characters, and eCom's ids may be shorter
(Vipps: ePayment API, Reference schema and migration guide; eCom API, payment identification).
"""

from __future__ import annotations

from collections.abc import Iterable

from stores.vipps.ecom import Ecom
from stores.vipps.ecom_types import CURRENCY, Change, Details, LogEntry, Summary
from stores.vipps.epayment import Epayment
from stores.vipps.errors import Misconfigured, OurDefect, Refused, Unsure, VippsError
from stores.vipps.session import VippsSession
from stores.vipps.types import Aggregate, Amount, Event, Modification, Payment

SHORTEST_EPAYMENT_REFERENCE = 8
ECOM_TEXT = "Refusjon"
"""What eCom shows the customer, who is in Norway. Always the same, since a repeat with another text is another request."""

ECOM_RELEASE_TEXT = "Reservasjonen er opphevet"
"""The same for a release."""

_UNKNOWN_STATUS = 404
_UNKNOWN_CODES = ("5090", "Merchant 35")
_NAMES = {
    "INITIATE": "CREATED",
    "RESERVE": "AUTHORIZED",
    "SALE": "CAPTURED",
    "CAPTURE": "CAPTURED",
    "REFUND": "REFUNDED",
    "CANCEL": "ABORTED",
    "VOID": "CANCELLED",
}


def needs_ecom(reference: str) -> bool:
    """Whether only eCom can reach the payment."""
    return len(reference) < SHORTEST_EPAYMENT_REFERENCE


def read_payment(session: VippsSession, reference: str) -> Payment:
    """The payment as Vipps has it now. Raises VippsError."""
    if needs_ecom(reference):
        return as_payment(Ecom(session).get_details(reference))
    return Epayment(session).get_payment(reference)


def read_events(session: VippsSession, reference: str) -> list[Event]:
    """All that was tried with the payment, oldest first, failed operations included. Raises VippsError."""
    if needs_ecom(reference):
        return as_events(Ecom(session).get_details(reference))
    return Epayment(session).get_events(reference)


def refund(
    session: VippsSession, reference: str, amount: Amount, *, key: str, send_before: float | None = None
) -> Modification:
    """Pays `amount` back under `key`, which is found again in the events. Raises VippsError."""
    if not needs_ecom(reference):
        return Epayment(session).refund(reference, amount, idempotency_key=key, send_before=send_before)
    if amount.currency != CURRENCY:
        raise OurDefect("ecom_refund", detail="eCom refunds Norwegian kroner only")
    change = Ecom(session).refund(reference, amount.value, text=ECOM_TEXT, request_id=key, send_before=send_before)
    return as_modification(change, amount)


def release(
    session: VippsSession, reference: str, authorized: Amount, *, key: str, send_before: float | None = None
) -> Modification:
    """Lets go of all that is reserved; `authorized` is what the payment was read to have reserved. Raises VippsError.

    eCom has no key for it, and refuses it once something was captured; ePayment then lets go of the rest.
    """
    if not needs_ecom(reference):
        return Epayment(session).cancel(reference, idempotency_key=key, send_before=send_before)
    change = Ecom(session).cancel(reference, text=ECOM_RELEASE_TEXT, send_before=send_before)
    return as_modification(change, authorized, authorized_minor=authorized.value)


def is_unknown(error: VippsError) -> bool:
    """Whether Vipps says that the sales unit has no such payment; which HTTP status comes with the code is not published."""
    return isinstance(error, Misconfigured | Refused) and (error.status == _UNKNOWN_STATUS or error.code in _UNKNOWN_CODES)


def as_payment(details: Details) -> Payment:
    """The sums are the summary's, or the log's where it knows of more: either may be the later one to know."""
    summary = details.summary or Summary(captured=0, refunded=0, remaining_to_capture=0, remaining_to_refund=0)
    captured = max(summary.captured, _total(details.log, "CAPTURE", "SALE"))
    authorized = max(_total(details.log, "RESERVE", "SALE"), captured + summary.remaining_to_capture)
    created = next((entry for entry in reversed(details.log) if entry.operation == "INITIATE"), None)
    return Payment(
        reference=details.order_id,
        psp_reference=created.transaction_id if created else "",
        state=_state(details.log),
        amount=Amount(currency=CURRENCY, value=created.amount if created else authorized),
        aggregate=Aggregate(
            authorized=authorized,
            # "cancel" is what a release's own answer says, and it may stand in the log too; it counts where money was reserved.
            cancelled=min(_total(details.log, "VOID", "CANCEL"), authorized - captured),
            captured=captured,
            refunded=max(summary.refunded, _total(details.log, "REFUND")),
            currency=CURRENCY,
        ),
        metadata={},
        trace_id=details.trace_id,
    )


def as_events(details: Details) -> list[Event]:
    """The log, turned round to oldest first. An operation that is new gets a name that none of ePayment's can be."""
    return [
        Event(
            reference=details.order_id,
            psp_reference=entry.transaction_id,
            name=_NAMES.get(entry.operation, f"ECOM {entry.operation}"),
            amount=Amount(currency=CURRENCY, value=entry.amount),
            timestamp=entry.timestamp,
            idempotency_key=entry.request_id,
            success=entry.success,
        )
        for entry in reversed(details.log)
    ]


def as_modification(change: Change, amount: Amount, *, authorized_minor: int | None = None) -> Modification:
    """Raises Unsure for an answer without sums: it does not say what has been paid back or let go.

    eCom's sums do not say what was let go, only what can still be captured; the rest of `authorized_minor` was.
    """
    summary = change.summary
    if summary is None:
        operation = "ecom_refund" if authorized_minor is None else "ecom_cancel"
        raise Unsure(operation, status=change.status, trace_id=change.trace_id, detail="the answer has no sums")
    held = summary.captured + summary.remaining_to_capture
    authorized = max(held, authorized_minor or 0)
    return Modification(
        reference=change.order_id,
        psp_reference=change.transaction_id,
        state="AUTHORIZED",
        amount=amount,
        aggregate=Aggregate(
            authorized=authorized,
            cancelled=authorized - held,
            captured=summary.captured,
            refunded=summary.refunded,
            currency=CURRENCY,
        ),
        status=change.status,
        trace_id=change.trace_id,
    )


def _total(log: Iterable[LogEntry], *operations: str) -> int:
    return sum(entry.amount for entry in log if entry.success and entry.operation in operations)


def _state(log: Iterable[LogEntry]) -> str:
    done = {entry.operation for entry in log if entry.success}
    if done & {"RESERVE", "SALE"}:
        return "AUTHORIZED"
    return "ABORTED" if "CANCEL" in done else "CREATED"
