"""A row that may come in, with the sales unit it was paid through; and the rows of a batch by the order they speak of."""

from collections.abc import Iterator

import msgspec
from django.utils.translation import gettext_lazy as _

from stores.orders.merging import OrderKey
from stores.orders.outcomes import RowError
from stores.orders.rows import OrderRow
from stores.orders.units import Link


class NewOrder(msgspec.Struct, frozen=True, gc=False):
    """A checked row, by its index in the batch, and where it belongs."""

    index: int
    row: OrderRow
    link: Link

    def says_the_same(self, other: "NewOrder") -> bool:
        """Whether both would make the same order: a channel that is left out says what the link says."""
        one, two = (msgspec.structs.replace(each.row, channel=each.link.channel) for each in (self, other))
        return self.link == other.link and one == two


class Batch:
    """The orders of a sync. Twins stand for one order and share its outcome; where they contradict each other, none is in."""

    def __init__(self) -> None:
        self.orders: dict[OrderKey, NewOrder] = {}
        self._twins: dict[OrderKey, list[NewOrder]] = {}

    def add(self, order: NewOrder) -> None:
        key = (order.link.unit_id, order.row.reference)
        if self.orders.setdefault(key, order) is not order:
            self._twins.setdefault(key, []).append(order)

    def take_out_contradicting(self) -> Iterator[tuple[NewOrder, RowError]]:
        """Rows of which another row of the batch says something else, with the reproach."""
        error = RowError("duplicate_in_batch", _("The batch says different things of this order."), field="reference")
        for key, twins in list(self._twins.items()):
            if not all(twin.says_the_same(self.orders[key]) for twin in twins):
                yield from ((each, error) for each in (self.orders.pop(key), *self._twins.pop(key)))

    def twins(self) -> Iterator[tuple[NewOrder, NewOrder]]:
        """Each row that repeats another, and that other one."""
        for key, twins in self._twins.items():
            yield from ((twin, self.orders[key]) for twin in twins)
