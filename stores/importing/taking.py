"""Taking a file in: read once, whatever its size, and laid down in parts that a worker can do one at a time."""

from collections.abc import Iterator
from itertools import islice
from typing import IO

import msgspec
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from stores import access, nudge
from stores.access import Right
from stores.errors import Forbidden, Invalid
from stores.importing.rows import OPTIONAL, REQUIRED
from stores.importing.spreadsheets import Record, Table, open_table
from stores.importing.working import TASK
from stores.models import OrderImport, OrderImportPart, Scope, StoreSystem, User

LARGEST_FILE = 50 * 1024 * 1024
MOST_ROWS = 500_000
ROWS_A_PART = 2_000


def take_file(file: IO[bytes], *, name: str, system: StoreSystem, asker: User) -> OrderImport:
    """Keep the file's rows and have them checked; nothing is imported before `start_import`.

    Columns: reference, amount_minor (whole minor units), currency, paid_at (RFC 3339 with offset), and optionally channel
    and receipt_number. Raises Forbidden, and Invalid for a file that is no such table (see `spreadsheets.open_table`), is
    empty, or has more than 500,000 rows.
    """
    access.require(asker, Right.MANAGE_STORES, store=system.store)
    if not (system.is_active and system.store.is_open and Scope.ORDERS_WRITE in system.scopes):
        raise Forbidden(_("This system may not sync orders."))
    table = open_table(file, required=REQUIRED, optional=OPTIONAL, most_bytes=LARGEST_FILE)
    with transaction.atomic():
        order_import = OrderImport.objects.create(
            system=system,
            file_name=_shown(name),
            encoding=table.encoding,
            columns=list(table.columns),
            asked_by=asker,
        )
        for number, part in enumerate(_parts(table), start=1):
            order_import.rows += len(part)
            if order_import.rows > MOST_ROWS:
                sentence = _("The file holds more than 500,000 rows: import it in parts.")
                raise Invalid(sentence, code="too_many_rows", field="file")
            content = msgspec.json.encode([[record.number, _cells(record, table)] for record in part])
            OrderImportPart.objects.create(order_import=order_import, number=number, content=content)
            order_import.parts = number
        if not order_import.rows:
            raise Invalid(_("The file holds no orders."), code="empty_file", field="file")
        order_import.save(update_fields=["rows", "parts"])
        transaction.on_commit(lambda: nudge.publish(TASK, str(order_import.pk)), robust=True)
    return order_import


def _parts(table: Table) -> Iterator[list[Record]]:
    while part := list(islice(table.records, ROWS_A_PART)):
        yield part


def _cells(record: Record, table: Table) -> list[str] | None:
    if record.cells is None:
        return None
    # PostgreSQL would store the bytes; no text of an order may have it, and the answer's JSON could not show it.
    return [record.cells[column].replace("\x00", "\ufffd") for column in table.columns]


def _shown(name: str) -> str:
    return "".join(character for character in name if character.isprintable())[-200:] or "file.csv"
