"""What the settlement says of payments: sums of every line there is of each, however the lines were spread over pages.

A capture makes an order of a payment that nobody has told of. Refunds count, whoever made them. What was corrected, or
taken back by a customer's bank, is looked into at Vipps (`refunds.settling`).
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from stores.actors import Actor
from stores.models import EntryType, PaidAtFrom, SettlementEntry
from stores.orders.confirmed import Confirmed
from stores.orders.confirming import Confirmation, confirm_orders

_MOVES_MONEY = (EntryType.CAPTURE.value, EntryType.REFUND.value)
_REFERENCE = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_NOTHING = Confirmation(created=0, changed=0, unplaced=0)

_SUMS = """
SELECT reference, currency,
       sum(amount_minor) FILTER (WHERE entry_type = 'capture'),
       coalesce(-sum(amount_minor) FILTER (WHERE entry_type = 'refund'), 0),
       min(at) FILTER (WHERE entry_type = 'capture'), max(at)
FROM stores_settlemententry
WHERE sales_unit_id = %(unit)s AND reference = ANY(%(references)s) AND entry_type IN ('capture', 'refund')
GROUP BY reference, currency
"""

Sums = tuple[int | None, int, datetime | None, datetime]
"""Captured, refunded (both positive, minor units), the first capture, the newest line."""


def index_settled(entries: Sequence[SettlementEntry], *, by: Actor) -> Confirmation:
    """Bring the payments that a page of kept entries speaks of into the index, a statement for each sales unit."""
    found = _NOTHING
    by_unit: dict[int, list[SettlementEntry]] = {}
    for entry in entries:
        if entry.sales_unit_id is not None and entry.entry_type in _MOVES_MONEY and _REFERENCE.fullmatch(entry.reference):
            by_unit.setdefault(entry.sales_unit_id, []).append(entry)
    for unit_id, own in sorted(by_unit.items()):
        told = confirm_orders(_told(unit_id, own), by=by)
        found = Confirmation(
            created=found.created + told.created,
            changed=found.changed + told.changed,
            unplaced=found.unplaced + told.unplaced,
        )
    return found


def _told(unit_id: int, entries: Sequence[SettlementEntry]) -> list[Confirmed]:
    """One sentence a payment; a payment in two currencies is none."""
    sums = _sums(unit_id, {entry.reference for entry in entries})
    return [
        Confirmed(
            unit_id=unit_id,
            reference=reference,
            currency=currency,
            captured_minor=captured if captured and captured > 0 else None,
            refunded_minor=max(0, refunded),
            uncaptured_minor=None,
            as_of=latest,
            paid_at=first if captured and captured > 0 else None,
            paid_at_from=PaidAtFrom.CAPTURED,
        )
        for reference, of_currency in sums.items()
        if len(of_currency) == 1
        for currency, (captured, refunded, first, latest) in of_currency.items()
    ]


def _sums(unit_id: int, references: set[str]) -> dict[str, dict[str, Sums]]:
    parameters: dict[str, Any] = {"unit": unit_id, "references": sorted(references)}
    found: dict[str, dict[str, Sums]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, parameters)
        for reference, currency, captured, refunded, first, latest in cursor.fetchall():
            sums = (None if captured is None else int(captured), int(refunded), first, latest)
            found.setdefault(reference, {})[currency] = sums
    return found
