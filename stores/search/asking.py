"""One search as its stages see it: what is wanted, among which orders, after which of those already shown."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from django.db.models import QuerySet

from stores import access
from stores.access import Asker
from stores.models import Order
from stores.search.cursor import Position
from stores.search.narrowing import Part, guessed_parts
from stores.search.reading import Purse, Row
from stores.search.wanted import Wanted

NEWEST = Position(at=datetime.max.replace(tzinfo=UTC), id=0)
"""Where a list begins."""
OLDEST = Position(at=datetime.min.replace(tzinfo=UTC), id=0)
"""Where a list has ended."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """What one stage found, newest first. `is_whole` is False where orders that fit may have been left out."""

    orders: list[Order]
    is_whole: bool = True


@dataclass(frozen=True, kw_only=True)
class Search:
    """`visible` is what the asker may see; every candidate goes through it. `position` is the last row shown before."""

    wanted: Wanted
    asker: Asker
    visible: QuerySet[Order]
    position: Position | None = None
    purse: Purse = field(default_factory=Purse)
    ends: list[tuple[int, list[Row]]] = field(default_factory=list)
    """What one statement told of both ends of references, and how many rows of each it was asked for."""

    @cached_property
    def guessed_parts(self) -> list[Part]:
        """Where to look first for what the text itself says; asked for by the few stages that need it."""
        return guessed_parts(self.wanted, access.company_of(self.asker))

    def after(self, stage: int) -> Position:
        """Where that stage goes on."""
        if self.position is None or stage > self.position.stage:
            return NEWEST
        return self.position if stage == self.position.stage else OLDEST

    def fill(
        self, limit: int, most: int, candidates: Callable[[int], list[Row] | None], *, knows_amount: bool = False
    ) -> Leg | None:
        """The first `limit` of the candidates that may be seen and are wanted; None when the time was up.

        `candidates(count)` gives rows of an id and more, newest first. A few more than a page are nearly always enough.
        """
        orders: list[Order] = []
        is_picky = self.wanted.amount_minor is not None and not knows_amount
        for count in (most,) if is_picky else (min(2 * limit, most), most):
            rows = candidates(count)
            if rows is None:
                return None
            orders = self.load([row[0] for row in rows], limit)
            if len(orders) >= limit or len(rows) < count:
                return Leg(orders=orders)
        return Leg(orders=orders, is_whole=False)

    def load(self, ids: list[int], limit: int) -> list[Order]:
        """The newest `limit` of those orders that may be seen and are wanted."""
        if not ids or limit < 1:
            return []
        orders = self.visible.filter(pk__in=ids).filter(self.wanted.filters())
        return list(orders.order_by("-paid_at", "-id")[:limit])
