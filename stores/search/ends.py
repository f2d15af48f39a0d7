"""The last and the first characters of a reference, as ranges over the key's indexes that read nothing but the index."""

from stores.search.asking import NEWEST, Leg, Search
from stores.search.narrowing import asked_part
from stores.search.reading import Row, ask
from stores.search.stages import SHORTEST_TO_GUESS, Stage, after_start
from stores.search.walking import LONGEST_WALK, SHORT_WALK, Pattern, reaches_beyond, walk

MOST_BY_PREFIX = 5_000
MOST_BY_SUFFIX = 1_000
COMMON_BELOW = 6
"""Keys shorter than this are so likely common that their newest matches are looked for before their range."""

# From its upper end: where keys begin with a day or count upwards, the last ones are the newest. `seen` tells whether the
# range was longer than what was looked at.
_BY_PREFIX = """
SELECT {stage} AS stage, id, paid_at, seen FROM (
    SELECT id, paid_at, ref_key, count(*) OVER () AS seen FROM (
        SELECT id, paid_at, ref_key FROM stores_order WHERE ref_key > %(start)s::text AND ref_key < %(after_start)s::text
        ORDER BY ref_key DESC, paid_at DESC, id DESC LIMIT {most}
    ) AS first_ones
) AS started
WHERE NOT starts_with(reverse(ref_key), %(end)s::text) {after} ORDER BY paid_at DESC, id DESC LIMIT {limit}
"""
_BY_SUFFIX = """
SELECT {stage} AS stage, id, paid_at, seen FROM (
    SELECT id, paid_at, count(*) OVER () AS seen FROM (
        SELECT id, paid_at FROM stores_order
        WHERE reverse(ref_key) > %(end)s::text AND reverse(ref_key) < %(after_end)s::text
        ORDER BY reverse(ref_key), paid_at, id LIMIT {most}
    ) AS first_ones
) AS ended
WHERE true {after} ORDER BY paid_at DESC, id DESC LIMIT {limit}
"""
_AFTER = "AND (paid_at, id) < (%(at)s::timestamptz, %(id)s::bigint)"


def suffix(search: Search, limit: int) -> Leg:
    """References that end so."""
    key = search.wanted.key
    return _range(search, Stage.SUFFIX, Pattern(like=f"%{key}", unlike=(key,)), most=MOST_BY_SUFFIX, limit=limit)


def prefix(search: Search, limit: int) -> Leg:
    """References that start so, and do not end so."""
    key = search.wanted.key
    return _range(search, Stage.PREFIX, Pattern(like=f"{key}%", unlike=(f"%{key}",)), most=MOST_BY_PREFIX, limit=limit)


def _range(search: Search, stage: Stage, pattern: Pattern, *, most: int, limit: int) -> Leg:
    """A page of the newest where the key is common, else of the range: one that was cut short has not the newest."""
    is_likely_common = len(search.wanted.key) < COMMON_BELOW
    if is_likely_common and (newest := _newest(search, stage, pattern, limit)):
        return newest
    seen = 0

    def candidates(count: int) -> list[Row]:
        nonlocal seen
        rows = _rows(search, stage, count)
        # A later page of a range that was cut short may lie beyond what was looked at.
        seen = rows[0][3] if rows else 0 if search.after(stage) == NEWEST else most
        return [(row[1],) for row in rows]

    found = search.fill(limit, most, candidates) or Leg(orders=[])
    if seen < most:
        return found
    newest = None if is_likely_common else _newest(search, stage, pattern, limit)
    return newest or Leg(orders=found.orders, is_whole=False)


def _rows(search: Search, stage: Stage, count: int) -> list[Row]:
    """The first `count` rows. On a first page both ends are asked for in one go: mostly neither has more than a few."""
    key, after = search.wanted.key, search.after(stage)
    fixed = {
        "start": key,
        "after_start": after_start(key),
        "end": key[::-1],
        "after_end": after_start(key[::-1]),
        "at": after.at,
        "id": after.id,
    }
    if search.position is not None or search.wanted.amount_minor is not None:
        return ask(_statement(stage, count, goes_on=after != NEWEST), fixed)
    if not search.ends:
        both = " UNION ALL ".join(f"({_statement(each, count, goes_on=False)})" for each in (Stage.PREFIX, Stage.SUFFIX))
        search.ends.append((count, ask(both, fixed)))
    asked, rows = search.ends[0]
    mine = sorted((row for row in rows if row[0] == stage), key=lambda row: (row[2], row[1]), reverse=True)
    if count <= asked or len(mine) < asked:
        return mine[:count]
    return ask(_statement(stage, count, goes_on=False), fixed)


def _statement(stage: Stage, count: int, *, goes_on: bool) -> str:
    template, most = (_BY_PREFIX, MOST_BY_PREFIX) if stage == Stage.PREFIX else (_BY_SUFFIX, MOST_BY_SUFFIX)
    return template.format(stage=int(stage), most=most, after=_AFTER if goes_on else "", limit=count)


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
