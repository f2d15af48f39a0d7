"""Opening one order: one's own store's freely, another store's with an entry in its trail."""

from uuid import UUID

from django.db import transaction

from stores import access, audit
from stores.access import Asker
from stores.actors import Actor
from stores.events import OrderOpened
from stores.models import Order, Store


def open_order(asker: Asker, public_id: UUID, *, store: Store, by: Actor) -> Order:
    """The order, opened from `store`. Raises NotFound, whether it is absent or not the asker's to see."""
    order = access.order_for(asker, public_id)
    record_opening(order, store=store, by=by)
    return order


def record_opening(order: Order, *, store: Store, by: Actor) -> None:
    """Say in the selling store's trail that its order was opened from another one."""
    if order.store_id == store.pk:
        return
    event = OrderOpened(reference=order.reference, code=order.store.code, from_code=store.code)
    with transaction.atomic():
        audit.record_about_order(event, order, by=by, refunding_store=store)
