"""What a person decides about a file that has been checked: to have it imported, or not."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import access, audit, clock, nudge
from stores.access import Right
from stores.actors import Actor
from stores.errors import Conflict
from stores.events import OrderImportCancelled, OrderImportStarted
from stores.importing.working import TASK
from stores.models import ImportState, OrderImport, OrderImportPart, User

_NONE_YET = {
    **dict.fromkeys(("rows_done", "created", "updated", "unchanged", "conflict", "refused"), 0),
    "next_part": 1,
    "problem": "",
}


def start_import(order_import: OrderImport, *, asker: User, by: Actor) -> OrderImport:
    """Have the rows imported, the good ones whatever becomes of the others. Raises Forbidden, and Conflict unless the file
    has been checked and nobody has started it."""
    access.require(asker, Right.MANAGE_STORES, store=order_import.system.store)
    with transaction.atomic():
        now = clock.db_now()
        checked = OrderImport.objects.filter(pk=order_import.pk, state=ImportState.REHEARSED)
        if not checked.update(
            state=ImportState.IMPORTING, started_by=asker, started_at=now, due_at=now, **_NONE_YET
        ):
            raise Conflict(_("The file is not checked yet, or somebody has decided about it already."), code="not_checked")
        order_import.told.all().delete()
        order_import.refresh_from_db()
        event = OrderImportStarted(file=order_import.file_name, system=order_import.system.name, rows=order_import.rows)
        _record(event, order_import, by)
        transaction.on_commit(lambda: nudge.publish(TASK, str(order_import.pk)), robust=True)
    return order_import


def cancel_import(order_import: OrderImport, *, asker: User, by: Actor) -> OrderImport:
    """Let it be. What has been imported before stays. Raises Forbidden, and Conflict where it has ended."""
    access.require(asker, Right.MANAGE_STORES, store=order_import.system.store)
    with transaction.atomic():
        going_on = OrderImport.objects.filter(pk=order_import.pk, ended_at=None)
        if not going_on.update(state=ImportState.CANCELLED, ended_at=clock.db_now(), due_at=None):
            raise Conflict(_("It has ended already."), code="import_ended")
        OrderImportPart.objects.filter(order_import=order_import).delete()
        order_import.refresh_from_db()
        event = OrderImportCancelled(
            file=order_import.file_name,
            system=order_import.system.name,
            rows=order_import.rows,
            rows_done=order_import.rows_done if order_import.started_at else 0,
        )
        _record(event, order_import, by)
    return order_import


def _record(event: OrderImportStarted | OrderImportCancelled, order_import: OrderImport, by: Actor) -> None:
    store = order_import.system.store
    about = audit.Subject(type="store_system", id=str(order_import.system.public_id))
    audit.record(event, by=by, company=store.company, store=store, about=about)
