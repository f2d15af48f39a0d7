"""What does not fit between the books, and who looks after it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from refunds import telling
from stores.events import TrailEvent


class _AboutDifference(TrailEvent):
    """What the entries about a difference share: its kind in words."""

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "kind": telling.choice_in_words("kind", facts["kind"], model="Difference")}


@dataclass(frozen=True, kw_only=True)
class DifferenceOpened(_AboutDifference):
    """The books do not agree about an order; sides in minor units, null where not compared."""

    name = "difference.opened"
    sentence = _(
        "Order {reference}: {kind} (hub {hub_minor}, event log {events_minor}, "
        "sum {payment_minor}, settlement {settled_minor})."
    )
    reference: str
    kind: str
    currency: str
    hub_minor: int | None
    events_minor: int | None
    payment_minor: int | None
    settled_minor: int | None

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        sides = ("hub_minor", "events_minor", "payment_minor", "settled_minor")
        return {**super().shown(facts), **{name: telling.number_in_words(facts[name]) for name in sides}}


@dataclass(frozen=True, kw_only=True)
class DifferenceGone(_AboutDifference):
    """A later look found the books in agreement."""

    name = "difference.gone"
    sentence = _("Order {reference}: no longer so at a later look: {kind}.")
    reference: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class DifferenceAssigned(_AboutDifference):
    """Somebody at headquarters has made it hers."""

    name = "difference.assigned"
    sentence = _("Order {reference}: {owner} looks into it: {kind}.")
    reference: str
    kind: str
    owner: str


@dataclass(frozen=True, kw_only=True)
class DifferenceExplained(_AboutDifference):
    """A person closed it and said why."""

    name = "difference.explained"
    sentence = _("Order {reference}: {kind}; explained: {note}")
    reference: str
    kind: str
    note: str


@dataclass(frozen=True, kw_only=True)
class OutsideRefundAcknowledged(TrailEvent):
    """A person has found out whose refund it was."""

    name = "refund.outside_acknowledged"
    sentence = _("The refund of {amount} of order {reference} outside the hub ({psp_reference}) was seen to: {note}")
    reference: str
    amount: str
    amount_minor: int
    psp_reference: str
    note: str

    @classmethod
    def shown(cls, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**facts, "amount": telling.amount_in_words(facts)}
