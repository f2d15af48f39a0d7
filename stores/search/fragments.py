"""The last stage: a fragment in the middle of the key. Walks the newest keys first, asks the trigram index last."""

from dataclasses import dataclass

from django.db import connection

from stores.models import Order
from stores.search.asking import Search
from stores.search.cursor import Position
from stores.search.walking import Pattern, candidates, walk

FIRST_WALK = 2_000
LONGEST_WALK = 60_000
TRIGRAM_INDEX = "order_ref_key_trigram"
"""Built by a command where `pg_trgm` exists; without it the walk is all there is."""

_BY_TRIGRAM = """
WITH matching AS MATERIALIZED (
    SELECT id, paid_at FROM stores_order WHERE ref_key LIKE %(like)s AND NOT ref_key LIKE ANY (%(unlike)s)
)
SELECT id FROM matching WHERE (paid_at, id) < (%(at)s, %(id)s)
ORDER BY paid_at DESC, id DESC LIMIT %(candidates)s
"""


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """`is_whole` is False when older orders were not looked at: the asker had better type more."""

    orders: list[Order]
    is_whole: bool


def find_fragment(search: Search, after: Position | None, limit: int) -> Fragments:
    """The newest orders whose key holds the fragment inside, none that starts or ends with it. Bounded in time."""
    key = search.wanted.key
    pattern = Pattern(like=f"%{key}%", unlike=(f"{key}%", f"%{key}"))
    first = walk(search, pattern, after, limit, length=FIRST_WALK) or []
    if len(first) >= limit:
        return Fragments(orders=first, is_whole=True)
    # A fragment that the newest keys show often is found sooner by walking on than by asking the index for all.
    is_common = len(first) * LONGEST_WALK >= limit * FIRST_WALK
    if search.wanted.store is None and not is_common and _has_trigram_index():
        found = candidates(search, _BY_TRIGRAM, pattern, after, limit)
        return Fragments(orders=first if found is None else found, is_whole=found is not None)
    found = walk(search, pattern, after, limit, length=LONGEST_WALK)
    if found is None:
        return Fragments(orders=first, is_whole=False)
    return Fragments(orders=found, is_whole=len(found) >= limit or not _reaches_beyond(search, after))


def _has_trigram_index() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [TRIGRAM_INDEX])
        row = cursor.fetchone()
    return bool(row and row[0])


def _reaches_beyond(search: Search, after: Position | None) -> bool:
    """Whether more orders exist than the longest walk looks at."""
    orders = Order.objects.order_by("-paid_at", "-id")
    if search.wanted.store is not None:
        orders = orders.filter(store=search.wanted.store)
    if after is not None:
        orders = orders.filter(paid_at__lte=after.at)
    return orders[LONGEST_WALK : LONGEST_WALK + 1].exists()
