"""When enough was found, which stages have nothing to say then, and what the asker is told."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stores.search.asking import Leg, Search
from stores.search.stages import Stage

SHORTEST_FRAGMENT = 3
LONG_ENOUGH = {Stage.EXACT: 8, Stage.PREFIX: 6, Stage.ALIKE: 8}
"""From so many characters on, what was found by then hides weaker matches. Vipps references have at least eight (Vipps:
ePayment API), so a shorter text that is a whole one may be part of another too; the last six are what people read out."""


def settles(search: Search, stage: Stage, leg: Leg, is_found: bool) -> bool:
    """Whether weaker matches are only noise after what was found so far, here or on an earlier page."""
    if stage == Stage.PLACED:
        return bool(leg.orders or (search.position and search.position.stage == stage))
    if stage not in LONG_ENOUGH:
        return False
    texts = search.wanted.keys if stage == Stage.EXACT else [search.wanted.key]
    is_long = any(len(text) >= LONG_ENOUGH[stage] for text in texts)
    return is_long and (is_found or search.position is not None)


def is_idle(search: Search, stage: Stage, is_found: bool) -> bool:
    """Whether that stage has nothing to say: too little was typed, or something better was found, perhaps pages ago."""
    is_late = is_found or bool(search.position and search.position.stage < stage)
    if stage == Stage.RECEIPT:
        return is_late and search.wanted.store is None and search.wanted.day is None
    if stage == Stage.ALIKE:
        return is_late
    return stage == Stage.FRAGMENT and len(search.wanted.key) < SHORTEST_FRAGMENT


def hint_for(search: Search, found: list[Stage], limit: int, *, is_whole: bool) -> str | Promise:
    """What would find more, or what was found instead; "" when nothing has to be said."""
    if not found and len(search.wanted.key) < SHORTEST_FRAGMENT:
        return _("Type at least three characters.")
    if Stage.ALIKE in found:
        return _("Nothing is written exactly so. These look alike: O and 0, I and 1, B and 8, S and 5 are easily mixed up.")
    if Stage.PLACED in found and len(found) <= limit:
        return _("These are of the store or the day that stands in what you typed: type more characters for others.")
    if len(found) > limit:
        return ""
    if not is_whole:
        return _("Older orders were not searched: type more characters.")
    is_settled = LONG_ENOUGH[Stage.PREFIX] <= len(search.wanted.key) < LONG_ENOUGH[Stage.EXACT]
    if is_settled and found and found[-1] in (Stage.PREFIX, Stage.SUFFIX):
        return _("These start or end with what you typed: type more characters for others.")
    return ""
