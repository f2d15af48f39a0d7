"""When somebody says something else than the hub knows: kept for headquarters, never applied."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from stores.models import Channel, Order, OrderConflict, PaidAtFrom, Store, StoreSystem
from stores.orders.merging import OrderKey
from stores.orders.placed import NewOrder
from stores.orders.placing import CLOCKS_APART
from stores.orders.upsert import Known

VIPPS = "Vipps MobilePay"
"""Who said it, where it was no store."""

_CAPTURED_UNTIL = timedelta(days=180)
"""How long after the reservation an online shop may capture, and tell of it (Vipps: ePayment API, capture)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """`fields` names what differs, as the row calls it."""

    known: Known
    said: NewOrder
    fields: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """Claims of an order that cannot be true beside what Vipps said of it; `fields` as a sync's row calls them."""

    order: Order
    fields: tuple[str, ...]

    @property
    def key(self) -> OrderKey:
        return (self.order.sales_unit_id, self.order.reference)


def differences(known: Known, said: NewOrder, *, store: Store) -> tuple[str, ...]:
    """The fields of `said` that cannot be true beside what another sync claimed."""
    checks = {
        "store": known.store_id == store.pk,
        "amount.currency": known.currency == said.link.currency,
        "amount.amount_minor": known.claimed_minor in (None, said.row.amount.amount_minor),
        "paid_at": known.is_same_day,
    }
    return tuple(name for name, agrees in checks.items() if not agrees)


def keep_contradictions(found: Collection[Contradiction], *, system: StoreSystem) -> list[Contradiction]:
    """Store each contradiction once; returns those that were not known yet.

    What somebody has settled does not come again each night: only with other claims, or where something else differs.
    """
    if not found:
        return []
    told = {(item.known.id, _claims_key(_claims(item.said, system))): item for item in found}
    known = {
        (order_id, _claims_key(claims)): (settled_at, differences)
        for order_id, claims, settled_at, differences in OrderConflict.objects.filter(
            order_id__in={order_id for order_id, _ in told}
        )
        .order_by("seen_at")
        .values_list("order_id", "claims", "settled_at", "differences")
    }
    fresh = [item for key, item in told.items() if key not in known or _is_other(item, *known[key])]
    OrderConflict.objects.bulk_create(
        [
            OrderConflict(
                order_id=item.known.id,
                said_by=str(system)[:160],
                claims=_claims(item.said, system),
                differences=list(item.fields),
            )
            for item in fresh
        ]
    )
    return fresh


def _is_other(found: Contradiction, settled_at: datetime | None, differences: list[str]) -> bool:
    return settled_at is not None and differences != list(found.fields)


def judge(
    order_ids: Collection[int], *, now: datetime, other_store: Collection[int] = (), other_currency: Collection[int] = ()
) -> tuple[list[Disagreement], list[Disagreement]]:
    """Hold claims against what Vipps said. Returns those that disagree, and of these the ones that did not before.

    `other_store` and `other_currency`: orders of which Vipps just said that. One open row an order, which ends by itself
    where both sides have come to agree; so the rows depend on what was said, and not on who was first.
    """
    if not order_ids:
        return [], []
    orders = Order.objects.filter(pk__in=order_ids, confirmed_at__isnull=False) | Order.objects.filter(pk__in=other_currency)
    standing = {
        conflict.order_id: conflict
        for conflict in OrderConflict.objects.filter(order__in=order_ids, said_by=VIPPS, settled_at=None)
    }
    disagreeing: list[Disagreement] = []
    fresh: list[Disagreement] = []
    for order in orders.select_related("store__company"):
        before = standing.get(order.pk)
        fields = tuple(_disagreeing(order, before, other_store=other_store, other_currency=other_currency))
        if fields:
            disagreeing.append(Disagreement(order=order, fields=fields))
            if _keep(disagreeing[-1], before):
                fresh.append(disagreeing[-1])
        elif before is not None:
            # Nobody settled it: both sides came to agree.
            OrderConflict.objects.filter(pk=before.pk, settled_at=None).update(settled_at=now)
    return disagreeing, fresh


def _disagreeing(
    order: Order, before: OrderConflict | None, *, other_store: Collection[int], other_currency: Collection[int]
) -> Iterable[str]:
    """Store and currency of an order never change, so what once differed in them differs for good."""
    kept = before.differences if before else ()
    if order.pk in other_store or "store" in kept:
        yield "store"
    if order.pk in other_currency or "amount.currency" in kept:
        yield "amount.currency"
    if not _is_amount_possible(order):
        yield "amount.amount_minor"
    if not _is_time_possible(order):
        yield "paid_at"


def _is_amount_possible(order: Order) -> bool:
    """What is claimed may still be captured, as long as so much is reserved."""
    claimed, captured = order.claimed_minor, order.captured_minor
    if claimed is None or captured is None:
        return True
    return captured <= claimed <= captured + (order.uncaptured_seen_minor or 0)


def _is_time_possible(order: Order) -> bool:
    """A store's clock may be wrong by a day; an online shop may tell of the capture, long after the reservation."""
    claimed = order.claimed_time
    if claimed is None or order.paid_at_from == PaidAtFrom.CLAIMED:
        return True
    apart = abs(claimed - order.paid_at)
    return apart <= (_CAPTURED_UNTIL if order.channel == Channel.ONLINE else CLOCKS_APART)


def _keep(found: Disagreement, before: OrderConflict | None) -> bool:
    """Whether it is new."""
    order = found.order
    said = {
        "captured_minor": order.captured_minor,
        "currency": order.currency,
        "paid_at": order.paid_at.isoformat(),
        "claimed_minor": order.claimed_minor,
        "claimed_paid_at": order.claimed_time.isoformat() if order.claimed_time else None,
        "store": order.store.code,
    }
    if before is None:
        settled = OrderConflict.objects.filter(order=order, said_by=VIPPS, claims=said, differences=list(found.fields))
        if settled.exclude(settlement="").exists():
            return False  # what somebody has settled does not come again
        OrderConflict.objects.create(order=order, said_by=VIPPS, claims=said, differences=list(found.fields))
        return True
    if (before.claims, before.differences) != (said, list(found.fields)):
        OrderConflict.objects.filter(pk=before.pk).update(claims=said, differences=list(found.fields))
    return False


def _claims(said: NewOrder, system: StoreSystem) -> dict[str, Any]:
    return {
        "store": system.store.code,
        "amount_minor": said.row.amount.amount_minor,
        "currency": said.link.currency,
        "paid_at": said.row.paid_at.isoformat(),
    }


def _claims_key(claims: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(claims.items()))
