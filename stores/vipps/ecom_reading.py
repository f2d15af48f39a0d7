"""Reading eCom's answers, as strictly as ePayment's: what is not exactly understood is Unreadable."""

from __future__ import annotations

from typing import Any

from stores.vipps.ecom_types import LogEntry, Summary
from stores.vipps.reading import Unreadable, read_moment, read_object, read_text

_LARGEST = 2**53


def read_summary(members: dict[str, Any]) -> Summary | None:
    """None where Vipps sends none, as before the customer has reacted."""
    if members.get("transactionSummary") is None:
        return None
    sums = read_object(members["transactionSummary"])
    card = sums.get("bankIdentificationNumber")
    return Summary(
        captured=read_minor(sums, "capturedAmount"),
        refunded=read_minor(sums, "refundedAmount"),
        remaining_to_capture=read_minor(sums, "remainingAmountToCapture"),
        remaining_to_refund=read_minor(sums, "remainingAmountToRefund"),
        bank_identification_number=card if type(card) is int else None,
    )


def read_log(members: dict[str, Any]) -> tuple[LogEntry, ...]:
    entries = members.get("transactionLogHistory")
    if not isinstance(entries, list):
        raise Unreadable("transactionLogHistory is not a list")
    return tuple(_entry(entry) for entry in entries)


def read_minor(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if type(value) is not int or not 0 <= value <= _LARGEST:
        raise Unreadable(f"{name} is not an amount in minor units")
    return value


def _entry(value: object) -> LogEntry:
    members = read_object(value)
    success = members.get("operationSuccess")
    if not isinstance(success, bool):
        raise Unreadable("operationSuccess is not a boolean")
    operation = read_text(members, "operation")
    transaction_id = _text_or_nothing(members, "transactionId")
    if operation == "REFUND" and success and not transaction_id:
        # Without it the same refund could be counted twice.
        raise Unreadable("a refund has no transactionId")
    return LogEntry(
        operation=operation,
        amount=read_minor(members, "amount"),
        success=success,
        request_id=_text_or_nothing(members, "requestId") or None,
        timestamp=read_moment(read_text(members, "timeStamp")),
        transaction_id=transaction_id,
        text=_text_or_nothing(members, "transactionText"),
    )


def _text_or_nothing(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if value is None or value == "":
        return ""
    return read_text(members, name)
