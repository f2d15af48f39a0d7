"""A till's own receipt number, which is no part of the reference: many tills have the same ones."""

from stores.search.asking import Leg, Search
from stores.search.reading import Row, ask
from stores.search.stages import Stage

MOST = 1_000

# The index holds the number alone, and so is small; store and day are read from the orders that have it.
_BY_RECEIPT = """
SELECT id, seen FROM (
    SELECT id, paid_at, count(*) OVER () AS seen FROM (
        SELECT id, paid_at FROM stores_order
        WHERE receipt_number = ANY (%(numbers)s::text[]) AND receipt_number > ''
          AND (%(store)s::bigint IS NULL OR store_id = %(store)s::bigint)
          AND (%(since)s::timestamptz IS NULL OR (paid_at >= %(since)s::timestamptz AND paid_at < %(until)s::timestamptz))
          AND NOT starts_with(ref_key, %(key)s::text) AND NOT starts_with(reverse(ref_key), %(end)s::text)
        LIMIT %(most)s::bigint
    ) AS first_ones
) AS receipts
WHERE (paid_at, id) < (%(at)s::timestamptz, %(id)s::bigint)
ORDER BY paid_at DESC, id DESC LIMIT %(limit)s::bigint
"""


def by_receipt(search: Search, limit: int) -> Leg:
    """Orders with that receipt number, as it was typed or in capital letters."""
    wanted, after = search.wanted, search.after(Stage.RECEIPT)
    since, until = wanted.day_bounds() or (None, None)
    fixed = {
        "numbers": sorted({written for text in wanted.texts for written in (text, text.upper())}),
        "store": wanted.store.pk if wanted.store else None,
        "since": since,
        "until": until,
        "key": wanted.key,
        "end": wanted.key[::-1],
        "most": MOST,
        "at": after.at,
        "id": after.id,
    }
    seen = 0

    def candidates(count: int) -> list[Row]:
        nonlocal seen
        rows = ask(_BY_RECEIPT, fixed | {"limit": count})
        seen = rows[0][1] if rows else 0
        return rows

    found = search.fill(limit, MOST, candidates) or Leg(orders=[])
    return Leg(orders=found.orders, is_whole=seen < MOST)
