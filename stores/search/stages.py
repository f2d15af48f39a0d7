"""The stages that go by an index of the key: each a bounded statement that mostly reads nothing but the index."""

from enum import IntEnum

from stores.search.asking import Leg, Search
from stores.search.narrowing import asked_part
from stores.search.reading import Row, ask
from stores.search.walking import LONGEST_WALK, SHORT_WALK, Pattern, reaches_beyond, walk

MOST_BY_KEY = 1_000
MOST_BY_PREFIX = 5_000
MOST_BY_SUFFIX = 1_000
SHORTEST_TO_GUESS = 4
COMMON_BELOW = 6
"""Keys shorter than this are so likely common that their newest matches are looked for before their range."""


class Stage(IntEnum):
    """In the order in which hits are shown."""

    RAW = 0
    EXACT = 1
    PREFIX = 2
    SUFFIX = 3
    RECEIPT = 4
    PLACED = 5
    ALIKE = 6
    FRAGMENT = 7


# A chain may use one reference in each of its stores, so the store that was asked for is part of the question.
_BY_KEY = """
SELECT id, reference = ANY (%(raw)s::text[]) AS is_raw FROM stores_order
WHERE ref_key = ANY (%(keys)s::text[]) AND (%(store)s::bigint IS NULL OR store_id = %(store)s::bigint)
  AND ((reference = ANY (%(raw)s::text[]) AND (paid_at, id) < (%(raw_at)s::timestamptz, %(raw_id)s::bigint))
       OR (reference <> ALL (%(raw)s::text[]) AND (paid_at, id) < (%(at)s::timestamptz, %(id)s::bigint)))
ORDER BY is_raw DESC, paid_at DESC, id DESC LIMIT %(limit)s::bigint
"""

# From its upper end: where keys begin with a day or count upwards, the last ones are the newest.
_BY_PREFIX = """
SELECT id, seen FROM (
    SELECT id, paid_at, count(*) OVER () AS seen FROM (
        SELECT id, paid_at FROM stores_order WHERE ref_key > %(low)s::text AND ref_key < %(high)s::text
        ORDER BY ref_key DESC, paid_at DESC, id DESC LIMIT %(most)s::bigint
    ) AS first_ones
) AS ends
WHERE (paid_at, id) < (%(at)s::timestamptz, %(id)s::bigint)
ORDER BY paid_at DESC, id DESC LIMIT %(limit)s::bigint
"""
_BY_SUFFIX = """
SELECT id, seen FROM (
    SELECT id, paid_at, ref_key, count(*) OVER () AS seen FROM (
        SELECT id, paid_at, ref_key FROM stores_order
        WHERE reverse(ref_key) >= %(low)s::text AND reverse(ref_key) < %(high)s::text
        ORDER BY reverse(ref_key), paid_at, id LIMIT %(most)s::bigint
    ) AS first_ones
) AS ends
WHERE (paid_at, id) < (%(at)s::timestamptz, %(id)s::bigint) AND NOT starts_with(ref_key, %(key)s::text)
ORDER BY paid_at DESC, id DESC LIMIT %(limit)s::bigint
"""


def exact(search: Search, limit: int) -> Leg:
    """The whole reference: letter for letter first, then in any case, with or without separators."""
    wanted, raw, other = search.wanted, search.after(Stage.RAW), search.after(Stage.EXACT)
    fixed = {"raw": list(wanted.texts), "keys": wanted.keys, "store": wanted.store.pk if wanted.store else None}
    places = {"raw_at": raw.at, "raw_id": raw.id, "at": other.at, "id": other.id, "limit": MOST_BY_KEY}
    rows = ask(_BY_KEY, fixed | places)
    orders = search.load([row_id for row_id, is_raw in rows if is_raw], limit)
    orders += search.load([row_id for row_id, is_raw in rows if not is_raw], limit - len(orders))
    return Leg(orders=orders)


def prefix(search: Search, limit: int) -> Leg:
    """The first characters, as a range over the key's index."""
    key = search.wanted.key
    pattern = Pattern(like=f"{key}%", unlike=(key,))
    return _range(search, Stage.PREFIX, pattern, _BY_PREFIX, key, most=MOST_BY_PREFIX, limit=limit)


def suffix(search: Search, limit: int) -> Leg:
    """The last characters, as a range over the reversed key's index."""
    key = search.wanted.key
    pattern = Pattern(like=f"%{key}", unlike=(f"{key}%",))
    return _range(search, Stage.SUFFIX, pattern, _BY_SUFFIX, key[::-1], most=MOST_BY_SUFFIX, limit=limit)


def _range(search: Search, stage: Stage, pattern: Pattern, statement: str, start: str, *, most: int, limit: int) -> Leg:
    """A page of the newest where the key is common, else of the range: one that was cut short has not the newest."""
    is_likely_common = len(search.wanted.key) < COMMON_BELOW
    if is_likely_common and (newest := _newest(search, stage, pattern, limit)):
        return newest
    after = search.after(stage)
    fixed = {"low": start, "high": after_start(start), "key": search.wanted.key, "at": after.at, "id": after.id, "most": most}
    seen = 0

    def candidates(count: int) -> list[Row]:
        nonlocal seen
        rows = ask(statement, fixed | {"limit": count})
        seen = rows[0][1] if rows else 0
        return rows

    found = search.fill(limit, most, candidates) or Leg(orders=[])
    if seen < most:
        return found
    newest = None if is_likely_common else _newest(search, stage, pattern, limit)
    return newest or Leg(orders=found.orders, is_whole=False)


def _newest(search: Search, stage: Stage, pattern: Pattern, limit: int) -> Leg | None:
    """What walking finds, if it is a page or all that there is."""
    asked = asked_part(search.wanted)
    for part in (asked, *search.guessed_parts) if len(search.wanted.key) >= SHORTEST_TO_GUESS else (asked,):
        length = SHORT_WALK if part.is_everything else LONGEST_WALK
        found = walk(search, stage, pattern, part=part, limit=limit, length=length)
        if found is None or len(found.orders) >= limit:
            return found
        is_asked = part == asked and not part.is_everything
        if is_asked and found.is_whole and not reaches_beyond(search, stage, part=part, length=length):
            return found
    return None


def after_start(start: str) -> str:
    """The first text after all that begin so; keys are ASCII in collation "C"."""
    return start[:-1] + chr(ord(start[-1]) + 1)

