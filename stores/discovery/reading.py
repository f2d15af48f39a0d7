"""One payment, read at Vipps and brought into the index."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stores import clock
from stores.actors import Actor
from stores.models import Order, SalesUnit
from stores.orders import Confirmed, as_confirmed, confirm_orders
from stores.sessions import open_session
from stores.vipps import payments
from stores.vipps.errors import VippsError
from stores.vipps.session import VippsSession


class Finding(StrEnum):
    """What Vipps has of a reference."""

    ORDER = "order"
    UNPLACED = "unplaced"
    UNPAID = "unpaid"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """`order` with its store, where the payment has one now."""

    finding: Finding
    order: Order | None = None


def read_payment(unit: SalesUnit, reference: str, *, by: Actor) -> Found:
    """Ask Vipps for a payment of this unit, and index what it says as confirmed.

    Raises VippsError where Vipps cannot be asked, Misconfigured where its keys are not there.
    """
    session = open_session(unit, by=by, why=f"read {reference}")
    told = ask_for_payment(session, unit.pk, reference, as_of=clock.db_now())
    return Found(finding=Finding.UNKNOWN) if told is None else index_payment(told, by=by)


def look_up(unit: SalesUnit, reference: str, *, by: Actor) -> Order | None:
    """The same, for who only wants the order: None where Vipps has none, or nobody can say whose it is."""
    return read_payment(unit, reference, by=by).order


def ask_for_payment(session: VippsSession, unit_id: int, reference: str, *, as_of: datetime) -> Confirmed | None:
    """What Vipps says as of now, None where it has no such payment. Touches nothing but the network. Raises VippsError."""
    try:
        payment = payments.read_payment(session, reference)
    except VippsError as error:
        if payments.is_unknown(error):
            return None
        raise
    return as_confirmed(
        payment, payments.read_events(session, reference), unit_id=unit_id, reference=reference, as_of=as_of
    )


def index_payment(told: Confirmed, *, by: Actor) -> Found:
    """Bring one answer into the index. What was never paid is nothing to refund, and not indexed."""
    if told.paid_at is None:
        return Found(finding=Finding.UNPAID)
    confirm_orders([told], by=by)
    order = Order.objects.select_related("store__company").filter(sales_unit=told.unit_id, reference=told.reference).first()
    return Found(finding=Finding.ORDER if order else Finding.UNPLACED, order=order)
