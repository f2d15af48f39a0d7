"""The verb of a sync: every row gets an outcome, wrong rows never hurt good ones, doing it twice changes nothing."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import msgspec
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import audit, clock
from stores.actors import Actor
from stores.errors import Forbidden
from stores.events import OrderContradicted, OrdersSynced
from stores.models import Scope, StoreSystem
from stores.orders.confirming import adopt_unplaced, judge_claims
from stores.orders.contradictions import Contradiction, differences, keep_contradictions
from stores.orders.merging import OrderKey
from stores.orders.outcomes import Outcome, RowError, RowOutcome
from stores.orders.positions import Mark, move_position
from stores.orders.reading import check_count
from stores.orders.rows import OrderRow, UnreadableRow, check_row
from stores.orders.units import Units
from stores.orders.upsert import Known, NewOrder, Written, read_known, write_lines, write_orders

GoodRow = tuple[int, NewOrder]
"""A good row: its index in the batch, and what it asks for."""


def index_orders(
    rows: Sequence[OrderRow | UnreadableRow], *, system: StoreSystem, mark: Mark | None = None, by: Actor
) -> list[RowOutcome]:
    """Index 1 to 10,000 orders of the system's store; returns one outcome per row, in their order.

    What a later sync may add: a receipt number, lines where there are none, a later time within the same day. Another
    amount, currency, store or day than a sync has claimed is a contradiction: it is kept for headquarters and changes
    nothing. So is a claim beside which Vipps says otherwise; it is noted, and what Vipps says counts. `mark` moves with
    the batch, whatever became of its rows. Raises Forbidden, Invalid for the number of rows, or Conflict for a mark that
    does not follow.
    """
    if not (system.is_active and system.store.is_open and Scope.ORDERS_WRITE in system.scopes):
        raise Forbidden(_("This system may not sync orders."))
    check_count(len(rows))
    outcomes: dict[int, RowOutcome] = {}
    with transaction.atomic():
        now = clock.db_now()
        if mark is not None:
            move_position(mark, system=system, rows=len(rows), now=now)
        orders = _merge(_place(rows, system, now, outcomes), outcomes)
        contradictions = _write(orders, system, now, outcomes, by=by) if orders else []
        finished = [outcomes[index] for index in range(len(rows))]
        _record(rows, finished, keep_contradictions(contradictions, system=system), system=system, by=by)
    return finished


def _place(
    rows: Sequence[OrderRow | UnreadableRow], system: StoreSystem, now: datetime, outcomes: dict[int, RowOutcome]
) -> list[GoodRow]:
    units = Units(system.store)
    placed: list[GoodRow] = []
    for index, row in enumerate(rows):
        if isinstance(row, UnreadableRow):
            error = RowError(row.code, row.detail, field=row.field)
            outcomes[index] = error.outcome(index, row.reference)
            continue
        try:
            check_row(row, now=now)
            place = units.place(row)
        except RowError as error:
            outcomes[index] = error.outcome(index, _safe(row.reference))
            continue
        order = NewOrder(
            unit_id=place.unit.pk,
            reference=row.reference,
            channel=place.channel,
            currency=row.amount.currency,
            claimed_minor=row.amount.amount_minor,
            paid_at=row.paid_at,
            receipt_number=row.receipt_number,
            lines=tuple(row.lines),
        )
        placed.append((index, order))
    return placed


def _safe(reference: str) -> str:
    return "".join(character for character in reference[:64] if character.isprintable())


def _merge(placed: list[GoodRow], outcomes: dict[int, RowOutcome]) -> dict[OrderKey, list[GoodRow]]:
    """Rows by order. Twins stay together and share an outcome; where rows contradict each other all are refused."""
    by_key: dict[OrderKey, list[GoodRow]] = {}
    for index, order in placed:
        by_key.setdefault(order.key, []).append((index, order))
    for key, twins in list(by_key.items()):
        if any(order != twins[0][1] for _index, order in twins[1:]):
            error = RowError("duplicate_in_batch", _("The batch says different things of this order."), field="reference")
            outcomes.update({index: error.outcome(index, order.reference) for index, order in twins})
            del by_key[key]
    return by_key


def _write(
    orders: dict[OrderKey, list[GoodRow]], system: StoreSystem, now: datetime, outcomes: dict[int, RowOutcome], *, by: Actor
) -> list[Contradiction]:
    asked = {key: twins[0][1] for key, twins in orders.items()}
    written = write_orders(list(asked.values()), store=system.store, now=now)
    known = read_known([order for key, order in asked.items() if key not in written], store=system.store)
    contradictions = {
        key: Contradiction(known=known[key], said=asked[key], fields=fields)
        for key in known
        if (fields := differences(known[key], asked[key], store=system.store))
    }
    standing: dict[OrderKey, Written | Known] = {**written, **known}
    with_lines = write_lines(
        {standing[key].id: order.lines for key, order in asked.items() if key not in contradictions and order.lines},
        now=now,
    )
    disagreeing = _hold_against_vipps(written, now=now, by=by)
    for key, twins in orders.items():
        for index, order in twins:
            if key in contradictions:
                outcomes[index] = _contradicted(index, contradictions[key], system)
            elif standing[key].id in disagreeing:
                outcomes[index] = _disagreeing(index, order, standing[key], disagreeing[standing[key].id])
            else:
                outcomes[index] = _settled(index, order, standing[key], with_lines)
    return list(contradictions.values())


def _hold_against_vipps(written: dict[OrderKey, Written], *, now: datetime, by: Actor) -> dict[int, str]:
    """The orders whose new claim cannot be true beside what Vipps said, before or while no store was known; what differs."""
    found = adopt_unplaced([key for key, order in written.items() if order.is_new], now=now, by=by)
    return found | judge_claims([order.id for order in written.values() if order.may_disagree], now=now, by=by)


def _disagreeing(index: int, order: NewOrder, standing: Written | Known, field: str) -> RowOutcome:
    return RowOutcome(
        index=index,
        reference=order.reference,
        outcome=Outcome.CONFLICT,
        order_id=standing.public_id,
        code="contradiction",
        detail=str(_("Vipps says otherwise of this order: what Vipps says counts, and headquarters was told.")),
        field=field,
    )


def _settled(index: int, order: NewOrder, standing: Written | Known, with_lines: set[int]) -> RowOutcome:
    is_written = isinstance(standing, Written)
    outcome = Outcome.UPDATED if is_written or standing.id in with_lines else Outcome.UNCHANGED
    if isinstance(standing, Written) and standing.is_new:
        outcome = Outcome.CREATED
    return RowOutcome(index=index, reference=order.reference, outcome=outcome, order_id=standing.public_id)


def _contradicted(index: int, found: Contradiction, system: StoreSystem) -> RowOutcome:
    # Another store's order on a shared unit is not this system's to know by id.
    is_own = found.known.store_id == system.store_id
    return RowOutcome(
        index=index,
        reference=found.said.reference,
        outcome=Outcome.CONFLICT,
        order_id=found.known.public_id if is_own else None,
        code="contradiction",
        detail=str(_("The hub knows this order with other facts; nothing was changed and headquarters was told.")),
        field=found.fields[0] if is_own else "reference",
    )


def _record(
    rows: Sequence[OrderRow | UnreadableRow],
    outcomes: list[RowOutcome],
    contradictions: list[Contradiction],
    *,
    system: StoreSystem,
    by: Actor,
) -> None:
    counts = {outcome: sum(1 for row in outcomes if row.outcome is outcome) for outcome in Outcome}
    record = partial(audit.record, by=by, company=system.store.company, store=system.store)
    for found in contradictions:
        event = OrderContradicted(system=system.name, reference=found.said.reference, fields=", ".join(found.fields))
        record(event, about=audit.Subject(type="order", id=str(found.known.public_id)))
    synced = OrdersSynced(
        system=system.name,
        rows=len(rows),
        created=counts[Outcome.CREATED],
        updated=counts[Outcome.UPDATED],
        unchanged=counts[Outcome.UNCHANGED],
        refused=counts[Outcome.REFUSED] + counts[Outcome.CONFLICT],
        digest=_digest(rows),
    )
    record(synced, about=audit.Subject(type="store_system", id=str(system.public_id)))


def _digest(rows: Sequence[OrderRow | UnreadableRow]) -> str:
    """SHA-256 of the batch as the hub understood it."""
    try:
        encoded = msgspec.json.encode(rows)
    except UnicodeEncodeError:  # half a surrogate pair, in a row that was refused for it
        encoded = json.dumps(msgspec.to_builtins(rows)).encode()
    return hashlib.sha256(encoded).hexdigest()
