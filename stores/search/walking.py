"""Walking the newest keys: what is common is found among the newest sooner than any index could sort it out."""

from dataclasses import dataclass

from stores.search.asking import Leg, Search
from stores.search.narrowing import Part
from stores.search.reading import Row, ask_within

SHORT_WALK = 2_000
LONGEST_WALK = 60_000
MOST_CANDIDATES = 2_000
"""Candidates are cut before rights and filters are applied, so they may be many more than a page."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Keys that are like one pattern and like none of the others. Keys hold letters and digits, so no wildcards."""

    like: str
    unlike: tuple[str, ...] = ()


_KEYS = """
    SELECT id, paid_at, ref_key FROM stores_order
    WHERE {conditions}
    ORDER BY paid_at DESC, id DESC
"""
_WALK = """
SELECT id FROM ({keys} LIMIT {length}) AS newest
WHERE ref_key LIKE %(like)s AND NOT ref_key LIKE ANY (%(unlike)s)
ORDER BY paid_at DESC, id DESC LIMIT %(limit)s
"""
_BEYOND = "SELECT id FROM ({keys} OFFSET {length} LIMIT 1) AS beyond"


def walk(search: Search, stage: int, pattern: Pattern, *, part: Part, limit: int, length: int) -> Leg | None:
    """Those of the `length` newest orders of the part that fit; None when the time was up."""
    statement = _WALK.format(keys=_keys_of(part), length=length)
    fixed = _bounds(search, stage, part) | {"like": pattern.like, "unlike": list(pattern.unlike)}

    def candidates(count: int) -> list[Row] | None:
        return ask_within(search.purse, statement, fixed | {"limit": count}, in_index_order=True)

    return search.fill(limit, MOST_CANDIDATES, candidates)


def reaches_beyond(search: Search, stage: int, *, part: Part, length: int) -> bool:
    """Whether the part holds more orders than such a walk looks at, or there is no time to know."""
    statement = _BEYOND.format(keys=_keys_of(part), length=length)
    return ask_within(search.purse, statement, _bounds(search, stage, part), in_index_order=True) != []


def _keys_of(part: Part) -> str:
    conditions = ["(paid_at, id) < (%(at)s, %(id)s)"]
    conditions += ["store_id = %(store)s"] if part.store_id is not None else []
    conditions += ["paid_at >= %(since)s"] if part.since is not None else []
    return _KEYS.format(conditions=" AND ".join(conditions))


def _bounds(search: Search, stage: int, part: Part) -> dict[str, object]:
    """From where the walk goes: below what was shown already, and below the part's end."""
    after = search.after(stage)
    is_later = part.until is not None and part.until <= after.at
    at, row_id = (part.until, 0) if is_later else (after.at, after.id)
    bounds: dict[str, object] = {"at": at, "id": row_id}
    bounds |= {"store": part.store_id} if part.store_id is not None else {}
    return bounds | ({"since": part.since} if part.since is not None else {})

