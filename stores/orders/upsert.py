"""The SQL of a sync: one statement writes the orders, one their lines, one reads what was left as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from stores import clock
from stores.models import Store, reference_key
from stores.orders.merging import APART_SECONDS, MAY_DISAGREE, OrderKey
from stores.orders.placed import NewOrder
from stores.orders.rows import LineRow, quantity_of

# What stores claimed, of the time: beside Vipps' time where that is known. The latest of one day counts, in any order.
_CLAIMED_AT = "(CASE WHEN known.paid_at_from = 1 THEN known.paid_at ELSE known.claimed_paid_at END)"
_IS_SAME_DAY = f"""coalesce(
    ({_CLAIMED_AT} AT TIME ZONE %(zone)s)::date = ({{said}}.paid_at AT TIME ZONE %(zone)s)::date, true)"""

# An existing order is written to only where nothing contradicts and something is new: an unchanged sync leaves no dead
# rows. The lock on the row is taken all the same, so that what is read afterwards stays true until commit.
_UPSERT = f"""
INSERT INTO stores_order AS known (public_id, sales_unit_id, store_id, reference, ref_key, channel, currency,
                                   claimed_minor, paid_at, receipt_number, indexed_at, updated_at)
SELECT public_id, sales_unit_id, %(store)s, reference, ref_key, channel, currency, claimed_minor, paid_at,
       receipt_number, %(now)s, %(now)s
FROM unnest(%(public_ids)s::uuid[], %(units)s::bigint[], %(references)s::text[], %(ref_keys)s::text[],
            %(channels)s::text[], %(currencies)s::text[], %(amounts)s::bigint[], %(moments)s::timestamptz[],
            %(receipts)s::text[])
     AS row (public_id, sales_unit_id, reference, ref_key, channel, currency, claimed_minor, paid_at, receipt_number)
ORDER BY sales_unit_id, reference COLLATE "C"
ON CONFLICT (sales_unit_id, reference) DO UPDATE
SET claimed_minor = excluded.claimed_minor,
    channel = CASE WHEN known.paid_at_from = 1 AND excluded.paid_at > known.paid_at
              THEN excluded.channel ELSE known.channel END,
    paid_at = CASE WHEN known.paid_at_from = 1 THEN greatest(known.paid_at, excluded.paid_at) ELSE known.paid_at END,
    claimed_paid_at = CASE WHEN known.paid_at_from > 1 THEN greatest(known.claimed_paid_at, excluded.paid_at) END,
    receipt_number = coalesce(nullif(excluded.receipt_number, ''), known.receipt_number),
    updated_at = excluded.updated_at
WHERE known.store_id = excluded.store_id
  AND known.currency = excluded.currency
  AND coalesce(known.claimed_minor, excluded.claimed_minor) = excluded.claimed_minor
  AND {_IS_SAME_DAY.format(said="excluded")}
  AND (known.claimed_minor, {_CLAIMED_AT}, known.receipt_number)
      IS DISTINCT FROM
      (excluded.claimed_minor, greatest({_CLAIMED_AT}, excluded.paid_at),
       coalesce(nullif(excluded.receipt_number, ''), known.receipt_number))
RETURNING id, public_id, sales_unit_id, reference, xmax = 0, {MAY_DISAGREE}
"""  # noqa: S608  # made of constants; values are parameters

_KNOWN = f"""
SELECT known.id, known.public_id, known.sales_unit_id, known.reference, known.store_id, known.currency, known.claimed_minor,
       {_IS_SAME_DAY.format(said="row")}
FROM unnest(%(units)s::bigint[], %(references)s::text[], %(moments)s::timestamptz[])
     AS row (sales_unit_id, reference, paid_at)
