"""A fragment that names its store or its day: only that store's orders, or those of that time, are walked."""

from stores.search.asking import Leg, Search
from stores.search.stages import SHORTEST_TO_GUESS, Stage
from stores.search.walking import LONGEST_WALK, Pattern, reaches_beyond, walk


def placed(search: Search, limit: int) -> Leg:
    """The newest orders that hold the fragment inside, of the likeliest store and time that have any."""
    key = search.wanted.key
    if len(key) < SHORTEST_TO_GUESS:
        return Leg(orders=[])
    pattern = Pattern(like=f"%{key}%", unlike=(f"{key}%", f"%{key}"))
    for part in search.guessed_parts:
        if search.position and search.position.stage == Stage.PLACED and not part.holds(search.position.at):
            continue
        found = walk(search, Stage.PLACED, pattern, part=part, limit=limit, length=LONGEST_WALK)
        if found is None:
            return Leg(orders=[], is_whole=False)
        if found.orders:
            is_page = len(found.orders) >= limit
            is_whole = is_page or not reaches_beyond(search, Stage.PLACED, part=part, length=LONGEST_WALK)
            return Leg(orders=found.orders, is_whole=found.is_whole and is_whole)
    return Leg(orders=[])
