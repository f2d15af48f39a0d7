"""Walking the newest keys: what is common is found among the newest sooner than any index could sort it out."""

from dataclasses import dataclass
from typing import Any

import psycopg.errors
from django.db import OperationalError, connection, transaction

from stores.models import Order
from stores.search.asking import Search
from stores.search.cursor import Position

TIMEOUT_MS = 250

_WALK = """
SELECT id FROM (
    SELECT id, paid_at, ref_key FROM stores_order
    WHERE (paid_at, id) < (%(at)s, %(id)s) AND (%(store)s::bigint IS NULL OR store_id = %(store)s)
    ORDER BY paid_at DESC, id DESC LIMIT %(length)s
) AS newest
WHERE ref_key LIKE %(like)s AND NOT ref_key LIKE ANY (%(unlike)s)
ORDER BY paid_at DESC, id DESC LIMIT %(candidates)s
"""

# Candidates are cut before rights and filters are applied, so they are many more than a page.
_CANDIDATES = 2_000


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Keys that are like one pattern and like none of the others. Keys hold letters and digits, so no wildcards."""

    like: str
    unlike: tuple[str, ...]


def walk(search: Search, pattern: Pattern, after: Position | None, limit: int, *, length: int) -> list[Order] | None:
    """Those of the `length` newest orders that fit, newest first; None when the time was up."""
    return candidates(search, _WALK, pattern, after, limit, length=length)


def candidates(
    search: Search, statement: str, pattern: Pattern, after: Position | None, limit: int, *, length: int = 0
) -> list[Order] | None:
    """The orders whose ids the statement finds and which the asker may see; None when the time was up."""
    store = search.wanted.store
    parameters: dict[str, Any] = {
        "at": after.at if after else "infinity",
        "id": after.id if after else 0,
        "store": store.pk if store else None,
        "length": length,
        "candidates": _CANDIDATES,
        "like": pattern.like,
        "unlike": list(pattern.unlike),
    }
    ids = _within_time(statement, parameters)
    return None if ids is None else search.page(search.visible.filter(id__in=ids), after, limit)


def _within_time(statement: str, parameters: dict[str, Any]) -> list[int] | None:
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
