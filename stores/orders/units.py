"""Which sales unit a row was paid through: the store's own, open at the time, by channel; never by MSN."""

from datetime import UTC, datetime

import msgspec
from django.utils.translation import gettext_lazy as _

from stores import statements
from stores.models import Store
from stores.orders.outcomes import RowError
from stores.orders.rows import OrderRow

# By hand, as the other statements of a sync: composing it through the ORM would cost as much as twenty rows do.
_LINKS = """
SELECT link.store_id = %(store)s, link.sales_unit_id, link.channel, unit.currency, link.prefix, link.valid_from,
       link.valid_until
FROM stores_storeunit AS link JOIN stores_salesunit AS unit ON unit.id = link.sales_unit_id
WHERE link.store_id = %(store)s OR (link.prefix <> '' AND link.sales_unit_id IN (
    SELECT own.sales_unit_id FROM stores_storeunit AS own WHERE own.store_id = %(store)s))
"""
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


class Link(msgspec.Struct, frozen=True, gc=False):
    """That the store, or a neighbour, sells through a unit from one moment until before another, both UTC."""

    unit_id: int
    channel: str
    currency: str
    prefix: str
    valid_from: datetime
    valid_until: datetime

    def is_open(self, at: datetime) -> bool:
        return self.valid_from <= at < self.valid_until


class Units:
    """One store's sales units through all time, with the neighbours that share them. Read once per sync."""

    def __init__(self, store: Store) -> None:
        self._own: list[Link] = []
        self._neighbours: dict[int, list[Link]] = {}
        found = statements.read(_LINKS, {"store": store.pk})
        for is_own, unit_id, channel, currency, prefix, valid_from, valid_until in found:
            # In UTC as the rows: moments of one zone are compared at once, of two by asking both zones.
            until = valid_until.astimezone(UTC) if valid_until else _FOR_EVER
            link = Link(unit_id, channel, currency, prefix, valid_from.astimezone(UTC), until)
            if is_own:
                self._own.append(link)
            else:
                self._neighbours.setdefault(unit_id, []).append(link)

    def place(self, row: OrderRow) -> Link:
        """Raises RowError: no_unit, ambiguous_unit, foreign_prefix, wrong_currency."""
        at, channel = row.paid_at, row.channel
        open_links = [link for link in self._own if link.is_open(at) and channel in (None, link.channel)]
        if not open_links:
            raise RowError("no_unit", _("The store had no sales unit for this at that time."), field="channel")
        if len(open_links) > 1:
            raise RowError(
                "ambiguous_unit",
                _("The store had several sales units at that time: say which channel."),
                field="channel",
            )
        link = open_links[0]
        if not row.reference.startswith(link.prefix) or (self._neighbours and self._is_a_neighbours(link, row)):
            raise RowError("foreign_prefix", _("This reference belongs to another store."), field="reference")
        if row.amount.currency != link.currency:
            raise RowError("wrong_currency", _("The sales unit settles in another currency."), field="amount.currency")
        return link

    def _is_a_neighbours(self, link: Link, row: OrderRow) -> bool:
        folded = row.reference.casefold()
        return any(
            len(other.prefix) > len(link.prefix) and folded.startswith(other.prefix.casefold()) and other.is_open(row.paid_at)
            for other in self._neighbours.get(link.unit_id, ())
        )
