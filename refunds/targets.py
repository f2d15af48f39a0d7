"""Which order a wish means: by id, or by the store that sold it and the reference; never by MSN."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from refunds import identity
from refunds.models import Refund
from stores.access import Asker, visible_orders
from stores.api.ids import ORDER, read_id, shown_id
from stores.errors import Conflict, NotFound
from stores.models import Order

_MOST_NAMED = 10


class AmbiguousOrder(Conflict):
    """The store used the same reference in several sales units."""

    code = "ambiguous_order"


def order_meant(asked: dict[str, Any], *, asker: Asker, client_id: str, request_key: str) -> UUID:
    """The public id of the order named by `order_id`, or by `store`, `reference` and perhaps `channel`.

    Raises NotFound, AmbiguousOrder (facts: order ids and channels).
    """
    if "order_id" in asked:
        return read_id(ORDER, asked["order_id"])
    orders = visible_orders(asker).filter(store__code=asked["store"], reference=asked["reference"])
    if "channel" in asked:
        orders = orders.filter(channel=asked["channel"])
    hits = list(orders.order_by("id")[:_MOST_NAMED])
    if not hits:
        raise NotFound(_("There is no such order."))
    if len(hits) == 1:
        return hits[0].public_id
    return _meant_before(hits, identity.refund_id(client_id, request_key)) or _refuse(hits)


def _meant_before(hits: list[Order], refund_id: UUID) -> UUID | None:
    """A retry means the order of its first try, also when a twin of the reference has been synced since."""
    refund = Refund.objects.select_related("order").filter(pk=refund_id, order__in=hits).first()
    return refund.order.public_id if refund is not None else None


def _refuse(hits: list[Order]) -> UUID:
    raise AmbiguousOrder(
        _("The store used this reference more than once: name the order by its id."),
        field="reference",
        orders=[{"order_id": shown_id(ORDER, order.public_id), "channel": order.channel} for order in hits],
    )
