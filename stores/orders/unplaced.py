"""Payments without a store: who waits for an order that was just made, and what is known of each."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import F, OuterRef, Q, Subquery

from stores import statements
from stores.models import Order, PaidAtFrom, UnplacedPayment, User
from stores.orders.confirmed import Confirmed
from stores.orders.merging import OrderKey

_ANY_WAITING = """
SELECT 1 FROM stores_unplacedpayment WHERE order_id IS NULL AND sales_unit_id = ANY (%(units)s::bigint[]) LIMIT 1
"""


def waiting_for(keys: Collection[OrderKey]) -> list[UnplacedPayment]:
    """Those that are these orders, locked until the transaction ends."""
    by_unit: dict[int, list[str]] = {}
    for unit_id, reference in keys:
        by_unit.setdefault(unit_id, []).append(reference)
    # As a rule nothing waits: then this is one look at an index that is empty, however many orders were made.
    if not by_unit or not statements.read(_ANY_WAITING, {"units": list(by_unit)}):
        return []
    which = Q()
    for unit_id, references in by_unit.items():
        which |= Q(sales_unit=unit_id, reference__in=references)
    waiting = UnplacedPayment.objects.filter(which, order=None)
    return list(waiting.order_by("sales_unit_id", "reference").select_for_update(no_key=True))


def as_told(payment: UnplacedPayment) -> Confirmed:
    """What Vipps said of it, as if it were said now."""
    return Confirmed(
        unit_id=payment.sales_unit_id,
        reference=payment.reference,
        currency=payment.currency,
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_seen_minor or 0,
        uncaptured_minor=payment.uncaptured_seen_minor,
        as_of=payment.confirmed_at,
        paid_at=payment.paid_at,
        paid_at_from=PaidAtFrom(payment.paid_at_from),
        store_code=payment.store_hint,
        receipt_number=payment.receipt_number,
    )


def settle(payments: Sequence[UnplacedPayment], *, now: datetime, placed_by: User | None = None) -> None:
    """Say which order each has become, where there is one now."""
    order = Order.objects.filter(sales_unit=OuterRef("sales_unit"), reference=OuterRef("reference"))
    open_ones = UnplacedPayment.objects.filter(pk__in=[payment.pk for payment in payments], order=None)
    open_ones.update(tried_at=now)
    become = open_ones.annotate(become=Subquery(order.values("pk")[:1])).filter(become__isnull=False)
    become.update(order_id=F("become"), placed_at=now, placed_by=placed_by)
