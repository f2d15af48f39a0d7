"""What Vipps itself knows of a payment, brought into the index: a live look-up, for the processes that hold keys."""

from stores import clock
from stores.actors import Actor
from stores.models import Order, SalesUnit
from stores.orders import as_confirmed, confirm_orders
from stores.sessions import open_session
from stores.vipps import payments
from stores.vipps.errors import VippsError


def look_up(unit: SalesUnit, reference: str, *, by: Actor) -> Order | None:
    """Ask Vipps for a payment of this unit and index what it says as confirmed; None when Vipps knows no such payment.

    None too where nobody has paid it, or nobody can say which store sold it: then it is kept without a store. Raises
    VippsError where Vipps cannot be asked, Misconfigured where its keys are not there.
    """
    session = open_session(unit, by=by, why=f"look up {reference}")
    as_of = clock.db_now()
    try:
        payment = payments.read_payment(session, reference)
    except VippsError as error:
        if payments.is_unknown(error):
            return None
        raise
    told = as_confirmed(
        payment, payments.read_events(session, reference), unit_id=unit.pk, reference=reference, as_of=as_of
    )
    if told.paid_at is None:
        return None  # Created and never paid: there is nothing to refund.
    confirm_orders([told], by=by)
    return Order.objects.select_related("store__company").filter(sales_unit=unit, reference=reference).first()
