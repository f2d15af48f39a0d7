"""The verb of a sync: every row gets an outcome, wrong rows never hurt good ones, doing it twice changes nothing."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from stores.orders.confirming import adopt_unplaced
from stores.orders.contradictions import Contradiction, keep_contradictions
from stores.orders.copying import copy_orders
from stores.orders.looking_closer import look_closer, says_otherwise
from stores.orders.merging import OrderKey
from stores.orders.outcomes import Outcome, RowError, RowOutcome
from stores.orders.placed import Batch, NewOrder
from stores.orders.positions import Mark, move_position
from stores.orders.reading import check_count
from stores.orders.rows import OrderRow, UnreadableRow, check_row, latest_paid_at
from stores.orders.standing import read_standing
from stores.orders.units import Units


def index_orders(
    rows: Sequence[OrderRow | UnreadableRow],
    *,
    system: StoreSystem,
    mark: Mark | None = None,
    digest: str = "",
    by: Actor,
) -> list[RowOutcome]:
    """Index 1 to 10,000 orders of the system's store; returns one outcome per row, in their order.

    What a later sync may add: a receipt number, lines where there are none, a later time within the same day. Another
    amount, currency, store or day than a sync has claimed is a contradiction: it is kept for headquarters and changes
    nothing. So is a claim beside which Vipps says otherwise; it is noted, and what Vipps says counts. `mark` moves with
    the batch, whatever became of its rows. `digest` is the SHA-256 of the body that brought the rows, for the trail.
    Raises Forbidden, Invalid for the number of rows, or Conflict for a mark that does not follow.
    """
    if not (system.is_active and system.store.is_open and Scope.ORDERS_WRITE in system.scopes):
        raise Forbidden(_("This system may not sync orders."))
    check_count(len(rows))
    outcomes: dict[int, RowOutcome] = {}
    with transaction.atomic():
        now = clock.db_now()
        if mark is not None:
            move_position(mark, system=system, rows=len(rows), now=now)
        batch = place_rows(rows, system, now, outcomes)
        contradictions = _write(batch.orders, system, now, outcomes, by=by) if batch.orders else []
        for twin, other in batch.twins():
            outcomes[twin.index] = msgspec.structs.replace(outcomes[other.index], index=twin.index)
        finished = [outcomes[index] for index in range(len(rows))]
        fresh = keep_contradictions(contradictions, system=system)
        _record(finished, fresh, system=system, digest=digest or _digest(rows), by=by)
    return finished


def place_rows(
    rows: Sequence[OrderRow | UnreadableRow], system: StoreSystem, now: datetime, outcomes: dict[int, RowOutcome]
) -> Batch:
    units = Units(system.store)
    latest = latest_paid_at(now)
    batch = Batch()
    for index, row in enumerate(rows):
        if isinstance(row, UnreadableRow):
            outcomes[index] = RowError(row.code, row.detail, field=row.field).outcome(index, row.reference)
            continue
        try:
            check_row(row, latest=latest)
            batch.add(NewOrder(index, row, units.place(row)))
        except RowError as error:
            outcomes[index] = error.outcome(index, _safe(row.reference))
    for order, reproach in batch.take_out_contradicting():
        outcomes[order.index] = reproach.outcome(order.index, order.row.reference)
    return batch


def _safe(reference: str) -> str:
    return "".join(character for character in reference[:64] if character.isprintable())


def _write(
    orders: Mapping[OrderKey, NewOrder],
    system: StoreSystem,
    now: datetime,
    outcomes: dict[int, RowOutcome],
    *,
    by: Actor,
) -> list[Contradiction]:
    """New orders are copied in, known ones only read, and what differs, or came in meanwhile, is looked at closer."""
    standing = read_standing(orders, store=system.store)
    # Sorted, as all who write orders: no two of them wait for each other in a circle.
    new = sorted(orders.keys() - standing.keys())
    public_ids = copy_orders([orders[key] for key in new], store=system.store, now=now) if new else []
    for found in _unchanged(orders, standing):
        outcomes[found.index] = found
    closer = [key for key, public_id in standing.items() if public_id is None]
    if public_ids is None:
        closer += new
    else:
        for found in _created([orders[key] for key in new], public_ids):
            outcomes[found.index] = found
        for key, field in adopt_unplaced(new, now=now, by=by).items():
            created = outcomes[orders[key].index]
            outcomes[created.index] = says_otherwise(orders[key], created.order_id or "", field)
    if not closer:
        return []
    looked = look_closer({key: orders[key] for key in closer}, system=system, now=now, by=by)
    outcomes.update({outcome.index: outcome for outcome in looked.outcomes})
    return looked.contradictions


def _unchanged(orders: Mapping[OrderKey, NewOrder], standing: Mapping[OrderKey, str | None]) -> Iterator[RowOutcome]:
    for key, public_id in standing.items():
        if public_id is not None:
            yield RowOutcome(orders[key].index, key[1], Outcome.UNCHANGED, public_id)


def _created(orders: Sequence[NewOrder], public_ids: Sequence[str]) -> Iterator[RowOutcome]:
    for order, public_id in zip(orders, public_ids, strict=True):
        yield RowOutcome(order.index, order.row.reference, Outcome.CREATED, public_id)


def _record(
    outcomes: Sequence[RowOutcome],
    contradictions: Sequence[Contradiction],
    *,
    system: StoreSystem,
    digest: str,
    by: Actor,
) -> None:
    counts = Counter(row.outcome for row in outcomes)
    record = partial(audit.record, by=by, company=system.store.company, store=system.store)
    for found in contradictions:
        event = OrderContradicted(system=system.name, reference=found.said.row.reference, fields=", ".join(found.fields))
        record(event, about=audit.Subject(type="order", id=str(found.known.public_id)))
    synced = OrdersSynced(
        system=system.name,
        rows=len(outcomes),
        created=counts[Outcome.CREATED],
        updated=counts[Outcome.UPDATED],
        unchanged=counts[Outcome.UNCHANGED],
        refused=counts[Outcome.REFUSED] + counts[Outcome.CONFLICT],
        digest=digest,
    )
    record(synced, about=audit.Subject(type="store_system", id=str(system.public_id)))


def _digest(rows: Sequence[OrderRow | UnreadableRow]) -> str:
    """SHA-256 of the batch as the hub understood it."""
    try:
        encoded = msgspec.json.encode(rows)
    except UnicodeEncodeError:  # half a surrogate pair, in a row that was refused for it
        encoded = json.dumps(msgspec.to_builtins(rows)).encode()
    return hashlib.sha256(encoded).hexdigest()
