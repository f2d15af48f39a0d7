"""Orders from a CSV file, through the same verb as a sync: for a store whose system cannot speak REST yet."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import msgspec
from django.utils.translation import gettext_lazy as _

from stores.actors import Actor
from stores.errors import Invalid
from stores.models import StoreSystem
from stores.orders import MAX_ROWS, AmountRow, OrderRow, RowOutcome, UnreadableRow, index_orders

REQUIRED = ("reference", "amount_minor", "currency", "paid_at")
OPTIONAL = ("channel", "receipt_number")
_LARGEST_FILE = 50 * 1024 * 1024


def import_orders(content: bytes, *, system: StoreSystem, by: Actor) -> list[RowOutcome]:
    """Index the rows of a CSV file (UTF-8, comma or semicolon, a header line); an outcome per row, counted from 0.

    Columns: reference, amount_minor (whole minor units), currency, paid_at (RFC 3339 with offset), and optionally
    channel and receipt_number. Synced in batches, each whole or not at all. Raises Invalid for a file without these columns.
    """
    rows = list(_rows(content))
    if not rows:
        raise Invalid(_("The file holds no orders."), code="empty_file", field="file")
    outcomes: list[RowOutcome] = []
    for start in range(0, len(rows), MAX_ROWS):
        batch = index_orders(rows[start : start + MAX_ROWS], system=system, by=by)
        outcomes += [msgspec.structs.replace(outcome, index=start + outcome.index) for outcome in batch]
    return outcomes


def _rows(content: bytes) -> Iterator[OrderRow | UnreadableRow]:
    if len(content) > _LARGEST_FILE:
        raise Invalid(_("The file is larger than 50 MiB."), code="file_too_large", field="file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(_("The file is not in UTF-8."), code="not_utf8", field="file") from None
    header = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in header else ",", strict=True)
    _check_columns(reader.fieldnames or [])
    try:
        for record in reader:
            yield _row(record)
    except csv.Error as error:
        raise Invalid(_("The file is not CSV."), code="not_csv", field="file", line=reader.line_num) from error


def _check_columns(names: object) -> None:
    found = list(names) if isinstance(names, (list, tuple)) else []
    missing = [name for name in REQUIRED if name not in found]
    unknown = [name for name in found if name not in REQUIRED + OPTIONAL]
    if missing or unknown or len(found) != len(set(found)):
        raise Invalid(
            _("The columns are reference, amount_minor, currency, paid_at, and optionally channel, receipt_number."),
            code="wrong_columns",
            field="file",
            missing=missing,
            unknown=unknown,
        )


def _row(record: dict[str, str | None]) -> OrderRow | UnreadableRow:
    reference = record.get("reference") or ""
    amount = record.get("amount_minor") or ""
    if None in record or None in record.values():
        return _unreadable(reference, "wrong_columns", str(_("The row has more or fewer columns than the header.")), "")
    # int() would also take underscores, signs and other scripts' digits.
    if not (amount.isascii() and amount.isdecimal() and len(amount) <= 12):
        return _unreadable(reference, "invalid_amount", str(_("An amount is a whole number of minor units.")), "amount_minor")
    try:
        paid_at = datetime.fromisoformat(record["paid_at"] or "")
    except ValueError:
        return _unreadable(reference, "invalid_paid_at", str(_("A time is RFC 3339 with its offset.")), "paid_at")
    return OrderRow(
        reference=reference,
        amount=AmountRow(amount_minor=int(amount), currency=record["currency"] or ""),
        paid_at=paid_at,
        channel=record.get("channel") or None,
        receipt_number=record.get("receipt_number") or "",
    )


def _unreadable(reference: str, code: str, detail: str, field: str) -> UnreadableRow:
    shown = "".join(character for character in reference[:64] if character.isprintable())
    return UnreadableRow(reference=shown, code=code, detail=detail, field=field)
