"""The worker's side of an import: part after part, each in one transaction with its progress, a few seconds at a time.

The row is the work: a worker that dies leaves the part to whoever comes next, and a part done twice changes nothing.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_noop

from stores import access, audit, clock, nudge
from stores.actors import Actor
from stores.errors import Forbidden
from stores.events import OrderImportEnded
from stores.importing.damage import ReferenceStyle, style_of
from stores.importing.rows import row_of
from stores.importing.spreadsheets import Record
from stores.models import ImportState, Order, OrderImport, OrderImportPart, OrderImportRow, StoreUnit
from stores.orders import Outcome, Rehearsed, Row, index_orders, rehearse_orders

logger = logging.getLogger(__name__)
TASK = "stores.import_orders"
MOST_TOLD = 1_000
"""How many rows of a file are kept to look at; beyond that it is counted only."""
_SECONDS_A_TURN = 10.0
_LEASE = timedelta(minutes=2)
_QUIET = timedelta(seconds=30)
_STYLE_FROM = 200
_LONGEST = 300


class _OtherWasFirst(Exception):
    """Somebody else has done this part, or ended the import."""


def work_on(import_id: int) -> int:
    """Go on with the import, if it is due, for about ten seconds; how many parts. Rings for the rest."""
    now = clock.db_now()
    due = OrderImport.objects.filter(pk=import_id, due_at__lte=now)
    if not due.update(due_at=now + _LEASE):
        return 0
    ends_at = clock.monotonic() + _SECONDS_A_TURN
    done = 0
    try:
        while clock.monotonic() < ends_at:
            if not _do_next_part(import_id):
                return done
            done += 1
    except Exception:
        # Whatever it is, somebody looks at the page and wants to know; the lease says when it is tried again.
        logger.exception("import %s did not get on", import_id)
        due_now = OrderImport.objects.filter(pk=import_id, due_at__isnull=False)
        due_now.update(problem=gettext_noop("It did not get on; the hub tries again in two minutes."))
        return done
    OrderImport.objects.filter(pk=import_id, due_at__isnull=False).update(due_at=clock.db_now())
    nudge.publish(TASK, str(import_id))
    return done


def move_due() -> int:
    """For the rounds: a turn of the import that nobody has gone on with for the longest, as when a message was lost."""
    waiting = OrderImport.objects.filter(due_at__lt=clock.db_now() - _QUIET).order_by("due_at")
    longest = waiting.values_list("pk", flat=True).first()
    return work_on(longest) if longest is not None else 0


def _do_next_part(import_id: int) -> bool:
    """False where there is nothing left to do, or somebody else was first."""
    order_import = OrderImport.objects.select_related("system__store__company", "started_by").get(pk=import_id)
    if not order_import.is_running:
        return False
    if order_import.next_part > order_import.parts:
        _end_stage(order_import)
        return False
    part = OrderImportPart.objects.filter(order_import=import_id, number=order_import.next_part).first()
    if part is None:
        return False
    records = _records(part, order_import.columns)
    rows = [row_of(record, _style(order_import)) for record in records]
    try:
        with transaction.atomic():
            _keep(records, _told_of(rows, order_import), order_import)
    except _OtherWasFirst:
        return False
    except Forbidden as refusal:
        _give_up(order_import, str(refusal))
        return False
    return True


def _told_of(rows: Sequence[Row], order_import: OrderImport) -> list[Rehearsed]:
    if order_import.state == ImportState.REHEARSING:
        return rehearse_orders(rows, system=order_import.system)
    return [Rehearsed(outcome) for outcome in index_orders(rows, system=order_import.system, by=_by(order_import))]


def _by(order_import: OrderImport) -> Actor:
    """Whoever started it; the entries of one import are tied together as those of a request are."""
    person = order_import.started_by or order_import.asked_by
    return replace(access.actor_for(person), request_id=f"import-{order_import.pk}")


def _records(part: OrderImportPart, columns: Sequence[str]) -> list[Record]:
    return [
        Record(number=number, cells=None if cells is None else dict(zip(columns, cells, strict=True)))
        for number, cells in msgspec.json.decode(bytes(part.content))
    ]


def _style(order_import: OrderImport) -> ReferenceStyle:
    store = order_import.system.store
    newest = Order.objects.filter(store=store).order_by("-paid_at", "-id").values_list("reference", flat=True)
    prefixes = StoreUnit.objects.filter(store=store).values_list("prefix", flat=True)
    return style_of(prefixes, list(newest[:_STYLE_FROM]))


def _keep(records: Sequence[Record], told: Sequence[Rehearsed], order_import: OrderImport) -> None:
    """The part's progress, in its transaction. Raises _OtherWasFirst, which takes the part back."""
    counts = Counter(each.outcome.outcome for each in told)
    here = OrderImport.objects.filter(pk=order_import.pk, state=order_import.state, next_part=order_import.next_part)
    counted = {outcome.value: F(outcome.value) + counts[outcome] for outcome in Outcome}
    until = clock.db_now() + _LEASE
    if not here.update(next_part=F("next_part") + 1, rows_done=F("rows_done") + len(told), due_at=until, problem="", **counted):
        raise _OtherWasFirst
    room = MOST_TOLD - OrderImportRow.objects.filter(order_import=order_import).count()
    rows = [
        _to_look_at(record, each, order_import)
        for record, each in zip(records, told, strict=True)
        if each.outcome.outcome not in (Outcome.CREATED, Outcome.UNCHANGED)
    ]
    OrderImportRow.objects.bulk_create(rows[: max(room, 0)])


def _to_look_at(record: Record, told: Rehearsed, order_import: OrderImport) -> OrderImportRow:
    outcome = told.outcome
    return OrderImportRow(
        order_import=order_import,
        number=record.number,
        outcome=outcome.outcome.value,
        reference=outcome.reference[:64],
        code=outcome.code[:40],
        field=outcome.field[:80],
        detail=outcome.detail[:_LONGEST],
        difference=told.difference[:_LONGEST],
    )


def _end_stage(order_import: OrderImport) -> None:
    here = OrderImport.objects.filter(pk=order_import.pk, state=order_import.state)
    if order_import.state == ImportState.REHEARSING:
        here.update(state=ImportState.REHEARSED, due_at=None)
        return
    with transaction.atomic():
        if not here.update(state=ImportState.DONE, due_at=None, ended_at=clock.db_now()):
            return
        OrderImportPart.objects.filter(order_import=order_import).delete()
        _record_end(order_import)


def _record_end(order_import: OrderImport) -> None:
    system = order_import.system
    event = OrderImportEnded(
        file=order_import.file_name,
        system=system.name,
        rows=order_import.rows,
        created=order_import.created,
        updated=order_import.updated,
        unchanged=order_import.unchanged,
        refused=order_import.refused + order_import.conflict,
    )
    audit.record(
        event,
        by=_by(order_import),
        company=system.store.company,
        store=system.store,
        about=audit.Subject(type="store_system", id=str(system.public_id)),
    )


def _give_up(order_import: OrderImport, problem: str) -> None:
    """The system or its store was closed meanwhile: there is nobody left to import for."""
    logger.warning("import %s was given up: %s", order_import.pk, problem)
    with transaction.atomic():
        here = OrderImport.objects.filter(pk=order_import.pk, state=order_import.state)
        here.update(state=ImportState.CANCELLED, due_at=None, ended_at=clock.db_now(), problem=problem[:200])
        OrderImportPart.objects.filter(order_import=order_import).delete()
