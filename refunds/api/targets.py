"""Which order a request means: by id, or by the store that sold it and the reference; never by MSN."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from refunds import queries
from refunds.errors import RefundNotFound
from stores.access import visible_orders
from stores.api.ids import ORDER, read_id, shown_id
from stores.errors import Conflict, NotFound
from stores.models import Order, StoreSystem

_MOST_NAMED = 10


class AmbiguousOrder(Conflict):
    """The store used the same reference in several sales units."""

    code = "ambiguous_order"


def order_meant(asked: dict[str, Any], *, system: StoreSystem, request_key: str) -> UUID:
    """The public id of the order. Raises NotFound, AmbiguousOrder (facts: order ids and channels)."""
    if "order_id" in asked:
        return read_id(ORDER, asked["order_id"])
    orders = visible_orders(system).filter(store__code=asked["store"], reference=asked["reference"])
    if "channel" in asked:
        orders = orders.filter(channel=asked["channel"])
    hits = list(orders.order_by("id")[:_MOST_NAMED])
    if not hits:
        raise NotFound(_("There is no such order."))
    if len(hits) == 1:
        return hits[0].public_id
    return _meant_before(hits, system, request_key) or _refuse(hits)


def _meant_before(hits: list[Order], system: StoreSystem, request_key: str) -> UUID | None:
    """A retry means the order of its first try, also when a twin of the reference has been synced since."""
    try:
        refund = queries.refund_by_key(system, request_key)
    except RefundNotFound:
        return None
    return refund.order.public_id if refund.order in hits else None


def _refuse(hits: list[Order]) -> UUID:
    raise AmbiguousOrder(
        _("The store used this reference more than once: name the order by its id."),
        field="reference",
        orders=[{"order_id": shown_id(ORDER, order.public_id), "channel": order.channel} for order in hits],
    )
