"""What the index knows of a batch before anything is written: most batches are all new, or have been here before."""

from collections.abc import Mapping
from typing import Any

from stores import statements
from stores.models import Store
from stores.orders.merging import OrderKey
from stores.orders.placed import NewOrder

# The array stands in a query of its own, so that the planner does not count its ten thousand elements: it would
# read the whole table for them.
STATEMENT = """
SELECT known.reference, replace(known.public_id::text, '-', ''), known.store_id, known.currency, known.claimed_minor,
       CASE WHEN known.paid_at_from = 1 THEN known.paid_at ELSE known.claimed_paid_at END, known.receipt_number,
       %(has_lines)s AND EXISTS (SELECT 1 FROM stores_orderline AS line WHERE line.order_id = known.id)
FROM stores_order AS known
WHERE known.sales_unit_id = %(unit)s AND known.reference = ANY ((SELECT %(references)s::text[])::text[])
"""


def read_standing(orders: Mapping[OrderKey, NewOrder], *, store: Store) -> dict[OrderKey, str | None]:
    """Those of the orders that there are. The public id of one of which the row says nothing new, in 32 hexadecimal
    digits; None for one that has to be looked at closer, under its lock."""
    by_unit: dict[int, list[str]] = {}
    for unit_id, reference in orders:
        by_unit.setdefault(unit_id, []).append(reference)
    has_lines = any(order.row.lines for order in orders.values())
    standing: dict[OrderKey, str | None] = {}
    for unit_id, references in by_unit.items():
        # Checked references hold no character that an array's text would have to quote.
        array = f"{{{','.join(references)}}}"
        found = statements.read(STATEMENT, {"unit": unit_id, "references": array, "has_lines": has_lines})
        for reference, public_id, *facts in found:
            is_known = _says_nothing_new(orders[unit_id, reference], facts, store)
            standing[unit_id, reference] = public_id if is_known else None
    return standing


def _says_nothing_new(said: NewOrder, facts: list[Any], store: Store) -> bool:
    store_id, currency, claimed_minor, claimed_at, receipt_number, has_lines = facts
    row = said.row
    return (
        store_id == store.pk
        and claimed_minor == row.amount.amount_minor
        and currency == row.amount.currency
        and claimed_at == row.paid_at
        and (not row.receipt_number or receipt_number == row.receipt_number)
        and (has_lines or not row.lines)
    )
