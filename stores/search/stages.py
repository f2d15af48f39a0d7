"""The stages of a search by reference, each a bounded statement of its own; each yields what no earlier one did."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from django.db.models import Q, QuerySet
from django.db.models.functions import Reverse

from stores.models import Order
from stores.search.cursor import Position
from stores.search.wanted import Wanted

MOST_BY_PREFIX = 5_000
MOST_BY_SUFFIX = 1_000


class Stage(IntEnum):
    """In the order in which hits are shown."""

    RAW = 0
    EXACT = 1
    PREFIX = 2
    SUFFIX = 3
    FRAGMENT = 4


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is wanted, among which orders, and how many more at most."""

    wanted: Wanted
    visible: QuerySet[Order]

    def page(self, candidates: QuerySet[Order], after: Position | None, limit: int) -> list[Order]:
        """The newest `limit` of the candidates that the asker may see and wants, after that position."""
        orders = candidates.filter(self.wanted.filters())
        if after is not None:
            orders = orders.filter(Q(paid_at__lt=after.at) | Q(paid_at=after.at, id__lt=after.id))
        return list(orders.order_by("-paid_at", "-id")[:limit])


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
    return search.page(search.visible.filter(id__in=range_.values("id")[:MOST_BY_PREFIX]), after, limit)


def suffix(search: Search, after: Position | None, limit: int) -> list[Order]:
    """The last characters, as a range over the reversed key's index."""
    key = search.wanted.key
    range_ = Order.objects.annotate(reversed_key=Reverse("ref_key")).filter(reversed_key__startswith=key[::-1])
    candidates = search.visible.filter(id__in=range_.values("id")[:MOST_BY_SUFFIX])
    return search.page(candidates.exclude(ref_key__startswith=key), after, limit)


def _after_prefix(key: str) -> str:
    """The first text after all that start with `key`; keys are ASCII in collation "C"."""
    return key[:-1] + chr(ord(key[-1]) + 1)


RANGES: dict[Stage, Callable[[Search, Position | None, int], list[Order]]] = {
    Stage.RAW: raw,
    Stage.EXACT: exact,
    Stage.PREFIX: prefix,
    Stage.SUFFIX: suffix,
}
