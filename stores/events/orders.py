"""What becomes of orders: told by stores, confirmed by Vipps, opened, contradicted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from stores.events.kinds import TrailEvent


@dataclass(frozen=True, kw_only=True)
class OrdersSynced(TrailEvent):
    name = "orders.synced"
    sentence = _("{system} synced {rows} rows: {created} new, {updated} updated, {unchanged} unchanged, {refused} refused.")
    system: str
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class OrderContradicted(TrailEvent):
    name = "order.contradicted"
    sentence = _("{system} contradicted order {reference}: {fields} differ; nothing was changed.")
    system: str
    reference: str
    fields: str


_SETTLEMENTS = {
    "hub_is_right": gettext_noop("the hub's facts stand"),
    "noted": gettext_noop("noted, the order stays as it is"),
}


@dataclass(frozen=True, kw_only=True)
class ContradictionSettled(TrailEvent):
    name = "order.contradiction_settled"
    sentence = _("What {said_by} said otherwise of order {reference} was settled: {settlement}. {reason}")
    said_by: str
    reference: str
    fields: str
    settlement: str
    reason: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        settlement = str(facts["settlement"])
        return {**facts, "settlement": gettext(_SETTLEMENTS.get(settlement, settlement))}


@dataclass(frozen=True, kw_only=True)
class OrderDisagrees(TrailEvent):
    name = "order.disagrees"
    sentence = _("What a store claims of order {reference} cannot be true beside what Vipps says: {fields}. Vipps counts.")
    reference: str
    fields: str


@dataclass(frozen=True, kw_only=True)
class OrdersConfirmed(TrailEvent):
    name = "orders.confirmed"
    sentence = _(
        "Vipps told of {payments} payments of sales unit {msn}: {created} new, {changed} changed, {unplaced} without a store."
    )
    msn: str
    payments: int
    created: int
    changed: int
    unplaced: int


@dataclass(frozen=True, kw_only=True)
class SettlementBegun(TrailEvent):
    name = "settlement.begun"
    sentence = _("The settlement of sales unit {msn} is read from its beginning.")
    msn: str


@dataclass(frozen=True, kw_only=True)
class PaymentUnplaced(TrailEvent):
    name = "payment.unplaced"
    sentence = _("Vipps knew payment {reference} of sales unit {msn}; nobody can say which store sold it.")
    reference: str
    msn: str


@dataclass(frozen=True, kw_only=True)
class PaymentPlaced(TrailEvent):
    name = "payment.placed"
    sentence = _("Payment {reference}, which had no store, was said to be of store {code}: {reason}")
    reference: str
    code: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderDiscovered(TrailEvent):
    name = "order.discovered"
    sentence = _("Vipps knew order {reference}, which no store had synced: it was indexed for store {code}.")
    reference: str
    code: str


@dataclass(frozen=True, kw_only=True)
class VippsAsked(TrailEvent):
    name = "vipps.asked"
    sentence = _("Vipps was asked for {reference}, which the hub did not know, in {units} sales units ({where}).")
    reference: str
    units: int
    where: str


@dataclass(frozen=True, kw_only=True)
class OrderOpened(TrailEvent):
    name = "order.opened"
    sentence = _("Order {reference} of store {code} was opened from store {from_code}.")
    reference: str
    code: str
    from_code: str
