"""Reading refunds: what is left of an order, and whose refunds one may see."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from refunds.errors import RefundNotFound
from refunds.models import ENDS, Kind, OrderAccount, Refund, State
from stores import access
from stores.access import Asker, Right
from stores.models import Order, Store, StoreSystem, User

COUNTING = ~Q(state__in=ENDS) | Q(state=State.RELEASED)
"""Refunds that are under way, and releases: of what was let go nothing is left."""
_WITH = ("order__store", "order__sales_unit", "refunding_store", "requested_by", "requested_by_system")


@dataclass(frozen=True, kw_only=True)
class InFlight:
    """Money on its way back, or a reservation being released, anywhere in the chain. Minor units."""

    refund_id: uuid.UUID
    kind: Kind
    amount_minor: int
    store_name: str
    state: State


@dataclass(frozen=True, kw_only=True)
class Left:
    """What can still be refunded of one order, minor units of `currency`.

    `captured_minor` is Vipps' figure where `is_confirmed`, else the store's claim. `releasable_minor` is what a release would
    let go: reserved at Vipps and not taken when it was last read. Of what is released, or being released, nothing is left.
    """

    captured_minor: int
    posted_minor: int
    external_minor: int
    reserved_minor: int
    left_minor: int
    currency: str
    on_hold: bool
    is_confirmed: bool
    releasable_minor: int = 0
    is_released: bool = False
    in_flight: tuple[InFlight, ...] = ()

    @property
    def is_being_released(self) -> bool:
        return any(flight.kind == Kind.RELEASE for flight in self.in_flight)


def left_of(order: Order) -> Left:
    """What is left of one order, with what is in flight."""
    return lefts_of([order])[order.pk]


def lefts_of(orders: Iterable[Order]) -> dict[int, Left]:
    """What is left of each order, by the order's primary key; two queries however many orders."""
    by_id = {order.pk: order for order in orders}
    accounts = OrderAccount.objects.in_bulk(by_id)
    counting: dict[int, list[Refund]] = {}
    for refund in Refund.objects.filter(COUNTING, order__in=by_id).select_related("refunding_store"):
        counting.setdefault(refund.order_id, []).append(refund)
    return {pk: left_from(order, accounts.get(pk), counting.get(pk, ())) for pk, order in by_id.items()}


def left_from(order: Order, account: OrderAccount | None, refunds: Iterable[Refund]) -> Left:
    """What is left of an order of which account and refunds are read already, with their refunding stores."""
    counting = [refund for refund in sorted(refunds, key=lambda refund: refund.accepted_at) if not is_failed_or_done(refund)]
    in_flight = tuple(
        InFlight(
            refund_id=refund.pk,
            kind=Kind(refund.kind),
            amount_minor=refund.shown_minor,
            store_name=refund.refunding_store.name,
            state=State(refund.state),
        )
        for refund in counting
        if refund.state != State.RELEASED
    )
    return _left(order, account, in_flight, is_released=len(in_flight) < len(counting))


def is_failed_or_done(refund: Refund) -> bool:
    """Whether the refund no longer keeps anything of its order from being asked for: money that is back is in the account."""
    return refund.has_ended and refund.state != State.RELEASED


def _left(
    order: Order, account: OrderAccount | None, in_flight: tuple[InFlight, ...], *, is_released: bool
) -> Left:
    is_gone = is_released or any(flight.kind == Kind.RELEASE for flight in in_flight)
    # Of an order that nobody has refunded here, what Vipps says was refunded was refunded elsewhere.
    seen = min(order.refunded_seen_minor or 0, order.amount_minor)
    posted, external, reserved = (
        (account.posted_minor, account.external_minor, account.reserved_minor) if account else (0, seen, 0)
    )
    return Left(
        captured_minor=order.amount_minor,
        posted_minor=posted,
        external_minor=external,
        reserved_minor=reserved,
        left_minor=0 if is_gone else max(0, order.amount_minor - posted - external - reserved),
        currency=order.currency,
        on_hold=account.on_hold if account else False,
        is_confirmed=order.captured_minor is not None,
        releasable_minor=0 if is_released or in_flight else order.releasable_minor,
        is_released=is_released,
        in_flight=in_flight,
    )


def refunds_visible_to(asker: Asker) -> QuerySet[Refund]:
    """A store sees what it refunded and what was refunded of its own sales; headquarters sees its chain."""
    refunds = Refund.objects.select_related(*_WITH)
    if isinstance(asker, StoreSystem):
        if not access.may(asker, Right.SEE_STORE_REFUNDS) and not access.may(asker, Right.REQUEST_REFUND):
            return refunds.none()
        return refunds.filter(refunding_store=asker.store_id)
    if isinstance(asker, User):
        places = Q(refunding_store__in=access.stores_of(asker)) | Q(order__store__in=access.stores_of(asker))
        if access.may(asker, Right.SEE_HQ):
            places |= Q(refunding_store__company=access.company_of(asker))
        return refunds.filter(places)
    assert_never(asker)


def refund_for(asker: Asker, refund_id: uuid.UUID) -> Refund:
    """One refund the asker may see. Raises RefundNotFound, the same for absent and forbidden."""
    refund = refunds_visible_to(asker).filter(pk=refund_id).first()
    if refund is None:
        raise RefundNotFound
    return refund


def refund_by_key(system: StoreSystem, request_key: str) -> Refund:
    """The refund that this store system asked for under that request key. Raises RefundNotFound."""
    refund = refunds_visible_to(system).filter(client_id=str(system.public_id), client_key=request_key).first()
    if refund is None:
        raise RefundNotFound
    return refund


def refunds_of(order: Order) -> QuerySet[Refund]:
    """Every refund of an order, newest first."""
    return order.refunds.select_related(*_WITH).order_by("-accepted_at")


def refunds_today(user: User, store: Store, *, now: datetime) -> QuerySet[Refund]:
    """What she has refunded in this store since midnight there, newest first."""
    mine = Refund.objects.select_related(*_WITH).filter(requested_by=user, refunding_store=store)
    return mine.filter(accepted_at__gte=midnight_in(store, now)).order_by("-accepted_at")


def bought_today(store: Store, *, now: datetime, most: int) -> list[Order]:
    """The store's own newest sales of today; whoever works there has seen them at her till."""
    sold = Order.objects.filter(store=store, paid_at__gte=midnight_in(store, now)).select_related("store")
    return list(sold.order_by("-paid_at", "-id")[:most])


def midnight_in(store: Store, now: datetime) -> datetime:
    """When today began there."""
    return now.astimezone(ZoneInfo(store.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
