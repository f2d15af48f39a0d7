"""A payment without a store gets one later: by what has been entered or told since, or by a person at headquarters."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import access, audit, clock
from stores.access import Right
from stores.actors import Actor
from stores.errors import Conflict, Invalid
from stores.events import PaymentPlaced
from stores.models import Order, Store, StoreUnit, UnplacedPayment, User
from stores.orders import unplaced
from stores.orders.confirming import confirm_orders, place_told
from stores.orders.placing import distance

_TRIED_LATELY = timedelta(minutes=10)
_BATCH = 200


def place_again(*, by: Actor) -> int:
    """Try those that were not tried lately, the longest untried first; how many have an order now."""
    found = 0
    late = UnplacedPayment.objects.filter(order=None, tried_at__lt=clock.db_now() - _TRIED_LATELY)
    units = late.order_by("tried_at").values_list("sales_unit", flat=True)[:_BATCH]
    for unit_id in sorted(set(units)):
        with transaction.atomic():
            mine = late.filter(sales_unit=unit_id).order_by("sales_unit_id", "reference")
            waiting = list(mine.select_for_update(no_key=True, skip_locked=True)[:_BATCH])
            confirm_orders([unplaced.as_told(payment) for payment in waiting], by=by)
            unplaced.settle(waiting, now=clock.db_now())
            found += UnplacedPayment.objects.filter(pk__in=[payment.pk for payment in waiting], order__isnull=False).count()
    return found


def stores_that_may_have_sold(payment: UnplacedPayment) -> list[Store]:
    """Every store that ever sold through the payment's sales unit."""
    links = StoreUnit.objects.filter(sales_unit=payment.sales_unit_id)
    return list(Store.objects.filter(pk__in=links.values("store")).order_by("code"))


def place_payment(payment: UnplacedPayment, store: Store, *, reason: str, asker: User, by: Actor) -> Order:
    """A person says which store sold it; it becomes an order for good, since an order's store never changes.

    Raises Forbidden, Invalid for a missing reason or a store that never sold through the unit, Conflict where the
    payment has an order already, or one in the currency of its sales unit cannot be made.
    """
    access.require(asker, Right.MANAGE_STORES, store=store)
    words = " ".join(reason.split())
    if not words:
        raise Invalid(_("Say how you know."), field="reason")
    links = StoreUnit.objects.filter(sales_unit=payment.sales_unit_id, store=store).select_related("store", "sales_unit")
    nearest = min(links, key=lambda link: distance(link, payment.paid_at), default=None)
    if nearest is None:
        raise Invalid(_("This store never sold through that sales unit."), field="store")
    if payment.currency != nearest.sales_unit.currency:
        raise Conflict(_("The payment is in another currency than its sales unit."), code="wrong_currency")
    with transaction.atomic():
        locked = UnplacedPayment.objects.select_for_update(no_key=True).get(pk=payment.pk)
        if locked.order_id is not None:
            raise Conflict(_("It has an order already."), code="already_placed")
        now = clock.db_now()
        place_told(unplaced.as_told(locked), nearest, now=now, by=by)
        unplaced.settle([locked], now=now, placed_by=asker)
        order = Order.objects.select_related("store__company").get(
            sales_unit=locked.sales_unit_id, reference=locked.reference
        )
        event = PaymentPlaced(reference=order.reference, code=order.store.code, reason=words)
        audit.record_about_order(event, order, by=by)
    payment.refresh_from_db()
    return order
