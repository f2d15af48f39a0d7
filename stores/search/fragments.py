"""The last stage: a fragment in the middle of the key. Walks the newest keys first, asks the trigram index last."""

from dataclasses import dataclass
from typing import Any

import psycopg.errors
from django.db import OperationalError, connection, transaction

from stores.models import Order
from stores.search.cursor import Position
from stores.search.stages import Search

FIRST_WALK = 2_000
LONGEST_WALK = 60_000
TIMEOUT_MS = 250
TRIGRAM_INDEX = "order_ref_key_trigram"
"""Built by a command where `pg_trgm` exists; without it the walk is all there is."""

_WALK = """
SELECT id FROM (
    SELECT id, paid_at, ref_key FROM stores_order
    WHERE (paid_at, id) < (%(at)s, %(id)s) AND (%(store)s::bigint IS NULL OR store_id = %(store)s)
    ORDER BY paid_at DESC, id DESC LIMIT %(walk)s
) AS newest
WHERE ref_key LIKE %(inside)s AND ref_key NOT LIKE %(first)s AND ref_key NOT LIKE %(last)s
ORDER BY paid_at DESC, id DESC LIMIT %(candidates)s
"""

_BY_TRIGRAM = """
WITH matching AS MATERIALIZED (
    SELECT id, paid_at FROM stores_order
    WHERE ref_key LIKE %(inside)s AND ref_key NOT LIKE %(first)s AND ref_key NOT LIKE %(last)s
)
SELECT id FROM matching WHERE (paid_at, id) < (%(at)s, %(id)s)
ORDER BY paid_at DESC, id DESC LIMIT %(candidates)s
"""

# Candidates are cut before rights and filters are applied, so they are many more than a page.
_CANDIDATES = 2_000


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """`is_whole` is False when older orders were not looked at: the asker had better type more."""

    orders: list[Order]
    is_whole: bool


def find_fragment(search: Search, after: Position | None, limit: int) -> Fragments:
    """The newest orders whose key holds the fragment inside, none that starts or ends with it. Bounded in time."""
    first, _ = _hits(search, after, limit, _WALK, FIRST_WALK)
    if len(first) >= limit:
        return Fragments(orders=first, is_whole=True)
    has_index = search.wanted.store is None and _has_trigram_index()
    # A fragment that the newest keys show often is found sooner by walking on than by asking the index for all.
    is_common = len(first) * LONGEST_WALK >= limit * FIRST_WALK
    if has_index and not is_common:
        found, was_cut = _hits(search, after, limit, _BY_TRIGRAM, 0)
        return Fragments(orders=first if was_cut else found, is_whole=not was_cut)
    found, was_cut = _hits(search, after, limit, _WALK, LONGEST_WALK)
    is_whole = len(found) >= limit or (not was_cut and not _reaches_beyond(search, after))
    return Fragments(orders=first if was_cut else found, is_whole=is_whole)


def _hits(search: Search, after: Position | None, limit: int, statement: str, walk: int) -> tuple[list[Order], bool]:
    """The orders, and whether the database was stopped before it was done."""
    key, store = search.wanted.key, search.wanted.store
    parameters: dict[str, Any] = {
        "at": after.at if after else "infinity",
        "id": after.id if after else 0,
        "store": store.pk if store else None,
        "walk": walk,
        "candidates": _CANDIDATES,
        "inside": f"%{key}%",
        "first": f"{key}%",
        "last": f"%{key}",
    }
    ids = _within_time(statement, parameters)
    if ids is None:
        return [], True
    return search.page(search.visible.filter(id__in=ids), after, limit), False


def _within_time(statement: str, parameters: dict[str, Any]) -> list[int] | None:
    """The statement's ids, or None when it was cancelled for taking too long."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('statement_timeout')")
            (before,) = cursor.fetchone() or ("0",)
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{TIMEOUT_MS}ms"])
            cursor.execute(statement, parameters)
            ids = [row_id for (row_id,) in cursor.fetchall()]
            # An outer transaction would keep the short time for everything that comes after this search.
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])
            return ids
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            return None
        raise


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
