"""What Vipps says of one payment, in the index's words, whichever way it came: a reading, or the settlement."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from stores.models import PaidAtFrom
from stores.vipps.types import Event, Payment

STORE_NAMES = frozenset({"store", "storecode", "storeid"})
RECEIPT_NAMES = frozenset({"receipt", "receiptnumber", "receiptno", "receiptid"})
"""How a till may name its store and its receipt in a payment's metadata; case and separators do not matter."""

_LONGEST_STORE = 40
_LONGEST_RECEIPT = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmed:
    """Amounts in minor units of `currency`; `captured_minor` is None while nothing was captured.

    `as_of` is the moment for which the amounts hold: a later one takes the place of an earlier one. `paid_at` is None
    where it was not asked for; then only an order that is known can be confirmed. `uncaptured_minor` is None where the
    source does not tell. `store_code` and `receipt_number` stand in the payment's metadata, "" where they do not.
    """

    unit_id: int
    reference: str
    currency: str
    captured_minor: int | None
    refunded_minor: int
    uncaptured_minor: int | None
    as_of: datetime
    paid_at: datetime | None = None
    paid_at_from: PaidAtFrom = PaidAtFrom.CAPTURED
    store_code: str = ""
    receipt_number: str = ""

    @property
    def key(self) -> tuple[int, str]:
        return (self.unit_id, self.reference)


def as_confirmed(
    payment: Payment, events: Iterable[Event] | None, *, unit_id: int, reference: str, as_of: datetime
) -> Confirmed:
    """A reading of `reference` at Vipps, begun at `as_of`; `events` is None where the log was not read.

    Paid is when the money was reserved, or, for a payment that was taken at once, captured: a capture may come late.
    """
    paid_at, paid_at_from = _paid_at(events or ())
    return Confirmed(
        unit_id=unit_id,
        reference=reference,
        currency=payment.aggregate.currency,
        captured_minor=payment.aggregate.captured or None,
        refunded_minor=payment.aggregate.refunded,
        uncaptured_minor=max(0, payment.aggregate.capturable),
        as_of=as_of,
        paid_at=paid_at,
        paid_at_from=paid_at_from,
        store_code=_named(payment.metadata, STORE_NAMES, _LONGEST_STORE).upper(),
        receipt_number=_named(payment.metadata, RECEIPT_NAMES, _LONGEST_RECEIPT),
    )


def _paid_at(events: Iterable[Event]) -> tuple[datetime | None, PaidAtFrom]:
    successes = [event for event in events if event.success]
    for name, paid_at_from in (("AUTHORIZED", PaidAtFrom.RESERVED), ("CAPTURED", PaidAtFrom.CAPTURED)):
        if moments := [event.timestamp for event in successes if event.name == name]:
            return min(moments), paid_at_from
    return None, PaidAtFrom.CAPTURED


def _named(metadata: Mapping[str, str], names: frozenset[str], longest: int) -> str:
    """The first value under one of the names that a column can hold; what is too long or not printable is none."""
    for name, value in metadata.items():
        told = value.strip()
        if "".join(filter(str.isalnum, name)).lower() in names and len(told) <= longest and told.isprintable():
            return told
    return ""
