"""Orders that are there and of which a row says something else: written under their lock, or found to contradict."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from stores.actors import Actor
from stores.models import StoreSystem
from stores.orders.confirming import adopt_unplaced, judge_claims
from stores.orders.contradictions import Contradiction, differences
from stores.orders.merging import OrderKey
from stores.orders.outcomes import Outcome, RowOutcome
from stores.orders.placed import NewOrder
from stores.orders.upsert import Known, Written, read_known, write_lines, write_orders


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """What became of each order, and those of which nothing can be written."""

    outcomes: list[RowOutcome]
    contradictions: list[Contradiction]


def look_closer(orders: Mapping[OrderKey, NewOrder], *, system: StoreSystem, now: datetime, by: Actor) -> Looked:
    """Within the transaction of the sync. An order that was made meanwhile is met here, and one that is new is made."""
    written = write_orders(list(orders.values()), store=system.store, now=now)
    known = read_known([order for key, order in orders.items() if key not in written], store=system.store)
    contradictions = {
        key: Contradiction(known=known[key], said=orders[key], fields=fields)
        for key in known
        if (fields := differences(known[key], orders[key], store=system.store))
    }
    standing: dict[OrderKey, Written | Known] = {**written, **known}
    with_lines = write_lines(
        {
            standing[key].id: order.row.lines
            for key, order in orders.items()
            if key not in contradictions and order.row.lines
        },
        now=now,
    )
    disagreeing = _hold_against_vipps(written, now=now, by=by)
    outcomes = []
    for key, order in orders.items():
        if key in contradictions:
            outcomes.append(_contradicted(contradictions[key], system))
        elif key in disagreeing:
            outcomes.append(says_otherwise(order, standing[key].public_id.hex, disagreeing[key]))
        else:
            outcomes.append(_settled(order, standing[key], with_lines))
    return Looked(outcomes=outcomes, contradictions=list(contradictions.values()))


def says_otherwise(order: NewOrder, public_id: str, field: str) -> RowOutcome:
    """The order came in, and Vipps says otherwise of it."""
    detail = _("Vipps says otherwise of this order: what Vipps says counts, and headquarters was told.")
    return RowOutcome(
        order.index, order.row.reference, Outcome.CONFLICT, public_id, code="contradiction", detail=str(detail), field=field
    )


def _hold_against_vipps(written: dict[OrderKey, Written], *, now: datetime, by: Actor) -> dict[OrderKey, str]:
    """The orders whose new claim cannot be true beside what Vipps said, before or while no store was known; what differs."""
    found = adopt_unplaced([key for key, order in written.items() if order.is_new], now=now, by=by)
    return found | judge_claims([order.id for order in written.values() if order.may_disagree], now=now, by=by)


def _settled(order: NewOrder, standing: Written | Known, with_lines: set[int]) -> RowOutcome:
    is_written = isinstance(standing, Written)
    outcome = Outcome.UPDATED if is_written or standing.id in with_lines else Outcome.UNCHANGED
    if isinstance(standing, Written) and standing.is_new:
        outcome = Outcome.CREATED
    return RowOutcome(order.index, order.row.reference, outcome, standing.public_id.hex)


def _contradicted(found: Contradiction, system: StoreSystem) -> RowOutcome:
    # Another store's order on a shared unit is not this system's to know by id.
    is_own = found.known.store_id == system.store_id
    detail = _("The hub knows this order with other facts; nothing was changed and headquarters was told.")
    return RowOutcome(
        found.said.index,
        found.said.row.reference,
        Outcome.CONFLICT,
        found.known.public_id.hex if is_own else None,
        code="contradiction",
        detail=str(detail),
        field=found.fields[0] if is_own else "reference",
    )
