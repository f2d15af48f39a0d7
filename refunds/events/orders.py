"""What the hub sees of an order and holds it for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds import telling
from stores.events import TrailEvent


@dataclass(frozen=True, kw_only=True)
class OutsideRefundSeen(TrailEvent):
    """Vipps has refunded money that this hub did not move."""

    name = "refund.outside_seen"
    sentence = _("{amount} of order {reference} was refunded outside the hub (Vipps' reference {psp_reference}).")
    reference: str
    amount: str
    amount_minor: int
    psp_reference: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "amount": telling.amount_in_words(facts)}


@dataclass(frozen=True, kw_only=True)
class OrderConfirmed(TrailEvent):
    """Vipps' own figure for an order was read and differs from what was known."""

    name = "order.confirmed"
    sentence = _("Vipps confirmed {captured_minor} captured for order {reference} (before: {before_minor}).")
    reference: str
    captured_minor: int
    before_minor: int | None

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, **{name: telling.number_in_words(facts[name]) for name in ("captured_minor", "before_minor")}}


@dataclass(frozen=True, kw_only=True)
class OrderHeld(TrailEvent):
    """No refund of this order is accepted or sent until two people settle the one in review."""

    name = "order.held"
    sentence = _("Order {reference} was put on hold: {because}")
    reference: str
    because: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "because": telling.because_in_words(facts["because"])}


@dataclass(frozen=True, kw_only=True)
class OrderReleased(TrailEvent):
    """The hold of an order is gone."""

    name = "order.released"
    sentence = _("Order {reference} is no longer on hold: {because}")
    reference: str
    because: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "because": telling.because_in_words(facts["because"])}


@dataclass(frozen=True, kw_only=True)
class OrderCheckAsked(TrailEvent):
    """Headquarters wants an order compared now."""

    name = "order.check_asked"
    sentence = _("Order {reference} is to be compared with Vipps.")
    reference: str
