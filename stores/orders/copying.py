"""New orders, written the fastest way there is: COPY. It knows no conflict, so whoever finds one writes nothing here."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from django.db import IntegrityError, connection, transaction
from psycopg.errors import UniqueViolation

from stores import clock, statements
from stores.models import Store, reference_key
from stores.orders.placed import NewOrder
from stores.orders.rows import quantity_of

_ORDERS = """
COPY stores_order (public_id, sales_unit_id, store_id, reference, ref_key, channel, currency, claimed_minor, paid_at,
                   receipt_number, indexed_at, updated_at) FROM STDIN
"""
_LINES = "COPY stores_orderline (order_id, number, name, sku, quantity, amount_minor) FROM STDIN"
_IDS = """
SELECT known.id, known.reference FROM stores_order AS known
WHERE known.sales_unit_id = %(unit)s AND known.reference = ANY ((SELECT %(references)s::text[])::text[])
"""
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ROWS_A_WRITE = 500
"""PostgreSQL takes in what it was given while the next rows are being written down."""


def copy_orders(orders: Sequence[NewOrder], *, store: Store, now: datetime) -> list[str] | None:
    """Insert the orders with their lines, in the order of their keys; their public ids, each 32 hexadecimal digits.

    None where one of them has come into being meanwhile: then none was inserted.
    """
    public_ids = clock.new_ids(len(orders))
    try:
        with transaction.atomic(), connection.wrap_database_errors:
            _copy(_ORDERS, _order_lines(orders, public_ids, store, now))
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            return None
        raise
    _copy_lines([order for order in orders if order.row.lines])
    return public_ids


def _copy(statement: str, lines: Iterator[str]) -> None:
    with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
        while part := "".join(islice(lines, _ROWS_A_WRITE)):
            copy.write(part)


def _order_lines(orders: Sequence[NewOrder], public_ids: Sequence[str], store: Store, now: datetime) -> Iterator[str]:
    """As COPY's text format wants them. Checked references, amounts and times hold nothing to escape; a receipt may."""
    at, store_id = now.isoformat(), store.pk
    for order, public_id in zip(orders, public_ids, strict=True):
        row, link = order.row, order.link
        receipt = row.receipt_number
        if not receipt.isalnum():
            receipt = receipt.translate(_ESCAPED)
        yield (
            f"{public_id}\t{link.unit_id}\t{store_id}\t{row.reference}\t{reference_key(row.reference)}\t{link.channel}\t"
            f"{link.currency}\t{row.amount.amount_minor}\t{row.paid_at.isoformat()}\t{receipt}\t{at}\t{at}\n"
        )


def _copy_lines(orders: Sequence[NewOrder]) -> None:
    if not orders:
        return
    by_unit: dict[int, dict[str, NewOrder]] = {}
    for order in orders:
        by_unit.setdefault(order.link.unit_id, {})[order.row.reference] = order
    for unit_id, named in by_unit.items():
        found = statements.read(_IDS, {"unit": unit_id, "references": f"{{{','.join(named)}}}"})
        _copy(_LINES, _line_lines(named, {reference: row_id for row_id, reference in found}))


def _line_lines(named: dict[str, NewOrder], ids: dict[str, int]) -> Iterator[str]:
    for reference, order in named.items():
        for number, line in enumerate(order.row.lines, start=1):
            name, sku = line.name.translate(_ESCAPED), line.sku.translate(_ESCAPED)
            yield f"{ids[reference]}\t{number}\t{name}\t{sku}\t{quantity_of(line)}\t{line.amount_minor}\n"
