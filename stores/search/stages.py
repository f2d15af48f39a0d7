"""The stages of a search by reference, each a bounded statement of its own; each yields what no earlier one did."""

from collections.abc import Callable
from enum import IntEnum

from django.db.models import QuerySet
from django.db.models.functions import Reverse

from stores.models import Order
from stores.search.asking import Search
from stores.search.cursor import Position
from stores.search.walking import Pattern, walk

MOST_BY_PREFIX = 5_000
MOST_BY_SUFFIX = 1_000
COMMON_BELOW = 6
"""Keys shorter than this may be so common that their newest matches are found by walking, not by their range."""
SHORT_WALK = 2_000


class Stage(IntEnum):
    """In the order in which hits are shown."""

    RAW = 0
    EXACT = 1
    PREFIX = 2
    SUFFIX = 3
    FRAGMENT = 4


def raw(search: Search, after: Position | None, limit: int) -> list[Order]:
    """The reference letter for letter. Goes by the key's index: the raw reference alone has none across units."""
    wanted = search.wanted
    return search.page(search.visible.filter(ref_key=wanted.key, reference=wanted.raw), after, limit)


def exact(search: Search, after: Position | None, limit: int) -> list[Order]:
    """The whole reference in any case, with or without separators."""
    wanted = search.wanted
    return search.page(search.visible.filter(ref_key=wanted.key).exclude(reference=wanted.raw), after, limit)


def prefix(search: Search, after: Position | None, limit: int) -> list[Order]:
    """The first characters, as a range over the key's index."""
    key = search.wanted.key
    range_ = Order.objects.filter(ref_key__gt=key, ref_key__lt=_after_prefix(key)).order_by("ref_key", "paid_at", "id")
    candidates = search.visible.filter(id__in=range_.values("id")[:MOST_BY_PREFIX])
    return _common_or(search, Pattern(like=f"{key}%", unlike=(key,)), candidates, after, limit)


def suffix(search: Search, after: Position | None, limit: int) -> list[Order]:
    """The last characters, as a range over the reversed key's index."""
    key = search.wanted.key
    range_ = Order.objects.annotate(reversed_key=Reverse("ref_key")).filter(reversed_key__startswith=key[::-1])
    candidates = search.visible.filter(id__in=range_.values("id")[:MOST_BY_SUFFIX]).exclude(ref_key__startswith=key)
    return _common_or(search, Pattern(like=f"%{key}", unlike=(f"{key}%",)), candidates, after, limit)


def _common_or(
    search: Search, pattern: Pattern, candidates: QuerySet[Order], after: Position | None, limit: int
) -> list[Order]:
    """A page of the newest where the key is common, else of the candidates: a range cut short has not the newest."""
    if len(search.wanted.key) < COMMON_BELOW:
        newest = walk(search, pattern, after, limit, length=SHORT_WALK)
        if newest is not None and len(newest) >= limit:
            return newest
    return search.page(candidates, after, limit)


def _after_prefix(key: str) -> str:
    """The first text after all that start with `key`; keys are ASCII in collation "C"."""
    return key[:-1] + chr(ord(key[-1]) + 1)


RANGES: dict[Stage, Callable[[Search, Position | None, int], list[Order]]] = {
    Stage.RAW: raw,
    Stage.EXACT: exact,
    Stage.PREFIX: prefix,
    Stage.SUFFIX: suffix,
}
