"""The last stage: a fragment in the middle of the key. Walks the newest keys first, asks the trigram index last."""

from stores.search.asking import Leg, Search
from stores.search.indexes import TRIGRAM_INDEX
from stores.search.narrowing import asked_part
from stores.search.reading import Row, ask, ask_within
from stores.search.stages import Stage
from stores.search.walking import LONGEST_WALK, MOST_CANDIDATES, SHORT_WALK, Pattern, reaches_beyond, walk

_BY_TRIGRAM = """
WITH matching AS MATERIALIZED (
    SELECT id, paid_at FROM stores_order WHERE ref_key LIKE %(like)s AND NOT ref_key LIKE ANY (%(unlike)s)
)
SELECT id FROM matching WHERE (paid_at, id) < (%(at)s, %(id)s)
ORDER BY paid_at DESC, id DESC LIMIT %(limit)s
"""
_IS_THERE = "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(%(name)s) AND indisvalid)"


def find_fragment(search: Search, limit: int) -> Leg:
    """The newest orders whose key holds the fragment inside, none that starts or ends with it. Bounded in time."""
    key = search.wanted.key
    pattern = Pattern(like=f"%{key}%", unlike=(f"{key}%", f"%{key}"))
    known = Leg(orders=[], is_whole=False)
    part = asked_part(search.wanted)
    if part.is_everything:
        known = walk(search, Stage.FRAGMENT, pattern, part=part, limit=limit, length=SHORT_WALK) or known
        if len(known.orders) >= limit:
            return known
        if length := _promising_walk(len(known.orders), limit):
            known = walk(search, Stage.FRAGMENT, pattern, part=part, limit=limit, length=length) or _cut(known)
        if len(known.orders) >= limit:
            return known
        if _has_trigram_index():
            return _by_trigram(search, pattern, limit) or _cut(known)
    found = walk(search, Stage.FRAGMENT, pattern, part=part, limit=limit, length=LONGEST_WALK)
    if found is None or len(found.orders) >= limit:
        return found or _cut(known)
    is_whole = found.is_whole and not reaches_beyond(search, Stage.FRAGMENT, part=part, length=LONGEST_WALK)
    return Leg(orders=found.orders, is_whole=is_whole)


def _promising_walk(hits: int, limit: int) -> int:
    """How far to walk where the newest keys show the fragment so often that a page comes of it, 0 where they do not."""
    wanted = 2 * limit * SHORT_WALK
    return wanted // hits if hits * LONGEST_WALK >= wanted else 0


def _by_trigram(search: Search, pattern: Pattern, limit: int) -> Leg | None:
    after = search.after(Stage.FRAGMENT)
    fixed = {"like": pattern.like, "unlike": list(pattern.unlike), "at": after.at, "id": after.id}

    def candidates(count: int) -> list[Row] | None:
        return ask_within(search.purse, _BY_TRIGRAM, fixed | {"limit": count})

    return search.fill(limit, MOST_CANDIDATES, candidates)


def _cut(known: Leg) -> Leg:
    return Leg(orders=known.orders, is_whole=False)


def _has_trigram_index() -> bool:
    return bool(ask(_IS_THERE, {"name": TRIGRAM_INDEX})[0][0])
