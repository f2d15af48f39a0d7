"""What looks alike on paper: O and 0, I, l and 1, B and 8, S and 5. Asked for when nothing is written as it was typed."""

from collections.abc import Iterator
from itertools import combinations, islice, product

from stores.search.asking import Leg, Search
from stores.search.reading import Row, ask_within
from stores.search.stages import Stage, after_start

MOST_VARIANTS = 512
"""Half of all references have fewer. Asking for so many takes half a millisecond for a million orders, without an index of
its own; an index of folded keys would answer in a tenth of that, and cost 38 MB for a million orders and every sync."""
SHORTEST = 4
_GROUPS = ("O0", "I1L", "B8", "S5")
_GROUP_OF = {character: group for group in _GROUPS for character in group}
_MOST = 1_000

# Each variant is a short look into an index. A column of an array has not the collation of the keys by itself.
_BY_VARIANTS = """
SELECT id FROM (
    SELECT started.id, started.paid_at
    FROM unnest(%(starts)s::text[], %(after_starts)s::text[]) AS variant (low, high) CROSS JOIN LATERAL (
        SELECT id, paid_at FROM stores_order
        WHERE ref_key >= variant.low COLLATE "C" AND ref_key < variant.high COLLATE "C"
        ORDER BY ref_key DESC, paid_at DESC, id DESC LIMIT 100
    ) AS started
    UNION
    SELECT ended.id, ended.paid_at
    FROM unnest(%(ends)s::text[], %(after_ends)s::text[]) AS variant (low, high) CROSS JOIN LATERAL (
        SELECT id, paid_at FROM stores_order
        WHERE reverse(ref_key) >= variant.low COLLATE "C" AND reverse(ref_key) < variant.high COLLATE "C"
        ORDER BY reverse(ref_key), paid_at, id LIMIT 100
    ) AS ended
) AS alike
WHERE (paid_at, id) < (%(at)s, %(id)s)
ORDER BY paid_at DESC, id DESC LIMIT %(limit)s
"""


def alike(search: Search, limit: int) -> Leg:
    """Orders whose reference starts or ends with something that looks like the key and is not the key."""
    key, after = search.wanted.key, search.after(Stage.ALIKE)
    variants = list(variants_of(key)) if len(key) >= SHORTEST else []
    if not variants:
        return Leg(orders=[])
    ends = [variant[::-1] for variant in variants]
    fixed = {
        "starts": variants,
        "after_starts": [after_start(start) for start in variants],
        "ends": ends,
        "after_ends": [after_start(end) for end in ends],
        "at": after.at,
        "id": after.id,
    }

    def candidates(count: int) -> list[Row] | None:
        return ask_within(search.purse, _BY_VARIANTS, fixed | {"limit": count})

    return search.fill(limit, _MOST, candidates) or Leg(orders=[], is_whole=False)


def variants_of(key: str) -> Iterator[str]:
    """At most MOST_VARIANTS keys that look like this one, likely mistakes first: one sign for another throughout, then
    one character, then two, and so on."""
    seen = {key}
    swaps = (variant for variants in (_throughout(key), _here_and_there(key)) for variant in variants)
    fresh = (variant for variant in swaps if not (variant in seen or seen.add(variant)))  # type: ignore[func-returns-value]
    return islice(fresh, MOST_VARIANTS)


def _throughout(key: str) -> Iterator[str]:
    present = [group for group in _GROUPS if any(character in group for character in key)]
    for chosen in product(*(("", *group) for group in present)):
        signs = {sign: new for group, new in zip(present, chosen, strict=True) if new for sign in group}
        yield "".join(signs.get(character, character) for character in key)


def _here_and_there(key: str) -> Iterator[str]:
    places = [place for place, character in enumerate(key) if character in _GROUP_OF]
    for count in range(1, len(places) + 1):
        for chosen in combinations(places, count):
            for signs in product(*(_GROUP_OF[key[place]].replace(key[place], "") for place in chosen)):
                characters = list(key)
                for place, sign in zip(chosen, signs, strict=True):
                    characters[place] = sign
                yield "".join(characters)
