"""What would become of a batch: the same checks and the same comparison as a sync, and nothing is written."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from stores import clock
from stores.models import Order, StoreSystem
from stores.orders.contradictions import differences
from stores.orders.indexing import place_rows
from stores.orders.merging import OrderKey
from stores.orders.outcomes import Outcome, RowOutcome
from stores.orders.placed import NewOrder
from stores.orders.rows import OrderRow, UnreadableRow
from stores.orders.standing import read_standing
from stores.orders.upsert import read_known

_NOT_SAID = "—"


class Rehearsed(msgspec.Struct, frozen=True):
    """An outcome as it would be, and what differs, "field: what the hub knows → what the row says", for a person to read."""

    outcome: RowOutcome
    difference: str = ""


def rehearse_orders(rows: Sequence[OrderRow | UnreadableRow], *, system: StoreSystem) -> list[Rehearsed]:
    """One for each row, in their order, as things stand. Another sync may change that before the batch comes in earnest."""
    refused: dict[int, RowOutcome] = {}
    batch = place_rows(rows, system, clock.db_now(), refused)
    found = {index: Rehearsed(outcome) for index, outcome in refused.items()}
    standing = read_standing(batch.orders, store=system.store)
    closer = {key: batch.orders[key] for key, public_id in standing.items() if public_id is None}
    found.update({each.outcome.index: each for each in _looked_at(closer, system)})
    for key, order in batch.orders.items():
        if order.index not in found:
            outcome = Outcome.UNCHANGED if key in standing else Outcome.CREATED
            found[order.index] = Rehearsed(RowOutcome(order.index, key[1], outcome, standing.get(key)))
    for twin, other in batch.twins():
        same = found[other.index]
        found[twin.index] = Rehearsed(msgspec.structs.replace(same.outcome, index=twin.index), same.difference)
    return [found[index] for index in range(len(rows))]


def _looked_at(orders: Mapping[OrderKey, NewOrder], system: StoreSystem) -> Iterator[Rehearsed]:
    known = read_known(list(orders.values()), store=system.store)
    rows = {(order.sales_unit_id, order.reference): order for order in _orders(orders)}
    for key, said in orders.items():
        order = rows[key]
        contradicting = differences(known[key], said, store=system.store)
        changes = dict(_changes(order, said))
        outcome = Outcome.CONFLICT if contradicting else Outcome.UPDATED if changes else Outcome.UNCHANGED
        is_own = order.store_id == system.store_id
        told = {name: changes.get(name, "") for name in contradicting} if contradicting else changes
        yield Rehearsed(
            RowOutcome(
                said.index,
                key[1],
                outcome,
                order.public_id.hex if is_own else None,
                code="contradiction" if contradicting else "",
                field=contradicting[0] if contradicting else "",
            ),
            ", ".join(f"{name}: {change}" if change else name for name, change in told.items()) if is_own else "",
        )


def _orders(keys: Mapping[OrderKey, NewOrder]) -> Iterator[Order]:
    by_unit: dict[int, list[str]] = {}
    for unit_id, reference in keys:
        by_unit.setdefault(unit_id, []).append(reference)
    for unit_id, references in by_unit.items():
        yield from Order.objects.filter(sales_unit=unit_id, reference__in=references)


def _changes(order: Order, said: NewOrder) -> Iterator[tuple[str, str]]:
    row, claimed_at = said.row, order.claimed_time
    if order.claimed_minor != row.amount.amount_minor:
        before = order.claimed_minor if order.claimed_minor is not None else _NOT_SAID
        yield "amount.amount_minor", f"{before} → {row.amount.amount_minor}"
    if order.currency != row.amount.currency:
        yield "amount.currency", f"{order.currency} → {row.amount.currency}"
    if claimed_at is None or row.paid_at > claimed_at or row.paid_at.date() != claimed_at.date():
        yield "paid_at", f"{claimed_at.isoformat() if claimed_at else _NOT_SAID} → {row.paid_at.isoformat()}"
    if row.receipt_number and row.receipt_number != order.receipt_number:
        yield "receipt_number", f"{order.receipt_number or _NOT_SAID} → {row.receipt_number}"
