"""One search as its stages see it: what is wanted, and among which orders."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from stores.models import Order
from stores.search.cursor import Position
from stores.search.wanted import Wanted


@dataclass(frozen=True, kw_only=True)
class Search:
    """`visible` is what the asker may see; every stage goes through it."""

    wanted: Wanted
    visible: QuerySet[Order]

    def page(self, candidates: QuerySet[Order], after: Position | None, limit: int) -> list[Order]:
        """The newest `limit` of the candidates that are wanted, after that position."""
        orders = candidates.filter(self.wanted.filters())
        if after is not None:
            orders = orders.filter(Q(paid_at__lt=after.at) | Q(paid_at=after.at, id__lt=after.id))
        return list(orders.order_by("-paid_at", "-id")[:limit])
