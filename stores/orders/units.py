"""Which sales unit a row was paid through: the store's own, open at the time, by channel; never by MSN."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.models import SalesUnit, Store, StoreUnit
from stores.orders.outcomes import RowError
from stores.orders.rows import OrderRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """The unit and the channel that a row belongs to."""

    unit: SalesUnit
    channel: str


class Units:
    """One store's sales units through all time, with the neighbours that share them. Read once per sync."""

    def __init__(self, store: Store) -> None:
        own = Q(store=store)
        shared_with = Q(sales_unit__store_units__store=store) & ~own & ~Q(prefix="")
        links = StoreUnit.objects.filter(own | shared_with).select_related("sales_unit").distinct()
        self._own: list[StoreUnit] = []
        self._neighbours: dict[int, list[StoreUnit]] = {}
        for link in links:
            if link.store_id == store.pk:
                self._own.append(link)
            else:
                self._neighbours.setdefault(link.sales_unit_id, []).append(link)

    def place(self, row: OrderRow) -> Placed:
        """Raises RowError: no_unit, ambiguous_unit, foreign_prefix, wrong_currency."""
        open_links = [
            link for link in self._own if _is_open(link, row.paid_at) and (row.channel is None or link.channel == row.channel)
        ]
        if not open_links:
            raise RowError("no_unit", _("The store had no sales unit for this at that time."), field="channel")
        if len(open_links) > 1:
            raise RowError(
                "ambiguous_unit",
                _("The store had several sales units at that time: say which channel."),
                field="channel",
            )
        link = open_links[0]
        self._check_prefix(link, row)
        if row.amount.currency != link.sales_unit.currency:
            raise RowError("wrong_currency", _("The sales unit settles in another currency."), field="amount.currency")
        return Placed(unit=link.sales_unit, channel=link.channel)

    def _check_prefix(self, link: StoreUnit, row: OrderRow) -> None:
        if not row.reference.startswith(link.prefix) or self._is_a_neighbours(link, row):
            raise RowError("foreign_prefix", _("This reference belongs to another store."), field="reference")

    def _is_a_neighbours(self, link: StoreUnit, row: OrderRow) -> bool:
        folded = row.reference.casefold()
        return any(
            len(other.prefix) > len(link.prefix) and folded.startswith(other.prefix.casefold()) and _is_open(other, row.paid_at)
            for other in self._neighbours.get(link.sales_unit_id, ())
        )


def _is_open(link: StoreUnit, at: datetime) -> bool:
    return link.valid_from <= at and (link.valid_until is None or at < link.valid_until)
