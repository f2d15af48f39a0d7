"""The verb of everything that Vipps says of payments: the index confirms what it knows and learns what it did not."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from stores import audit, clock
from stores.actors import Actor
from stores.audit import Subject
from stores.events import OrderDisagrees, OrderDiscovered, OrdersConfirmed, PaymentUnplaced
from stores.models import Order, SalesUnit, StoreUnit
from stores.orders import merging, unplaced
from stores.orders.confirmed import Confirmed
from stores.orders.contradictions import Disagreement, judge
from stores.orders.merging import Merged, OrderKey, Told
from stores.orders.placing import Place, Sellers

_NOWHERE = Place(link=None, why=None, may_be=frozenset())


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation:
    """How many orders were new, how many changed, and how many payments newly wait for somebody to say whose they are."""

    created: int
    changed: int
    unplaced: int


@dataclass(kw_only=True, slots=True)
class _Brought:
    """What became of it so far: orders written, payments newly kept apart, and orders (by id) that Vipps says otherwise of."""

    merged: list[Merged] = field(default_factory=list)
    unplaced: list[Confirmed] = field(default_factory=list)
    other_store: set[int] = field(default_factory=set)
    other_currency: set[int] = field(default_factory=set)

    @property
    def to_judge(self) -> set[int]:
        return {each.id for each in self.merged if each.may_disagree} | self.other_store | self.other_currency


def confirm_orders(told: Sequence[Confirmed], *, by: Actor) -> Confirmation:
    """Bring what Vipps said of payments of one sales unit into the index, each payment at most once a call.

    The amounts and the time that Vipps gives stand beside what a store claims; where both cannot be true, that is a
    contradiction for headquarters. A payment whose store nobody can say is kept apart (`UnplacedPayment`). The row is
    the same whoever told first.
    """
    with transaction.atomic():
        now = clock.db_now()
        brought = _Brought()
        _bring(told, brought, now)
        adopt_unplaced([each.key for each in brought.merged if each.is_new], now=now, by=by)
        _judge(brought, now=now, by=by)
        found = Confirmation(
            created=sum(each.is_new for each in brought.merged),
            changed=sum(not each.is_new for each in brought.merged),
            unplaced=len(brought.unplaced),
        )
        _record(told, brought, found, by=by)
    return found


def adopt_unplaced(keys: Collection[OrderKey], *, now: datetime, by: Actor) -> dict[OrderKey, str]:
    """Give orders that were just made the facts that waited for them; the first field that disagrees with them, by order.

    Within the transaction that made the orders.
    """
    waiting = unplaced.waiting_for(keys)
    if not waiting:
        return {}
    brought = _Brought()
    _bring([unplaced.as_told(payment) for payment in waiting], brought, now)
    unplaced.settle(waiting, now=now)
    return {each.key: each.fields[0] for each in _judge(brought, now=now, by=by)}


def place_told(told: Confirmed, link: StoreUnit, *, now: datetime, by: Actor) -> None:
    """Make the order of a payment whose store somebody has said, or confirm the one that there is."""
    brought = _Brought()
    place = Place(link=link, why=None, may_be=frozenset({link.store_id}))
    brought.merged += merging.write_placed([(told, place)], now=now)
    brought.other_store |= {each.id for each in brought.merged if each.store_id != link.store_id}
    _judge(brought, now=now, by=by)


def judge_claims(order_ids: Collection[int], *, now: datetime, by: Actor) -> dict[OrderKey, str]:
    """Hold new claims against what Vipps had said before; the first field that cannot be true, by order."""
    return {each.key: each.fields[0] for each in _told_of(*judge(order_ids, now=now), by=by)}


def _bring(told: Sequence[Confirmed], brought: _Brought, now: datetime) -> None:
    sellers = Sellers(each.unit_id for each in told if each.paid_at)
    places = {each.key: sellers.place(each, at=each.paid_at) if each.paid_at else _NOWHERE for each in told}
    placed = [(each, places[each.key]) for each in told if places[each.key].link is not None]
    others = [(each, places[each.key]) for each in told if places[each.key].link is None]
    merged = merging.write_placed(placed, now=now) + merging.confirm_known(others, now=now)
    brought.merged += merged
    for each in merged:
        may_be = places[each.key].may_be
        if may_be and each.store_id not in may_be:
            brought.other_store.add(each.id)
    written = {each.key for each in merged}
    _sort_out([each for each in others if each[0].key not in written], brought, now)


def _sort_out(others: list[Told], brought: _Brought, now: datetime) -> None:
    """Of what was neither placed nor merged: orders that know it all, or another currency; the rest is kept apart."""
    known = {(order.sales_unit_id, order.reference): order for order in _orders(each[0].key for each in others)}
    for each in others:
        order = known.get(each[0].key)
        if order is not None and order.currency != each[0].currency:
            brought.other_currency.add(order.pk)
    left = [each for each in others if each[0].key not in known and each[0].paid_at is not None]
    fresh = merging.keep_unplaced(left, now=now)
    brought.unplaced += [each[0] for each in left if each[0].key in fresh]


def _orders(keys: Iterable[OrderKey]) -> list[Order]:
    by_unit: dict[int, list[str]] = {}
    for unit_id, reference in keys:
        by_unit.setdefault(unit_id, []).append(reference)
    return [
        order
        for unit_id, references in by_unit.items()
        for order in Order.objects.filter(sales_unit=unit_id, reference__in=references)
    ]


def _judge(brought: _Brought, *, now: datetime, by: Actor) -> list[Disagreement]:
    found = judge(brought.to_judge, now=now, other_store=brought.other_store, other_currency=brought.other_currency)
    return _told_of(*found, by=by)


def _told_of(disagreeing: list[Disagreement], fresh: list[Disagreement], *, by: Actor) -> list[Disagreement]:
    """A disagreement that is new has its entry in the trail."""
    for each in fresh:
        event = OrderDisagrees(reference=each.order.reference, fields=", ".join(each.fields))
        audit.record_about_order(event, each.order, by=by)
    return disagreeing


def _record(told: Sequence[Confirmed], brought: _Brought, found: Confirmation, *, by: Actor) -> None:
    """One payment has its own entry, where it is new; of many there is one entry with counts."""
    if len(told) != 1:
        if found.created or found.changed or found.unplaced:
            unit = SalesUnit.objects.select_related("company").get(pk=told[0].unit_id)
            event = OrdersConfirmed(
                msn=unit.msn,
                payments=len(told),
                created=found.created,
                changed=found.changed,
                unplaced=found.unplaced,
            )
            audit.record(event, by=by, company=unit.company, store=None, about=_about_unit(unit))
        return
    for each in brought.merged:
        if each.is_new:
            order = Order.objects.select_related("store__company").get(pk=each.id)
            discovered = OrderDiscovered(reference=order.reference, code=order.store.code)
            audit.record_about_order(discovered, order, by=by)
    for confirmed in brought.unplaced:
        unit = SalesUnit.objects.select_related("company").get(pk=confirmed.unit_id)
        apart = PaymentUnplaced(reference=confirmed.reference, msn=unit.msn)
        audit.record(apart, by=by, company=unit.company, store=None, about=_about_unit(unit))


def _about_unit(unit: SalesUnit) -> Subject:
    return Subject(type="sales_unit", id=str(unit.public_id))
