"""One order with all that the desk says of it, in three statements however much has happened to it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject

from refunds import lines, queries
from refunds.lines import LineLeft
from refunds.models import ENDS, OutsideRefund, Refund
from refunds.queries import Left
from stores import access, settled
from stores.models import Order, Store, User

SHOWN_AFTER_ITS_END = timedelta(minutes=2)
"""How long the strip of refunds under way still shows one that has ended: she is serving somebody else by then."""
_STRIP_LOOKS_BACK = timedelta(hours=24)
_MOST_A_DAY = 200
_SHOWN = ("order__store", "refunding_store", "requested_by", "requested_by_system__store")


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Money of the order that left Vipps without the hub; minor units, and when the hub saw it."""

    amount_minor: int
    seen_at: datetime


@dataclass(frozen=True, kw_only=True)
class Overview:
    """`refunds` are the order's, newest first; `under_way` the asker's own of any order, for the strip."""

    order: Order
    left: Left
    lines: Sequence[LineLeft]
    refunds: Sequence[Refund]
    outside: Sequence[Outside]
    disputed_minor: int
    under_way: Sequence[Refund]


def overview_of(asker: User, order_id: uuid.UUID, *, store: Store, now: datetime) -> Overview:
    """The order with that public id, for her who stands in `store`. Raises NotFound, absent or forbidden."""
    order = access.order_for(asker, order_id, reading=_with_more)
    found = Refund.objects.filter(Q(order=order) | _is_hers_under_way(asker, store, now))
    every = list(found.select_related(*_SHOWN).order_by("-accepted_at"))
    of_order = [refund for refund in every if refund.order_id == order.pk]
    read: dict[str, Any] = vars(order)
    return Overview(
        order=order,
        left=queries.left_from(order, getattr(order, "account", None), of_order),
        lines=lines.left_of_lines(order),
        refunds=of_order,
        outside=[Outside(amount_minor=it["minor"], seen_at=datetime.fromisoformat(it["at"])) for it in read["outside"]],
        disputed_minor=max(0, -(read["disputed_sum"] or 0)),
        under_way=[refund for refund in every if is_hers_under_way(refund, asker, store=store, now=now)],
    )


def under_way(asker: User, *, store: Store, now: datetime) -> QuerySet[Refund]:
    """What she asked for in this store that has no end yet, or had one a moment ago; newest first."""
    return Refund.objects.filter(_is_hers_under_way(asker, store, now)).select_related(*_SHOWN).order_by("-accepted_at")


def hers_lately(asker: User, *, store: Store, now: datetime) -> list[Refund]:
    """What she asked for in this store within 24 hours, newest first: of these some are under way."""
    hers = Refund.objects.filter(requested_by=asker, refunding_store=store, accepted_at__gt=now - _STRIP_LOOKS_BACK)
    return list(hers.select_related(*_SHOWN).order_by("-accepted_at")[:_MOST_A_DAY])


def _is_hers_under_way(asker: User, store: Store, now: datetime) -> Q:
    hers = Q(requested_by=asker, refunding_store=store, accepted_at__gt=now - _STRIP_LOOKS_BACK)
    return hers & (~Q(state__in=ENDS) | Q(ended_at__gt=now - SHOWN_AFTER_ITS_END))


def is_hers_under_way(refund: Refund, asker: User, *, store: Store, now: datetime) -> bool:
    """The same, said of one that is read already."""
    is_hers = refund.requested_by_id == asker.pk and refund.refunding_store_id == store.pk
    is_new = refund.accepted_at > now - _STRIP_LOOKS_BACK
    return is_hers and is_new and (refund.ended_at is None or refund.ended_at > now - SHOWN_AFTER_ITS_END)


def _with_more(orders: QuerySet[Order]) -> QuerySet[Order]:
    seen = OutsideRefund.objects.filter(order=OuterRef("pk")).order_by("-booked_at")
    outside = ArraySubquery(seen.values(fact=JSONObject(minor="amount_minor", at="booked_at")))
    return orders.select_related("account").annotate(disputed_sum=settled.disputed_of_outer(), outside=outside)
