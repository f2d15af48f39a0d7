"""What Vipps itself knows of a payment, brought into the index: a live look-up, for the processes that hold keys."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores import audit, clock
from stores.actors import Actor
from stores.audit import Subject
from stores.errors import Conflict
from stores.events import OrderDiscovered
from stores.models import Order, SalesUnit, StoreUnit, reference_key
from stores.sessions import open_session
from stores.vipps import payments
from stores.vipps.errors import VippsError
from stores.vipps.types import Event, Payment

_PAID = ("CAPTURED", "AUTHORIZED")


def look_up(unit: SalesUnit, reference: str, *, by: Actor) -> Order | None:
    """Ask Vipps for a payment of this unit and index what it says as confirmed; None when Vipps knows no such payment.

    Raises VippsError where Vipps cannot be asked, Conflict (no_store) where no store of ours sold under this reference.
    """
    session = open_session(unit, by=by, why=f"look up {reference}")
    try:
        payment = payments.read_payment(session, reference)
    except VippsError as error:
        if payments.is_unknown(error):
            return None
        raise
    return _index(unit, payment, _paid_at(payments.read_events(session, reference)), by=by)


def _paid_at(events: list[Event]) -> datetime | None:
    moments = [event.timestamp for name in _PAID for event in events if event.name == name and event.success]
    return moments[0] if moments else None


@transaction.atomic
def _index(unit: SalesUnit, payment: Payment, paid_at: datetime | None, *, by: Actor) -> Order | None:
    if paid_at is None:
        return None  # Created and never paid: there is nothing to refund.
    now = clock.db_now()
    link = _seller(unit, payment.reference, paid_at)
    order, is_new = Order.objects.get_or_create(
        sales_unit=unit,
        reference=payment.reference,
        defaults={
            "store": link.store,
            "ref_key": reference_key(payment.reference),
            "channel": link.channel,
            "currency": payment.aggregate.currency,
            "paid_at": paid_at,
        },
    )
    if order.currency != payment.aggregate.currency:
        raise Conflict(_("Vipps knows this payment in another currency."), code="wrong_currency")
    # The newest reading wins; a reading never takes back what an earlier one confirmed as captured.
    Order.objects.filter(Q(captured_minor=None) | Q(captured_minor__lte=payment.aggregate.captured), pk=order.pk).update(
        captured_minor=payment.aggregate.captured,
        refunded_seen_minor=payment.aggregate.refunded,
        uncaptured_seen_minor=payment.aggregate.capturable,
        confirmed_at=now,
        updated_at=now,
    )
    order.refresh_from_db()
    if is_new:
        event = OrderDiscovered(reference=order.reference, code=order.store.code)
        about = Subject(type="order", id=str(order.public_id))
        audit.record(event, by=by, company=unit.company, store=order.store, about=about)
    return order


def _seller(unit: SalesUnit, reference: str, at: datetime) -> StoreUnit:
    """Which store sold it: the longest of the prefixes open at that time that the reference starts with."""
    links = StoreUnit.objects.filter(
        Q(valid_until=None) | Q(valid_until__gt=at), sales_unit=unit, valid_from__lte=at
    ).select_related("store")
    fitting = sorted((link for link in links if reference.startswith(link.prefix)), key=lambda link: len(link.prefix))
    if not fitting:
        raise Conflict(_("No store sold under this reference at that time."), code="no_store", field="reference")
    return fitting[-1]