JOIN stores_order AS known ON known.sales_unit_id = row.sales_unit_id AND known.reference = row.reference
"""  # noqa: S608  # as above

_LINES = """
WITH added AS (
    INSERT INTO stores_orderline (order_id, number, name, sku, quantity, amount_minor)
    SELECT row.order_id, row.number, row.name, row.sku, row.quantity, row.amount_minor
    FROM unnest(%(orders)s::bigint[], %(numbers)s::smallint[], %(names)s::text[], %(skus)s::text[],
                %(quantities)s::numeric[], %(amounts)s::bigint[])
         AS row (order_id, number, name, sku, quantity, amount_minor)
    WHERE NOT EXISTS (SELECT 1 FROM stores_orderline AS line WHERE line.order_id = row.order_id)
    RETURNING order_id
)
SELECT DISTINCT order_id FROM added
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """An order that was inserted or updated. `may_disagree`: Vipps has told of it too, perhaps otherwise."""

    id: int
    public_id: UUID
    is_new: bool
    may_disagree: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """An order that was not written to, as it stands. `claimed_minor` is None where no store has claimed any."""

    id: int
    public_id: UUID
    store_id: int
    currency: str
    claimed_minor: int | None
    is_same_day: bool


def write_orders(orders: Sequence[NewOrder], *, store: Store, now: datetime) -> dict[OrderKey, Written]:
    """Insert or update in one statement; keys that are missing from the answer were left as they are."""
    parameters: dict[str, Any] = {
        "store": store.pk,
        "zone": store.time_zone,
        "now": now,
        "apart": APART_SECONDS,
        "public_ids": [clock.new_id() for _ in orders],
        "units": [order.link.unit_id for order in orders],
        "references": [order.row.reference for order in orders],
        "ref_keys": [reference_key(order.row.reference) for order in orders],
        "channels": [order.link.channel for order in orders],
        "currencies": [order.link.currency for order in orders],
        "amounts": [order.row.amount.amount_minor for order in orders],
        "moments": [order.row.paid_at for order in orders],
        "receipts": [order.row.receipt_number for order in orders],
    }
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, parameters)
        return {
            (unit_id, reference): Written(id=row_id, public_id=public_id, is_new=is_new, may_disagree=bool(may_disagree))
            for row_id, public_id, unit_id, reference, is_new, may_disagree in cursor.fetchall()
        }


def read_known(orders: Sequence[NewOrder], *, store: Store) -> dict[OrderKey, Known]:
    """What the hub knows of these orders, compared by the store's calendar day."""
    if not orders:
        return {}
    parameters: dict[str, Any] = {
        "zone": store.time_zone,
        "units": [order.link.unit_id for order in orders],
        "references": [order.row.reference for order in orders],
        "moments": [order.row.paid_at for order in orders],
    }
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, parameters)
        return {
            (unit_id, reference): Known(
                id=row_id,
                public_id=public_id,
                store_id=store_id,
                currency=currency,
                claimed_minor=claimed_minor,
                is_same_day=is_same_day,
            )
            for row_id, public_id, unit_id, reference, store_id, currency, claimed_minor, is_same_day in cursor
        }


def write_lines(lines: dict[int, tuple[LineRow, ...]], *, now: datetime) -> set[int]:
    """Give lines to the orders (by primary key) that have none yet; returns those that got them."""
    flat = [(order_id, number, line) for order_id, of in lines.items() for number, line in enumerate(of, start=1)]
    if not flat:
        return set()
    parameters: dict[str, Any] = {
        "orders": [order_id for order_id, _, _ in flat],
        "numbers": [number for _, number, _ in flat],
        "names": [line.name for _, _, line in flat],
        "skus": [line.sku for _, _, line in flat],
        "quantities": [quantity_of(line) for _, _, line in flat],
        "amounts": [line.amount_minor for _, _, line in flat],
    }
    with connection.cursor() as cursor:
        cursor.execute(_LINES, parameters)
        changed = {order_id for (order_id,) in cursor.fetchall()}
        if changed:
            cursor.execute(
                "UPDATE stores_order SET updated_at = %s WHERE id = ANY(%s) AND updated_at < %s",
                [now, list(changed), now],
            )
    return changed
